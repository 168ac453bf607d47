package apitest

import (
	"context"

	"github.com/quorate/quorate/api"
)

// Proof implements api.Backend.
func (b *Backend) Proof(_ context.Context, ref string) (api.Proof, error) {
	return api.Proof{
		Wallet: WalletID, Key: "[aabbccdd/48h/1h/0h/2h]tpubA", Message: "quorate key proof", Address: Address,
		Path: "m/48h/1h/0h/2h/0/0", Fingerprint: "aabbccdd", PSBT: "cHNidP8=",
	}, b.wallet("Proof", ref, nil)
}

// ProveWallet implements api.Backend.
func (b *Backend) ProveWallet(_ context.Context, ref string, r api.ProveWallet) (api.WalletSummary, error) {
	return summary("forming"), b.wallet("ProveWallet", ref, r)
}
