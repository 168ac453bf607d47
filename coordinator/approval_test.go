package coordinator

import (
	"testing"
	"time"

	"github.com/quorate/quorate/coordinator/event"
)

// Whoever repeats a signature, with whatever time, does not become the one who
// gave it.
func TestApprovalIsAsItsOwnerTellsIt(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(1_000_000)
	a, b, evil := c.peers[0], c.peers[1], c.peers[2]
	id := a.must(pay(1, 100_000)).(Proposed).Proposal
	c.settle()
	p, _ := b.m.State.Proposal(id)
	before := b.m.Approvals(p)
	var sigs []event.PartialSignature
	for _, s := range b.m.State.Signatures(p) {
		sigs = append(sigs, event.PartialSignature{Input: s.Input, Key: s.Key, Bytes: s.Bytes})
	}
	now := c.clock
	c.clock = time.UnixMilli(1)
	_, err := evil.wild(&event.SignatureCarried{Proposal: id, Signatures: sigs})
	c.clock = now
	if err != nil {
		t.Fatal(err)
	}
	c.settle()
	after := b.m.Approvals(p)
	if len(before) != 1 || len(after) != 1 || !after[0].Time.Equal(before[0].Time) {
		t.Fatalf("approvals before %+v, after %+v", before, after)
	}
}
