package coordinator

import (
	"testing"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/mapkey"
)

// A member who proposes to spend each coin leases 64 of them and no more: others
// propose without naming a coin.
func TestNoMemberLeasesAllCoins(t *testing.T) {
	c := active(t, 2, 3)
	amounts := make([]int64, 0, maxLeasing+6)
	for range cap(amounts) {
		amounts = append(amounts, 100_000)
	}
	coins := c.fund(amounts...)
	a, evil := c.peers[0], c.peers[2]
	for i, o := range coins {
		if _, err := evil.wild(&event.ProposalCreated{
			Inputs:  []event.ProposalInput{{TxID: o.Hash, Vout: o.Index, Amount: amounts[i], Index: uint32(i)}},
			Outputs: []event.ProposalOutput{{PkScript: recipient(1), Amount: 90_000}},
		}); err != nil {
			t.Fatal(err)
		}
	}
	c.settle()
	leased, free := 0, map[mapkey.ByCoin]bool{}
	for _, coin := range Coins(a.m.State, a.m.View, *a.clock) {
		if len(coin.LeasedBy) > 0 {
			leased++
		} else {
			free[mapkey.Coin(coin.OutPoint)] = true
		}
	}
	if leased != maxLeasing || len(free) != len(coins)-maxLeasing {
		t.Fatalf("%d coins are leased, %d are free", leased, len(free))
	}
	id := a.must(pay(2, 50_000)).(Proposed).Proposal
	p, _ := a.m.State.Proposal(id)
	for _, i := range p.Body.Inputs {
		if !free[mapkey.Coin(i.OutPoint())] {
			t.Errorf("it spends a leased coin")
		}
	}
	// One that is leased is taken where it is named.
	named := pay(3, 60_000)
	for _, o := range coins {
		if !free[mapkey.Coin(o)] {
			named.Coins = append(named.Coins, o)
			break
		}
	}
	a.must(named)
}
