package e2e_test

import (
	"context"
	"testing"

	"github.com/quorate/quorate/api"
)

func proposals(n *node) []api.Proposal {
	n.t.Helper()
	return ask[api.Page[api.Proposal]](n, "proposals", walletName).Items
}

// What `propose` answered survives a kill -9 right after it, on a node that
// nobody else was connected to; the same request id never makes a second one.
func TestProposerIsKilledAfterItsAnswer(t *testing.T) {
	g := newGroup(t, 2, 3).fund(50_000_000, 50_000_000)
	a, b, c := g.nodes[0], g.nodes[1], g.nodes[2]
	b.stop()
	c.stop()
	line := pay(t, 20_000_000, "--request-id", "order 7", "--note", "once")
	p := ask[api.Proposed](a, line...)
	a.kill9()

	a.start().synced()
	if again := ask[api.Proposed](a, line...); again.Proposal != p.Proposal || again.TxID != p.TxID {
		t.Errorf("the same request made another proposal: %+v, then %+v", p, again)
	}
	// Killed in the middle, before or after it was durable: still one.
	second := pay(t, 30_000_000, "--request-id", "order 8")
	for _, late := range []bool{false, true} {
		a.proposeAndDie(second, late)
		a.start().synced()
	}
	q := ask[api.Proposed](a, second...)
	all := proposals(a)
	if len(all) != 2 || all[1].Proposal != p.Proposal || all[0].Proposal != q.Proposal {
		t.Fatalf("two requests made %d proposals", len(all))
	}
	if got := all[1].Approvals; len(got) != 1 || got[0].Cosigner.Name != "a" {
		t.Errorf("approvals after the kill: %+v", got)
	}

	b.start()
	c.start()
	b.reaches(p.Proposal, api.StatusPending)
	ask[api.Proposal](b, "approve", p.Proposal)
	confirmed(t, p.Proposal, a, b, c)
	if n := len(proposals(c)); n != 2 {
		t.Errorf("c knows %d proposals", n)
	}
}

// proposeAndDie starts a `propose` and kills the node before it answers: at
// once, or late, when the node tells of the proposal.
func (n *node) proposeAndDie(line []string, late bool) {
	n.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	events, err := n.client.Subscribe(ctx)
	if err != nil {
		n.t.Fatal(err)
	}
	running := n.command(append([]string{"--json"}, line...)...)
	if err := running.Start(); err != nil {
		n.t.Fatal(err)
	}
	for late {
		e, open := <-events
		if !open {
			n.t.Fatal("the node told of no proposal")
		}
		late = e.Proposal == ""
	}
	n.kill9()
	// It was answered or cut off.
	_ = running.Wait()
}

// What `approve` answered survives a kill -9 right after it, on a node that
// nobody else was connected to.
func TestApproverIsKilledAfterItsAnswer(t *testing.T) {
	g := newGroup(t, 2, 3).fund(50_000_000)
	a, b, c := g.nodes[0], g.nodes[1], g.nodes[2]
	p := ask[api.Proposed](a, pay(t, 20_000_000)...)
	b.reaches(p.Proposal, api.StatusPending)
	a.stop()
	c.stop()
	ask[api.Proposal](b, "approve", p.Proposal)
	b.kill9()

	b.start()
	got := ask[api.Proposal](b, "proposal", "show", p.Proposal)
	if len(got.Approvals) != 2 || got.WTxID == nil {
		t.Fatalf("after the kill: %+v", got)
	}
	ask[api.Proposal](b, "wait", p.Proposal, "--status", "broadcast")
	a.start()
	c.start()
	confirmed(t, p.Proposal, a, b, c)
	same(t, b, a, "proposal", "show", p.Proposal)
	same(t, b, c, "proposal", "show", p.Proposal)
}

// The others finish without the proposer.
func TestProposerIsGoneForGood(t *testing.T) {
	g := newGroup(t, 2, 3).fund(50_000_000)
	a, b, c := g.nodes[0], g.nodes[1], g.nodes[2]
	p := ask[api.Proposed](a, pay(t, 20_000_000)...)
	b.reaches(p.Proposal, api.StatusPending)
	c.reaches(p.Proposal, api.StatusPending)
	a.kill9()
	ask[api.Proposal](c, "approve", p.Proposal)
	ask[api.Proposal](b, "wait", p.Proposal, "--status", "final")
	confirmed(t, p.Proposal, b, c)
	same(t, b, c, "proposal", "show", p.Proposal)
	// And they can go on.
	q := ask[api.Proposed](b, pay(t, 10_000_000)...)
	c.reaches(q.Proposal, api.StatusPending)
	ask[api.Proposal](c, "approve", q.Proposal)
	confirmed(t, q.Proposal, b, c)
}

// Of two proposals on the same coin one is mined; the other ends, and holds
// nothing back.
func TestTwoProposalsOnTheSameCoins(t *testing.T) {
	g := newGroup(t, 2, 3).fund(50_000_000)
	a, b, c := g.nodes[0], g.nodes[1], g.nodes[2]
	coin := a.coins()[0].OutPoint
	made := make(chan answer, 1)
	go func() { made <- b.run(pay(t, 21_000_000, "--coin", coin)...) }()
	p := ask[api.Proposed](a, pay(t, 20_000_000, "--coin", coin)...)
	q := read[api.Proposed](t, <-made)
	for _, n := range g.nodes {
		n.reaches(p.Proposal, api.StatusPending)
		n.reaches(q.Proposal, api.StatusPending)
		if shown := ask[api.Proposal](n, "proposal", "show", q.Proposal); len(shown.Conflicts) != 1 || shown.Conflicts[0] != p.Proposal {
			t.Errorf("%s shows conflicts %v", n.name, shown.Conflicts)
		}
		if got := n.coins(); len(got) != 1 || got[0].LeasedBy == nil {
			t.Errorf("%s does not show the coin as leased: %+v", n.name, got)
		}
	}
	ask[api.Proposal](c, "approve", p.Proposal)
	// c has signed for the coin: its guard refuses the other.
	refused(t, c.run("approve", q.Proposal), 4, "sign_guard")
	tx := confirmed(t, p.Proposal, a, b, c)
	if tx.TxID != p.TxID {
		t.Errorf("mined %s", tx.TxID)
	}
	for _, n := range g.nodes {
		n.reaches(q.Proposal, api.StatusConflicted)
		refused(t, n.run("wait", q.Proposal, "--status", "final"), 4, "conflicted")
		if got := n.coins(); len(got) != 1 || got[0].LeasedBy != nil {
			t.Errorf("%s: a coin stays leased: %+v", n.name, got)
		}
		if w := n.wallet(); w.Balance.Leased != 0 || w.Balance.Spendable != 30_000_000-p.Fee {
			t.Errorf("%s: balance %+v", n.name, w.Balance)
		}
	}
	same(t, a, b, "proposals", walletName)
	same(t, a, c, "proposals", walletName)
}
