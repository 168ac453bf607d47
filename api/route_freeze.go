package api

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"github.com/quorate/quorate/api/access"
)

type freezeWalletInput struct {
	WalletPath
	Body FreezeWallet
}

type unfreezeWalletInput struct {
	WalletPath
	Body UnfreezeWallet
}

func freezeRoutes(h huma.API, b FreezeBackend) {
	op := post("freeze-wallet", "/v1/wallets/{wallet}/freeze", "Freeze all spending from a wallet, for all cosigners")
	op.Description = "Nobody signs for the wallet any more without overriding the rule frozen, until as many cosigners as sign are for lifting it. What is signed already stays valid."
	// It stops everybody, which to freeze a coin does not: it takes the verb of who may vote against a payment.
	route(h, access.Vote, op, func(ctx context.Context, in *freezeWalletInput) (WalletFreezes, error) {
		return b.Freeze(ctx, in.Wallet, in.Body)
	})
	route(h, access.Sign, post("unfreeze-wallet", "/v1/wallets/{wallet}/unfreeze", "Be for lifting freezes of all spending"), func(ctx context.Context, in *unfreezeWalletInput) (WalletFreezes, error) {
		return b.Unfreeze(ctx, in.Wallet, in.Body)
	})
}
