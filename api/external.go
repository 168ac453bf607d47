package api

import (
	"context"
	"net/url"

	"github.com/danielgtaylor/huma/v2"

	"github.com/quorate/quorate/api/access"
)

// SignerBackend is what devices and other wallets that hold keys need of a node.
type SignerBackend interface {
	// Proof says what has to be signed before this node's external key is entered,
	// or that of a cosigner that it hosts.
	Proof(ctx context.Context, wallet, hosted string) (Proof, error)
	// HostCosigner gives a cosigner without a node a place in a forming wallet.
	HostCosigner(ctx context.Context, wallet string, r HostCosigner) (WalletSummary, error)
	// ProveWallet enters this node's external key, or a hosted cosigner's, with its
	// proof or without.
	ProveWallet(ctx context.Context, wallet string, r ProveWallet) (WalletSummary, error)
	// ExportPSBT hands a proposal out as a PSBT; the sign guard is durable before
	// it leaves, where this node's key may sign it elsewhere.
	ExportPSBT(ctx context.Context, proposal string, r ExportPSBT) (ExportedPSBT, error)
	// ImportPSBT takes in the signatures of a PSBT that are new and verify.
	ImportPSBT(ctx context.Context, r ImportPSBT) (ImportedPSBT, error)
}

// ProveWallet gives a proof back.
type ProveWallet struct {
	Signature string `json:"signature,omitempty" minLength:"1" maxLength:"16384" doc:"Signature of the message, or the signed PSBT, in base64."`
	Unproven  bool   `json:"unproven,omitempty" doc:"Go on without: the other cosigners see it and have to accept it."`
	For       string `json:"for,omitempty" minLength:"1" maxLength:"64" doc:"Name of the hosted cosigner whose key it is; this node's own where left out."`
}

// HostCosigner names a cosigner without a node.
type HostCosigner struct {
	Name     string   `json:"name" minLength:"1" maxLength:"64"`
	External string   `json:"external" minLength:"1" maxLength:"512" doc:"Its key with the origin; of an existing wallet, the fingerprint will do."`
	Unproven bool     `json:"unproven,omitempty" doc:"Enter the key at once although nothing shows that anybody holds it."`
	Allow    []string `json:"allow,omitempty" maxItems:"16" doc:"Rules to go on against, by name: key_origin."`
}

type hostCosignerInput struct {
	WalletPath
	Body HostCosigner
}

type proofInput struct {
	WalletPath
	For string `query:"for" maxLength:"64" doc:"Name of the hosted cosigner whose key it is; this node's own where left out."`
}

type proveWalletInput struct {
	WalletPath
	Body ProveWallet
}

func (s *Server) proofRoutes(h huma.API) {
	b := s.backend
	s.psbtRoutes(h)
	route(h, access.Read, get("show-proof", "/v1/wallets/{wallet}/proof", "Show what proves this node's external key"), func(ctx context.Context, in *proofInput) (Proof, error) {
		return b.Proof(ctx, in.Wallet, in.For)
	})
	route(h, access.Manage, post("host-cosigner", "/v1/wallets/{wallet}/hosted", "Give a cosigner without a node a place in a forming wallet"), func(ctx context.Context, in *hostCosignerInput) (WalletSummary, error) {
		return b.HostCosigner(ctx, in.Wallet, in.Body)
	})
	route(h, access.Manage, post("prove-wallet", "/v1/wallets/{wallet}/proof", "Enter this node's external key with its proof"), func(ctx context.Context, in *proveWalletInput) (WalletSummary, error) {
		if (in.Body.Signature == "") != in.Body.Unproven {
			return WalletSummary{}, Misuse("bad_proof", "give either a signature or unproven", "")
		}
		return b.ProveWallet(ctx, in.Wallet, in.Body)
	})
}

// Proof implements Backend.
func (c *Client) Proof(ctx context.Context, wallet, hosted string) (Proof, error) {
	return onWallet(wallet, func() (Proof, error) {
		return fetch[Proof](ctx, c, path("wallets", wallet, "proof"), url.Values{"for": {hosted}})
	})
}

// HostCosigner implements Backend.
func (c *Client) HostCosigner(ctx context.Context, wallet string, r HostCosigner) (WalletSummary, error) {
	return onWallet(wallet, func() (WalletSummary, error) {
		return send[WalletSummary](ctx, c, path("wallets", wallet, "hosted"), r)
	})
}

// ProveWallet implements Backend.
func (c *Client) ProveWallet(ctx context.Context, wallet string, r ProveWallet) (WalletSummary, error) {
	return onWallet(wallet, func() (WalletSummary, error) {
		return send[WalletSummary](ctx, c, path("wallets", wallet, "proof"), r)
	})
}
