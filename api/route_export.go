package api

import (
	"context"
	"net/url"

	"github.com/danielgtaylor/huma/v2"

	"github.com/quorate/quorate/api/access"
)

// ExportBackend is the wallets of a node as files for other software.
type ExportBackend interface {
	// ExportWallet returns an active wallet in a format that other wallets read,
	// or as a page to print. None of them holds a secret that spends; all of
	// them show every address.
	ExportWallet(ctx context.Context, wallet, format string) (WalletFile, error)
}

// WalletFile is a wallet in the form of other software.
type WalletFile struct {
	Wallet  string `json:"wallet"`
	Format  string `json:"format"`
	Content string `json:"content" doc:"What the file holds."`
}

type exportInput struct {
	WalletPath
	Format string `query:"format" enum:"descriptor,bsms,core,coldcard,sparrow,caravan,electrum,specter,nunchuk,page" default:"descriptor" doc:"What reads the file."`
}

func (s *Server) exportRoute(h huma.API) {
	route(h, access.Read, get("export-wallet", "/v1/wallets/{wallet}/export", "Export a wallet for other software"), func(ctx context.Context, in *exportInput) (WalletFile, error) {
		return s.backend.ExportWallet(ctx, in.Wallet, in.Format)
	})
}

// ExportWallet implements Backend.
func (c *Client) ExportWallet(ctx context.Context, wallet, format string) (WalletFile, error) {
	return onWallet(wallet, func() (WalletFile, error) {
		return fetch[WalletFile](ctx, c, path("wallets", wallet, "export"), url.Values{"format": {format}})
	})
}
