package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/quorate/quorate/api"
)

// `status` and `wallet show` say of which addresses payments may be missing.
func TestIncompleteIsShown(t *testing.T) {
	w := api.WalletSummary{Name: "family", Incomplete: []api.AddressRange{{Branch: "receive", First: 120, Last: 239}}}
	var status, shown, none bytes.Buffer
	showStatus(&status, api.Status{Wallets: []api.WalletSummary{w}})
	showWallet(&shown, api.Wallet{WalletItem: api.WalletItem{WalletSummary: w}})
	for name, out := range map[string]string{"status": status.String(), "wallet show": shown.String()} {
		if !strings.Contains(out, "receive addresses 120 to 239") || !strings.Contains(out, "may not be known yet") {
			t.Errorf("%s shows\n%s", name, out)
		}
	}
	showWallet(&none, api.Wallet{})
	if strings.Contains(none.String(), "incomplete") {
		t.Errorf("nothing is missing, and it shows\n%s", none.String())
	}
}
