package api

import "context"

// Ping implements Backend.
func (c *Client) Ping(ctx context.Context, wallet string, r Ping) (Pinged, error) {
	return onWallet(wallet, func() (Pinged, error) {
		return send[Pinged](ctx, c, path("wallets", wallet, "ping"), r)
	})
}

// AnswerPing implements Backend.
func (c *Client) AnswerPing(ctx context.Context, wallet string, r AnswerPing) (Pinged, error) {
	return onWallet(wallet, func() (Pinged, error) {
		return send[Pinged](ctx, c, path("wallets", wallet, "ping", "answer"), r)
	})
}
