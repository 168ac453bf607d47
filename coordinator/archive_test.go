package coordinator

import (
	"testing"

	"github.com/quorate/quorate/coordinator/refusal"
)

func TestArchivedWalletSignsNothing(t *testing.T) {
	c := active(t, 2, 3)
	a, b := c.peers[0], c.peers[1]
	a.must(Archive{}) // it is empty
	a.must(Archive{Undo: true})
	coin := c.fund(500_000)
	id := b.must(pay(1, 100_000)).(Proposed).Proposal
	c.settle()
	a.refused(refusal.NotEmpty, Archive{})
	a.must(Archive{Allow: []string{refusal.NotEmpty}})
	a.must(Archive{})
	a.crash()
	if a.m.Phase() != "archived" || b.m.Phase() != "active" {
		t.Fatalf("it is %s here and %s elsewhere", a.m.Phase(), b.m.Phase())
	}
	a.refused(refusal.Archived, Approve{Proposal: id})
	a.refused(refusal.Archived, Export{Proposal: id, ForSigning: true})
	a.refused(refusal.Archived, pay(2, 100_000))
	a.refused(refusal.Archived, LeaseAddress{})
	// It goes on to know what happens.
	b.must(Withdraw{Proposal: id})
	x := pay(3, 50_000)
	x.Coins = coin
	next := c.peers[2].must(x).(Proposed).Proposal
	c.settle()
	if _, ok := a.m.State.Proposal(next); !ok {
		t.Error("an archived wallet takes no entries")
	}
	a.must(Archive{Undo: true})
	a.must(Approve{Proposal: next})

	forming := newCircle(t, 2, 3)
	forming.peers[0].refused(refusal.NotActive, Archive{})
	forming.peers[0].must(Abandon{})
	forming.peers[0].must(Archive{})
}
