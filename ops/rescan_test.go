package ops

import (
	"testing"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/app"
	"github.com/quorate/quorate/coordinator/refusal"
)

// TestRescanWallet: a running node looks at the chain again from any block that
// there is, and ends with what it had.
func TestRescanWallet(t *testing.T) {
	d, w := newGroup(t, 2, 3)
	ctx, n := t.Context(), d.nodes[0]
	if err := d.fund(ctx, w.Wallet); err != nil {
		t.Fatal(err)
	}
	if _, err := d.chain.Mine(3, d.chain.FaucetScript()); err != nil {
		t.Fatal(err)
	}
	before, err := n.Wallet(ctx, w.Wallet)
	if err != nil || before.Balance.Confirmed == 0 {
		t.Fatalf("%+v, %v", before.Balance, err)
	}
	best, err := d.chain.Tip(ctx)
	if err != nil {
		t.Fatal(err)
	}
	tip := best.Height
	for _, from := range []int32{tip + 1, 1<<30 - 1, tip} { // the last is above its coins
		if _, err := n.RescanWallet(ctx, w.Wallet, api.RescanWallet{From: from}); err == nil || codeOf(t, err) != refusal.BadHeight {
			t.Errorf("from %d: %v", from, err)
		}
	}
	a := actor(t, n, w.Wallet)
	for _, from := range []int32{0, 2} {
		if _, err := n.RescanWallet(ctx, w.Wallet, api.RescanWallet{From: from}); err != nil {
			t.Fatal(err)
		}
		if err := d.untilOn(ctx, n, "the scan to be done", func(n *app.Node) (bool, error) {
			return a.Machine().View.Synced(), nil
		}); err != nil {
			t.Fatal(err)
		}
		if got, err := n.Wallet(ctx, w.Wallet); err != nil || got.Balance != before.Balance {
			t.Errorf("after a rescan from %d: %+v, before: %+v, %v", from, got.Balance, before.Balance, err)
		}
	}
}
