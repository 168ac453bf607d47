package coordinator

import (
	"slices"
	"testing"

	"github.com/btcsuite/btcd/chainhash/v2"

	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/journal"
)

// warnedOf fails unless whoever looks at a pending proposal is told of a rule that
// refuses to approve it.
func (p *peer) warnedOf(id journal.EntryID, rule string) {
	p.tb.Helper()
	x, ok := p.m.State.Proposal(id)
	if !ok || p.m.State.Active() == nil || p.m.Status(x, *p.clock) != group.StatusPending {
		return
	}
	if !slices.ContainsFunc(p.m.Warn(x, *p.clock, 0, port.Policy{}), func(r *refusal.Refusal) bool { return r.Rule == rule }) {
		p.tb.Errorf("%s: approving is refused by %s, and showing warns of %v", p.name, rule, p.m.Warn(x, *p.clock, 0, port.Policy{}))
	}
}

// A replacement that pays too little is shown as what it is.
func TestShowingWarnsOfAReplacementThatPaysTooLittle(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(1_000_000)
	a, b := c.peers[0], c.peers[1]
	one := a.must(pay(1, 100_000)).(Proposed).Proposal
	c.settle()
	b.must(Approve{Proposal: one})
	c.settle()
	body := draftOf(b, one)
	p, _ := b.m.State.Proposal(one)
	body.Replaces = []chainhash.Hash{p.TxID}
	body.Outputs = slices.Clone(body.Outputs)
	for i, o := range body.Outputs {
		if body.Outputs[i].Amount--; o.Change == nil {
			body.Outputs[i].Amount += 2
		}
	}
	two := b.force(&body)
	c.settle()
	a.refused(refusal.ReplaceFee, Approve{Proposal: two})
	a.warnedOf(two, refusal.ReplaceFee)
	if x, _ := a.m.State.Proposal(two); a.m.Status(x, c.clock) != group.StatusPending {
		t.Fatal("nothing is tested")
	}
}
