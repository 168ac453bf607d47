package api

import "context"

// Freeze implements Backend.
func (c *Client) Freeze(ctx context.Context, wallet string, r FreezeWallet) (WalletFreezes, error) {
	return onWallet(wallet, func() (WalletFreezes, error) {
		return send[WalletFreezes](ctx, c, path("wallets", wallet, "freeze"), r)
	})
}

// Unfreeze implements Backend.
func (c *Client) Unfreeze(ctx context.Context, wallet string, r UnfreezeWallet) (WalletFreezes, error) {
	return onWallet(wallet, func() (WalletFreezes, error) {
		return send[WalletFreezes](ctx, c, path("wallets", wallet, "unfreeze"), r)
	})
}
