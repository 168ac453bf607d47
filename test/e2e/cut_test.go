package e2e_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/chain/chaintest"
	"github.com/quorate/quorate/wallet"
)

// cutTime is how long the way to the Bitcoin network stays cut. A minute is
// what it is to stand; the tests that run every time cut it for less.
func cutTime(t testing.TB) time.Duration {
	t.Helper()
	text := os.Getenv("QUORATE_CUT")
	if text == "" {
		return 5 * time.Second
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
	rpc := chaintest.NewProxy(t, world.bitcoin.Host)
	p2p := chaintest.NewProxy(t, world.bitcoin.P2P)
	// Short: there is a Unix socket in it.
	dir, err := os.MkdirTemp(world.dir, "cut-")
	if err != nil {
		t.Fatal(err)
	}
	var nodes []*node
	for i, backend := range []string{"core", "neutrino", "neutrino"} {
		name := string(rune('a' + i))
		nodes = append(nodes, nodeIn(t, name, filepath.Join(dir, name), backend, "http://"+rpc.Addr, p2p.Addr).start())
	}
	g := groupOf(t, 2, nodes...).fund(40_000_000, 60_000_000)
	a, b := nodes[0].synced(), nodes[1].synced()
	addr := ask[api.Address](a, "address", walletName).Address
	p := ask[api.Proposed](a, pay(t, 70_000_000)...)
	b.reaches(p.Proposal, api.StatusPending)

	cut := time.Now()
	rpc.Set(chaintest.Cut)
	p2p.Set(chaintest.Cut)
	// Whether it may still approve is its own view's to say: it must not pretend
	// to have broadcast.
	approved := b.run("approve", p.Proposal).status == 0
	script, err := wallet.ParseAddress(addr, wallet.Regtest)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := world.bitcoin.Fund(script, 10_000_000); err != nil {
		t.Fatal(err)
	}
	mine(t, 2)
	for _, n := range nodes {
		eventually(t, n.name+" says what is wrong, and since when", func() bool {
			s := n.health()
			return !s.Chain.Synced && strings.Contains(s.Chain.Problem, "(since 20")
		})
	}
	long := cutTime(t)
	eventually(t, "the cut lasts", func() bool { return time.Since(cut) > long })
	for _, n := range nodes {
		if n.deposited() {
			t.Errorf("%s sees what it cannot have seen", n.name)
		}
		if s := n.run("proposal", "show", p.Proposal).status; s != 0 {
			t.Errorf("%s does not answer: exit status %d", n.name, s)
		}
		if got := n.health().Chain.Problem; !strings.Contains(got, "(since 20") {
			t.Errorf("%s says %q", n.name, got)
		}
	}

	rpc.Set(chaintest.Pass)
	p2p.Set(chaintest.Pass)
	for _, n := range nodes {
		eventually(t, n.name+" is well again", func() bool { s := n.health(); return s.Chain.Synced && s.Chain.Problem == "" })
	}
	for _, n := range nodes {
		eventually(t, n.name+" sees the deposit of that time", n.deposited)
	}
	if !approved {
		ask[api.Proposal](b, "approve", p.Proposal)
	}
	tx := confirmed(t, p.Proposal, nodes...)
	g.balance("all of it", func(b api.Balance) bool { return b.Confirmed == 40_000_000-p.Fee && b.Leased == 0 })
	for _, n := range nodes {
		h := ask[api.Page[api.HistoryItem]](n, "history", walletName)
		times := 0
		for _, item := range h.Items {
			if item.TxID == tx.TxID {
				times++
			}
		}
		if len(h.Items) != 4 || times != 1 {
			t.Errorf("%s: history of %d, with the spend %d times", n.name, len(h.Items), times)
		}
		if w := n.health().Wallets; len(w) != 1 || len(w[0].Alarms) != 0 {
			t.Errorf("%s: %+v", n.name, w)
		}
	}
	for _, n := range nodes {
		n.stop()
	}
}

// deposited says whether the node shows the deposit made while it was cut off.
func (n *node) deposited() bool {
	return slices.ContainsFunc(n.coins(), func(c api.Coin) bool { return c.Amount == 10_000_000 && c.Confirmations > 0 })
}

func (n *node) health() api.Status {
	n.t.Helper()
	s, err := n.client.Status(context.Background())
	if err != nil {
		n.t.Fatalf("%s: status: %v", n.name, err)
	}
	return s
}
