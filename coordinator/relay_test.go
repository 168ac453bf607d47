package coordinator

import (
	"fmt"
	"slices"
	"testing"

	"github.com/btcsuite/btcd/chainhash/v2"
	"pgregory.net/rapid"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/wallet"
)

// at is a payment at a fee rate, in satoshis per 1,000 vbytes.
func at(x Propose, rate wallet.FeeRate, allow ...string) Propose {
	x.FeeRate, x.Allow = rate, allow
	return x
}

// A fee rate that this node's Bitcoin node does not take is refused before anybody signs,
// and can be allowed by name.
func TestAFeeBelowWhatTheNodeTakesIsRefused(t *testing.T) {
	c := active(t, 2, 3)
	for range 3 {
		c.fund(1_000_000)
	}
	a := c.peers[0]
	a.refused(refusal.FeeTooLow, at(pay(1, 100_000), 50)) // 0.1 sat/vB is what any takes
	a.policy = port.Policy{MinFeeRate: 3000}
	a.refused(refusal.FeeTooLow, at(pay(1, 100_000), 2900))
	a.must(at(pay(1, 100_000), 2900, refusal.FeeTooLow))
	a.must(at(pay(2, 100_000), 3000))
	a.policy = port.Policy{MinFeeRate: 100}
	a.must(at(pay(3, 100_000), 100))
}

// What a replacement pays at least follows the node, too.
func TestTheReplacementFloorIsTheNodes(t *testing.T) {
	c := active(t, 1, 1)
	c.fund(1_000_000)
	a := c.peers[0]
	p := a.proposed(at(pay(1, 100_000), 2000))
	x := pay(1, 100_000)
	x.Replaces = append(x.Replaces, p.Ref.ID)
	a.refused(refusal.ReplaceFee, at(x, 2500))
	a.policy = port.Policy{Incremental: 100}
	a.refused(refusal.ReplaceFee, at(x, 2010))
	q := a.proposed(at(x, 2500))
	a.policy = port.Policy{}
	x.Replaces = append(x.Replaces, q.Ref.ID)
	a.must(at(x, 2600, refusal.ReplaceFee))
}

// Selection builds no longer chain of unconfirmed transactions than the node takes, and
// who names such a coin has to allow it by name.
func TestNoChainIsLongerThanTheNodeTakes(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		limit := rapid.IntRange(2, 8).Draw(r, "limit")
		policy := port.Policy{Ancestors: limit}
		if rapid.Bool().Draw(r, "clusters") {
			policy = port.Policy{Cluster: limit}
		}
		c := active(t, 1, 1)
		c.fund(1_000_000)
		a := c.peers[0]
		a.policy = policy
		for i := range limit {
			p := a.proposed(pay(byte(i), 1_000))
			a.must(Broadcasted{TxID: p.TxID, Reach: port.ReachNode})
		}
		if _, err := a.do(pay(100, 1_000)); rule(err) != refusal.Funds {
			r.Fatalf("%d are taken of %d: %v", limit+1, limit, err)
		}
		x := pay(100, 1_000)
		for _, coin := range Coins(a.m.State, a.m.View, c.clock) {
			x.Coins = append(x.Coins, coin.OutPoint)
		}
		if _, err := a.do(x); rule(err) != refusal.ChainTooLong {
			r.Fatalf("a coin that was named: %v", err)
		}
		x.Allow = []string{refusal.ChainTooLong}
		a.must(x)
	})
}

// Beyond what most of the network takes there is a warning where the node itself takes more.
func TestALongChainIsWarnedOf(t *testing.T) {
	c := active(t, 1, 1)
	c.fund(1_000_000)
	a := c.peers[0]
	a.policy = port.Policy{Cluster: 64}
	for i := range port.MaxAncestors + 1 {
		p := a.proposed(pay(byte(i), 1_000))
		var codes []string
		for _, w := range a.m.Warn(p, c.clock, 0, a.policy) {
			codes = append(codes, w.Rule)
		}
		if got := slices.Contains(codes, refusal.ChainTooLong); got != (i >= port.MaxAncestors) {
			t.Errorf("resting on %d: %v", i, codes)
		}
		a.must(Broadcasted{TxID: p.TxID, Reach: port.ReachNode})
	}
}

// What an unconfirmed transaction rests on, and what it is connected with, is counted
// once each, whatever the order.
func TestAbove(t *testing.T) {
	c := active(t, 1, 1)
	c.fund(1_000_000)
	a := c.peers[0]
	var ids []chainhash.Hash
	for i := range 5 {
		ids = append(ids, a.proposed(pay(byte(i), 1_000)).TxID)
		a.must(Broadcasted{TxID: ids[i], Reach: port.ReachNode})
	}
	if got := slices.Collect(a.m.View.Above(ids[4])); len(got) != 5 || got[0] != ids[4] || got[4] != ids[0] {
		t.Errorf("above the last: %v", got)
	}
	for i, id := range ids {
		if n := a.m.View.Around(func(chainhash.Hash) bool { return false }, id, ids[0]); n != 5 {
			t.Errorf("around the %s: %d", fmt.Sprint(i), n)
		}
	}
}
