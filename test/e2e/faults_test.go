package e2e_test

import (
	"context"
	"testing"

	"github.com/quorate/quorate/api"
)

func proposals(n *node) []api.Proposal {
	n.T.Helper()
	return ask[api.Page[api.Proposal]](n, "proposals", walletName).Items
}

// What `propose` answered survives a kill -9 right after it, on a node that
// nobody else was connected to; the same request id never makes a second one.
func TestProposerIsKilledAfterItsAnswer(t *testing.T) {
	g := newGroup(t, 2, 3).Fund(50_000_000, 50_000_000)
	a, b, c := g.Nodes[0], g.Nodes[1], g.Nodes[2]
	b.Stop()
	c.Stop()
	line := pay(t, 20_000_000, "--request-id", "order 7", "--note", "once")
	p := ask[api.Proposed](a, line...)
	a.Kill()

	a.Start().Synced()
	if again := ask[api.Proposed](a, line...); again.Proposal != p.Proposal || again.TxID != p.TxID {
		t.Errorf("the same request made another proposal: %+v, then %+v", p, again)
	}
	// Killed in the middle, before or after it was durable: still one.
	second := pay(t, 30_000_000, "--request-id", "order 8")
	for _, late := range []bool{false, true} {
		proposeAndDie(a, second, late)
		a.Start().Synced()
	}
	q := ask[api.Proposed](a, second...)
	all := proposals(a)
	if len(all) != 2 || all[1].Proposal != p.Proposal || all[0].Proposal != q.Proposal {
		t.Fatalf("two requests made %d proposals", len(all))
	}
	if got := all[1].Approvals; len(got) != 1 || got[0].Cosigner.Name != "a" {
		t.Errorf("approvals after the kill: %+v", got)
	}

	b.Start().Synced()
	c.Start()
	b.Reaches(p.Proposal, api.StatusPending)
	ask[api.Proposal](b, "approve", p.Proposal)
	world.Confirmed(t, p.Proposal, a, b, c)
	if n := len(proposals(c)); n != 2 {
		t.Errorf("c knows %d proposals", n)
	}
}

// proposeAndDie starts a `propose` and kills the node before it answers: at
// once, or late, when the node tells of the proposal.
func proposeAndDie(n *node, line []string, late bool) {
	n.T.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	events, err := n.Client.Subscribe(ctx)
	if err != nil {
		n.T.Fatal(err)
	}
	running := n.Command(append([]string{"--json"}, line...)...)
	if err := running.Start(); err != nil {
		n.T.Fatal(err)
	}
	for late {
		e, open := <-events
		if !open {
			n.T.Fatal("the node told of no proposal")
		}
		late = e.Proposal == ""
	}
	n.Kill()
	// It was answered or cut off.
	_ = running.Wait()
}

// What `approve` answered survives a kill -9 right after it, on a node that
// nobody else was connected to.
func TestApproverIsKilledAfterItsAnswer(t *testing.T) {
	g := newGroup(t, 2, 3).Fund(50_000_000)
	a, b, c := g.Nodes[0], g.Nodes[1], g.Nodes[2]
	p := ask[api.Proposed](a, pay(t, 20_000_000)...)
	b.Reaches(p.Proposal, api.StatusPending)
	a.Stop()
	c.Stop()
	ask[api.Proposal](b, "approve", p.Proposal)
	b.Kill()

	b.Start()
	got := ask[api.Proposal](b, "proposal", "show", p.Proposal)
	if len(got.Approvals) != 2 || got.WTxID == nil {
		t.Fatalf("after the kill: %+v", got)
	}
	ask[api.Proposal](b, "wait", p.Proposal, "--status", "broadcast")
	a.Start()
	c.Start()
	world.Confirmed(t, p.Proposal, a, b, c)
	same(t, b, a, "proposal", "show", p.Proposal)
	same(t, b, c, "proposal", "show", p.Proposal)
}

// The others finish without the proposer.
func TestProposerIsGoneForGood(t *testing.T) {
	g := newGroup(t, 2, 3).Fund(50_000_000)
	a, b, c := g.Nodes[0], g.Nodes[1], g.Nodes[2]
	p := ask[api.Proposed](a, pay(t, 20_000_000)...)
	b.Reaches(p.Proposal, api.StatusPending)
	c.Reaches(p.Proposal, api.StatusPending)
	a.Kill()
	ask[api.Proposal](c, "approve", p.Proposal)
	ask[api.Proposal](b, "wait", p.Proposal, "--status", "final")
	world.Confirmed(t, p.Proposal, b, c)
	same(t, b, c, "proposal", "show", p.Proposal)
	// And they can go on.
	q := ask[api.Proposed](b, pay(t, 10_000_000)...)
	c.Reaches(q.Proposal, api.StatusPending)
	ask[api.Proposal](c, "approve", q.Proposal)
	world.Confirmed(t, q.Proposal, b, c)
}

// Of two proposals on the same coin one is mined; the other ends, and holds
// nothing back.
func TestTwoProposalsOnTheSameCoins(t *testing.T) {
	g := newGroup(t, 2, 3).Fund(50_000_000)
	a, b, c := g.Nodes[0], g.Nodes[1], g.Nodes[2]
	coin := a.Coins()[0].OutPoint
	made := make(chan answer, 1)
	go func() { made <- b.Run(pay(t, 21_000_000, "--coin", coin)...) }()
	p := ask[api.Proposed](a, pay(t, 20_000_000, "--coin", coin)...)
	q := read[api.Proposed](t, <-made)
	for _, n := range g.Nodes {
		n.Reaches(p.Proposal, api.StatusPending)
		n.Reaches(q.Proposal, api.StatusPending)
		if shown := ask[api.Proposal](n, "proposal", "show", q.Proposal); len(shown.Conflicts) != 1 || shown.Conflicts[0] != p.Proposal {
			t.Errorf("%s shows conflicts %v", n.Name, shown.Conflicts)
		}
		if got := n.Coins(); len(got) != 1 || got[0].LeasedBy == nil {
			t.Errorf("%s does not show the coin as leased: %+v", n.Name, got)
		}
	}
	ask[api.Proposal](c, "approve", p.Proposal)
	// c has signed for the coin: its guard refuses the other.
	refused(t, c.Run("approve", q.Proposal), 4, "sign_guard")
	tx := world.Confirmed(t, p.Proposal, a, b, c)
	if tx.TxID != p.TxID {
		t.Errorf("mined %s", tx.TxID)
	}
	for _, n := range g.Nodes {
		n.Reaches(q.Proposal, api.StatusConflicted)
		refused(t, n.Run("wait", q.Proposal, "--status", "final"), 4, "conflicted")
		if got := n.Coins(); len(got) != 1 || got[0].LeasedBy != nil {
			t.Errorf("%s: a coin stays leased: %+v", n.Name, got)
		}
		if w := n.Wallet(); w.Balance.Leased != 0 || w.Balance.Spendable != 30_000_000-p.Fee {
			t.Errorf("%s: balance %+v", n.Name, w.Balance)
		}
	}
	same(t, a, b, "proposals", walletName)
	same(t, a, c, "proposals", walletName)
}
