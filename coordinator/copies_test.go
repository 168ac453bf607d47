package coordinator

import (
	"bytes"
	"slices"
	"testing"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/wallet"
)

// again has a member enter a proposal's transaction again, changed, under the
// lowest id of some: where ids decide, it comes first.
func (p *peer) again(t *testing.T, q *group.Proposal, change func(*event.ProposalCreated)) *journal.Entry {
	t.Helper()
	next := p.nextPlace()
	first := *next
	b := *q.Body
	b.Inputs = slices.Clone(b.Inputs)
	change(&b)
	for n := 0; ; n++ {
		*next = first
		e := p.forge(next, &b)
		if id := e.ID(); bytes.Compare(id[:], q.Ref.ID[:]) < 0 {
			p.must(EntryIn{e})
			return e
		}
		if n == 100_000 {
			t.Fatal("no entry has a lower id")
		}
	}
}

// TestAFileIsMatchedWithWhatItIsOver: a transaction that a member entered again,
// with other amounts or as expired, keeps no signature of a file out.
func TestAFileIsMatchedWithWhatItIsOver(t *testing.T) {
	for name, change := range map[string]func(*event.ProposalCreated){
		"other amounts": func(b *event.ProposalCreated) { b.Inputs[0].Amount += 5 },
		"expired":       func(b *event.ProposalCreated) { b.Expires = 1 },
	} {
		c, d := externalGroup(t)
		a, evil, x := c.peers[0], c.peers[1], c.peers[2]
		p := a.must(c.of(100_000, pay(1, 40_000))).(Proposed)
		c.settle()
		prop, _ := evil.m.State.Proposal(p.Proposal)
		evil.again(t, prop, change)
		c.settle()
		x.must(Export{Proposal: p.Proposal})
		packet := x.packet(p.Proposal, 2)
		d.sign(x.m.State.Active().Descriptor, packet)
		q, sigs, err := x.m.MatchPSBT(packet)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if _, err := x.do(Import{Proposal: q.Ref.ID, Signatures: sigs}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got := x.status(p.Proposal); got != group.StatusFinal {
			t.Errorf("%s: %s after the second of two signatures", name, got)
		}
	}
}

// TestALieIsNoExport: the previous transactions in a file say what the coins hold.
func TestALieIsNoExport(t *testing.T) {
	c, _ := externalGroup(t)
	a, evil, x := c.peers[0], c.peers[1], c.peers[2]
	p := a.must(c.of(100_000, pay(1, 40_000))).(Proposed)
	c.settle()
	prop, _ := evil.m.State.Proposal(p.Proposal)
	e := evil.again(t, prop, func(b *event.ProposalCreated) { b.Inputs[0].Amount += 5 })
	c.settle()
	lie, _ := x.m.State.Proposal(e.ID())
	if _, _, err := x.m.PSBT(lie, 2); err == nil {
		t.Error("a file states another amount than the coin has")
	}
	for _, w := range []*peer{a, x} {
		if _, err := w.do(Export{Proposal: e.ID(), ForSigning: true}); ruleOf(err) != refusal.Coin {
			t.Errorf("%s exports a lie: %v", w.name, err)
		}
	}
	if _, err := a.do(Approve{Proposal: e.ID()}); ruleOf(err) != refusal.Coin {
		t.Errorf("approve: %v", err)
	}
}

// TestWhatOneCopyStatesIsItsOwn: expiry, withdrawal, votes, a declaration and the mark
// of the change of one entry of a transaction change nothing of another.
func TestWhatOneCopyStatesIsItsOwn(t *testing.T) {
	c := active(t, 2, 3)
	coins := c.fund(1_000_000)
	a, b, evil := c.peers[0], c.peers[1], c.peers[2]
	x := pay(1, 100_000)
	x.Coins = coins
	one := a.must(x).(Proposed).Proposal
	c.settle()
	p, _ := evil.m.State.Proposal(one)
	change := 0
	unmark := func(b *event.ProposalCreated) {
		b.Outputs = slices.Clone(b.Outputs)
		for i, o := range b.Outputs {
			if o.Change != nil {
				script, err := evil.m.State.Active().Descriptor.Script(wallet.BranchChange, *o.Change)
				if err != nil {
					t.Fatal(err)
				}
				b.Outputs[i] = event.ProposalOutput{PkScript: script.PkScript, Amount: o.Amount, Label: "rent"}
				change++
			}
		}
	}
	for _, lie := range []func(*event.ProposalCreated){
		func(b *event.ProposalCreated) { b.Expires = 1 },
		func(b *event.ProposalCreated) { b.Replaces = append(b.Replaces, p.TxID) },
		unmark,
	} {
		body := *p.Body
		lie(&body)
		e := evil.writes(t, &body)
		if q, _ := evil.m.State.Proposal(e.ID()); q.TxID != p.TxID {
			t.Fatal("another transaction")
		}
		evil.writes(t, &event.ProposalWithdrawn{Proposal: e.ID()}, &event.ProposalRejected{Proposal: e.ID()})
	}
	if change == 0 {
		t.Fatal("no change")
	}
	c.settle()
	for _, w := range []*peer{a, b} {
		if got := w.status(one); got != group.StatusPending {
			t.Errorf("%s: %s", w.name, got)
		}
	}
	q := pay(1, 90_000)
	if _, err := b.do(q); ruleOf(err) != refusal.Funds && ruleOf(err) != refusal.DoublePayment {
		t.Errorf("the payment is not known as one: %v", err)
	}
	b.must(Approve{Proposal: one})
	c.settle()
	if got := a.status(one); got != group.StatusFinal {
		t.Fatalf("after the second of two: %s", got)
	}
	got, _ := b.m.State.Proposal(one)
	if !a.broadcasts(got) && !b.broadcasts(got) {
		t.Error("it is not broadcast")
	}
	// The change is the wallet's, whatever a copy calls it.
	if paid := leaves(b.m.View, got); paid != 100_000 {
		t.Errorf("%d leave the wallet", paid)
	}
}
