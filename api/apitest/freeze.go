package apitest

import (
	"context"
	"strings"

	"github.com/quorate/quorate/api"
)

// Freeze implements api.Backend.
func (b *Backend) Freeze(_ context.Context, ref string, r api.FreezeWallet) (api.WalletFreezes, error) {
	f := GroupFreeze()
	f.By, f.Reason, f.Lifts = Person("alice"), api.Text(r.Reason), nil
	return api.WalletFreezes{Wallet: WalletID, WalletName: "family", Freezes: []api.GroupFreeze{f}}, b.wallet("Freeze", ref, r)
}

// Unfreeze implements api.Backend: another cosigner has to be for it, too.
func (b *Backend) Unfreeze(_ context.Context, ref string, r api.UnfreezeWallet) (api.WalletFreezes, error) {
	return api.WalletFreezes{Wallet: WalletID, WalletName: "family", Freezes: []api.GroupFreeze{GroupFreeze()}}, b.wallet("Unfreeze", ref, r)
}

// GroupFreeze is a freeze that stands.
func GroupFreeze() api.GroupFreeze {
	return api.GroupFreeze{
		Freeze: strings.Repeat("4f", 32), By: Person("bob"), Reason: "my laptop is gone", Time: Now(),
		Lifts: []api.Person{Person("alice")}, Needed: 2,
	}
}
