package e2e_test

import (
	"os"
	"slices"
	"testing"
	"time"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/chain/chaintest"
	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/test/nodes"
)

// cutTime is how long the way to the Bitcoin network stays cut. A minute is
// what it is to stand; the tests that run every time cut it for less.
func cutTime(t testing.TB) time.Duration {
	t.Helper()
	text := os.Getenv("QUORATE_CUT")
	if text == "" {
		return 0
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// The way to the Bitcoin network is cut in the middle of a deposit, an approval
// and a broadcast: nothing is lost, nothing happens twice, and every node says
// what is wrong and since when.
func TestBitcoinNetworkIsCut(t *testing.T) {
	rpc := chaintest.NewProxy(t, world.Bitcoin.Host)
	p2p := chaintest.NewProxy(t, world.Bitcoin.P2P)
	var all []*node
	for i, backend := range []string{"core", "neutrino", "neutrino"} {
		all = append(all, world.New(t, nodes.Config{
			Name: string(rune('a' + i)), Backend: backend, RPC: "http://" + rpc.Addr, P2P: p2p.Addr,
		}).Start())
	}
	g := groupOf(t, 2, all...).Fund(40_000_000, 60_000_000)
	a, b := all[0].Synced(), all[1].Synced()
	addr := ask[api.Address](a, "address", walletName).Address
	p := ask[api.Proposed](a, pay(t, 70_000_000)...)
	b.Reaches(p.Proposal, api.StatusPending)

	cut := time.Now()
	rpc.Set(chaintest.Cut)
	p2p.Set(chaintest.Cut)
	// Whether it may still approve is its own view's to say: it must not pretend
	// to have broadcast.
	approved := b.Run("approve", p.Proposal).Status == 0
	world.PayTo(t, addr, 10_000_000)
	world.Mine(t, 2)
	for _, n := range all {
		world.Eventually(t, n.Name+" says what is wrong, and since when", func() bool {
			s := n.Health()
			return !s.Chain.Synced && s.Chain.Problem != "" && s.Chain.Since != nil
		})
	}
	// So long that what is known of the chain counts as old: the tick of a node may see
	// the cut two seconds late.
	long := max(cutTime(t), coordinator.StaleAfter+3*time.Second)
	world.Eventually(t, "the cut lasts", func() bool { return time.Since(cut) > long })
	for _, n := range all {
		if deposited(n) {
			t.Errorf("%s sees what it cannot have seen", n.Name)
		}
		if s := n.Run("proposal", "show", p.Proposal).Status; s != 0 {
			t.Errorf("%s does not answer: exit status %d", n.Name, s)
		}
		refused(t, n.Run(pay(t, 5_000_000, "--unsigned", "--fee-rate", "2")...), 4, refusal.ChainStale)
		if got := n.Health().Chain; got.Problem == "" || got.Since == nil {
			t.Errorf("%s says %+v", n.Name, got)
		}
	}

	rpc.Set(chaintest.Pass)
	p2p.Set(chaintest.Pass)
	for _, n := range all {
		world.Eventually(t, n.Name+" is well again", func() bool { s := n.Health(); return s.Chain.Synced && s.Chain.Problem == "" })
	}
	for _, n := range all {
		world.Eventually(t, n.Name+" sees the deposit of that time", func() bool { return deposited(n) })
	}
	if !approved {
		ask[api.Proposal](b, "approve", p.Proposal)
	}
	tx := world.Confirmed(t, p.Proposal, all...)
	balance(g, "all of it", func(b api.Balance) bool { return b.Confirmed == 40_000_000-p.Fee && b.Leased == 0 })
	for _, n := range all {
		h := ask[api.Page[api.HistoryItem]](n, "history", walletName)
		times := 0
		for _, item := range h.Items {
			if item.TxID == tx.TxID {
				times++
			}
		}
		if len(h.Items) != 4 || times != 1 {
			t.Errorf("%s: history of %d, with the spend %d times", n.Name, len(h.Items), times)
		}
		if w := n.Health().Wallets; len(w) != 1 || len(w[0].Alarms) != 0 {
			t.Errorf("%s: %+v", n.Name, w)
		}
	}
	for _, n := range all {
		n.Stop()
	}
}

// deposited says whether the node shows the deposit made while it was cut off.
func deposited(n *node) bool {
	return slices.ContainsFunc(n.Coins(), func(c api.Coin) bool { return c.Amount == 10_000_000 && c.Confirmations > 0 })
}
