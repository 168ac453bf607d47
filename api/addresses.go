package api

import (
	"context"
	"net/url"

	"github.com/danielgtaylor/huma/v2"
)

// AddressItem is a receiving address that was handed out or paid.
type AddressItem struct {
	Address      string  `json:"address"`
	Index        uint32  `json:"index"`
	Used         bool    `json:"used" doc:"Whether a transaction that this node knows pays it."`
	PaymentCount int     `json:"payment_count" doc:"How many outputs pay it."`
	Received     int64   `json:"received" doc:"What those hold together."`
	Unspent      int64   `json:"unspent" doc:"What of it is not spent."`
	HandedOutBy  *Person `json:"handed_out_by" doc:"The cosigner whose node handed it out first; null where none did."`
	Label        Text    `json:"label" doc:"A cosigner's words, unverified; null where there are none."`
}

// AddressQuery selects a page of addresses, the newest first.
type AddressQuery struct {
	// Unused leaves out those that were paid.
	Unused bool
	Cursor string
	// Limit is at most MaxPage; 0 is DefaultPage.
	Limit int
}

type addressesInput struct {
	WalletPath
	Unused bool `query:"unused" doc:"Only those that nothing was paid to."`
	PageQuery
}

func (s *Server) addressesRoute(h huma.API) {
	route(h, RoleRead, get("list-addresses", "/v1/wallets/{wallet}/addresses", "List receiving addresses that were handed out or paid, newest first"), func(ctx context.Context, in *addressesInput) (Page[AddressItem], error) {
		return s.backend.Addresses(ctx, in.Wallet, AddressQuery{Unused: in.Unused, Cursor: in.Cursor, Limit: in.Limit})
	})
}

// Addresses implements Backend.
func (c *Client) Addresses(ctx context.Context, wallet string, q AddressQuery) (Page[AddressItem], error) {
	v := url.Values{}
	if q.Unused {
		v.Set("unused", "true")
	}
	return onWallet(wallet, func() (Page[AddressItem], error) {
		return fetch[Page[AddressItem]](ctx, c, path("wallets", wallet, "addresses"), page(v, q.Cursor, q.Limit))
	})
}
