package api

import (
	"context"
	"net/url"
)

// Preview implements Backend.
func (c *Client) Preview(ctx context.Context, wallet string, r Propose) (Draft, error) {
	return onWallet(wallet, func() (Draft, error) {
		return send[Draft](ctx, c, path("wallets", wallet, "proposals", "preview"), r)
	})
}

// Pending implements Backend.
func (c *Client) Pending(ctx context.Context, q PendingQuery) (Page[Pending], error) {
	return fetch[Page[Pending]](ctx, c, path("pending"), page(url.Values{}, q.Cursor, q.Limit))
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
