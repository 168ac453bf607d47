package coordinator

import (
	"testing"

	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/wallet"
)

// What spends a deposit that is in no block can be paid more for, and taken back, and a
// coin of it be named, by the name that spending it has.
func TestWhatSpendsADepositIsBumpedByName(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(500_000)
	a, b := c.peers[0], c.peers[1]
	deposit := c.pays(wallet.BranchExternal, 9, 80_000)
	for _, x := range c.peers {
		x.sees(deposit)
	}
	named := []string{refusal.UnconfirmedParent}
	coin := pay(1, 30_000)
	coin.Coins = []wire.OutPoint{{Hash: deposit.TxHash()}}
	byName := coin
	byName.Allow = named
	if _, err := a.m.Preview(byName, a.input(nil)); err != nil {
		t.Errorf("the coin itself: %v", err)
	}
	r := a.proposed(Propose{Follows: FollowUp{Child: deposit.TxHash()}, FeeRate: 10_000, Allow: named})
	c.settle()
	b.must(Approve{Proposal: r.Ref.ID, Allow: named})
	c.settle()
	tx, err := a.m.State.FinalTx(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range c.peers {
		x.sees(tx)
	}
	for what, x := range map[string]Propose{
		"a bump": {Follows: FollowUp{Bump: r.Ref.ID}, FeeRate: 30_000}, "a cancel": {Follows: FollowUp{Cancel: r.Ref.ID}, FeeRate: 30_000},
	} {
		if _, err := a.m.Preview(x, a.input(nil)); !refusedBy(err, refusal.UnconfirmedParent) {
			t.Errorf("%s without the name: %v", what, err)
		}
		x.Allow = named
		if _, err := a.m.Preview(x, a.input(nil)); err != nil {
			t.Errorf("%s by name: %v", what, err)
		}
	}
	if _, err := a.m.Preview(byName, a.input(nil)); !refusedBy(err, refusal.Coin) {
		t.Errorf("the coin that is spent: %v", err)
	}
}
