package api

import (
	"context"
	"net/url"
	"time"
)

// SimulatePolicy implements Backend.
func (c *Client) SimulatePolicy(ctx context.Context, wallet string, r SimulatePolicy) (Simulation, error) {
	return onWallet(wallet, func() (Simulation, error) {
		return send[Simulation](ctx, c, path("wallets", wallet, "policy", "simulate"), r)
	})
}

// ReplayPolicy implements Backend.
func (c *Client) ReplayPolicy(ctx context.Context, wallet string, q ReplayQuery) (Page[Replayed], error) {
	v := url.Values{}
	if !q.Since.IsZero() {
		v.Set("since", q.Since.UTC().Format(time.RFC3339Nano))
	}
	return onWallet(wallet, func() (Page[Replayed], error) {
		return fetch[Page[Replayed]](ctx, c, path("wallets", wallet, "policy", "replay"), page(v, q.Cursor, q.Limit))
	})
}
