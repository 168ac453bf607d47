package api

import "context"

// Schedule implements Backend.
func (c *Client) Schedule(ctx context.Context, wallet string, r NewSchedule) (Schedule, error) {
	return onWallet(wallet, func() (Schedule, error) {
		return send[Schedule](ctx, c, path("wallets", wallet, "schedules"), r)
	})
}

// Schedules implements Backend.
func (c *Client) Schedules(ctx context.Context, wallet string) ([]Schedule, error) {
	return onWallet(wallet, func() ([]Schedule, error) {
		return whole[Schedule](ctx, c, path("wallets", wallet, "schedules"))
	})
}

// EndSchedule implements Backend.
func (c *Client) EndSchedule(ctx context.Context, wallet, schedule string) (Schedule, error) {
	return onWallet(wallet, func() (Schedule, error) {
		return send[Schedule](ctx, c, path("wallets", wallet, "schedules", schedule, "end"), nil)
	})
}

// StartSchedule implements Backend.
func (c *Client) StartSchedule(ctx context.Context, wallet, schedule string) (Schedule, error) {
	return onWallet(wallet, func() (Schedule, error) {
		return send[Schedule](ctx, c, path("wallets", wallet, "schedules", schedule, "start"), nil)
	})
}
