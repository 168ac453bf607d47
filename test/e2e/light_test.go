package e2e_test

import (
	"testing"

	"github.com/quorate/quorate/api"
)

// The main job where cosigners see the chain by themselves, with the chain
// reorganized between funding and spending and between broadcast and confirmation.
func TestSpendByLightClients(t *testing.T) {
	for name, backends := range map[string][]string{
		"all light":     {"neutrino", "neutrino", "neutrino"},
		"one light":     {"neutrino", "core", "core"},
		"one full node": {"core", "neutrino", "neutrino"},
	} {
		t.Run(name, func(t *testing.T) {
			var nodes []*node
			for i, b := range backends {
				nodes = append(nodes, newNodeOn(t, string(rune('a'+i)), b).Start())
			}
			g := groupOf(t, 2, nodes...)
			g.Fund(40_000_000, 60_000_000)
			spendAcrossReorgs(t, g)
			for _, n := range g.Nodes {
				n.Stop()
			}
		})
	}
}

func spendAcrossReorgs(t *testing.T, g *party) {
	t.Helper()
	a, b := g.Nodes[0], g.Nodes[1]
	// The deposits leave the chain with the six blocks, and come again.
	world.Mine(t, 5)
	balance(g, "six blocks deep", func(b api.Balance) bool { return b.Confirmed == 100_000_000 })
	reorg(t, 6)
	balance(g, "the deposits are out of the chain", func(b api.Balance) bool { return b.Confirmed == 0 && b.Spendable == 0 })
	world.Mine(t, 7)
	balance(g, "the deposits are in the chain again", func(b api.Balance) bool { return b.Spendable == 100_000_000 })

	p := ask[api.Proposed](a.Synced(), pay(t, 70_000_000)...)
	b.Synced().Reaches(p.Proposal, api.StatusPending)
	ask[api.Proposal](b, "approve", p.Proposal)
	for _, n := range g.Nodes {
		n.Reaches(p.Proposal, api.StatusBroadcast)
	}
	reorg(t, 6)
	tx := world.Confirmed(t, p.Proposal, g.Nodes...)
	if tx.TxID != p.TxID {
		t.Errorf("transaction %s, proposed was %s", tx.TxID, p.TxID)
	}
	balance(g, "the change is in the chain", func(b api.Balance) bool {
		return b.Confirmed == 30_000_000-p.Fee && b.Unconfirmed == 0 && b.Leased == 0
	})
	for _, n := range g.Nodes[1:] {
		same(t, a, n, "proposal", "show", p.Proposal)
		same(t, a, n, "coins", walletName)
	}
}

// balance waits until it is so on every node.
func balance(g *party, what string, holds func(api.Balance) bool) {
	g.T.Helper()
	for _, n := range g.Nodes {
		world.Eventually(g.T, n.Name+": "+what, func() bool { return holds(n.Wallet().Balance) })
	}
}

// reorg replaces the last blocks by empty ones and one more.
func reorg(t testing.TB, depth int) {
	t.Helper()
	if _, err := world.Bitcoin.Reorg(depth); err != nil {
		t.Fatal(err)
	}
}
