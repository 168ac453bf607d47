package e2e_test

import (
	"strings"
	"testing"

	"github.com/quorate/quorate/api"
)

// A member who founds a second wallet with a victim cannot have the victim's
// commands for the first go to it: neither by the first one's id nor by its name.
func TestAWalletIsNotTakenForAnother(t *testing.T) {
	victim, attacker := newNode(t, "victim").Start(), newNode(t, "attacker").Start()
	first := groupOf(t, 2, victim, attacker)
	peek := func(wallet string) string { return ask[api.Address](victim, "address", wallet, "--peek").Address }
	before := peek(first.ID)

	for _, name := range []string{first.ID, first.ID[:12], strings.ToUpper(first.ID[:12])} {
		if r := attacker.Run("wallet", "create", name, "--threshold", "1", "--cosigners", "2"); r.Status != 4 || !strings.Contains(r.Err, "looks like an id") {
			t.Errorf("a wallet named %s: exit status %d: %s", name, r.Status, r.Err)
		}
	}
	if r := attacker.Run("wallet", "create", walletName, "--threshold", "1", "--cosigners", "2"); r.Status != 4 {
		t.Errorf("a second wallet of one name: exit status %d: %s", r.Status, r.Err)
	}
	// The attacker calls the first otherwise, and founds one of its name.
	if renamed := ask[api.WalletSummary](attacker, "wallet", "rename", first.ID, "ours"); renamed.Name != "ours" || renamed.FounderName != walletName {
		t.Errorf("renamed: %+v", renamed)
	}
	made := ask[api.WalletInvites](attacker, "wallet", "create", walletName, "--threshold", "1", "--cosigners", "2")
	joined := read[api.WalletSummary](t, victim.RunWith(made.Invites[0], "wallet", "join", "-", "--wait"))
	second := made.Wallet
	world.Eventually(t, "the victim has read the second wallet's name", func() bool {
		return ask[api.Wallet](victim, "wallet", "show", second).Words != nil
	})
	w := ask[api.Wallet](victim, "wallet", "show", second)
	if w.Name != walletName+"-"+second[:8] || w.FounderName != walletName {
		t.Errorf("the second is called %q, by its founder %q; joined as %q", w.Name, w.FounderName, joined.Name)
	}
	for _, n := range []*node{attacker, victim} {
		ask[api.Ratified](n, "wallet", "ratify", second, "--words", *w.Words)
	}
	world.Eventually(t, "the second wallet is active", func() bool {
		return ask[api.Wallet](victim, "wallet", "show", second).State == "active"
	})
	ofSecond := peek(second)
	for _, ref := range []string{first.ID, first.ID[:12], walletName} {
		if got := peek(ref); got != before || got == ofSecond {
			t.Errorf("%s leads to %s, was %s; of the second wallet is %s", ref, got, before, ofSecond)
		}
	}
	// It is so after a restart.
	victim.Stop()
	victim.Start()
	if got := peek(walletName); got != before {
		t.Errorf("after a restart the name leads to %s, was %s", got, before)
	}
	if got := peek(w.Name); got != ofSecond {
		t.Errorf("the second's name leads to %s, was %s", got, ofSecond)
	}
}
