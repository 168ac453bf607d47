package coordinator

import (
	"testing"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/journal"
)

// Chains that one key makes without end push nobody else's out of a claim.
func TestAClaimHoldsTheMembersFirst(t *testing.T) {
	c := active(t, 2, 3)
	a, b, z := c.peers[0], c.peers[1], c.peers[2]
	for n := range byte(6) {
		x := z.device(20 + n)
		x.m, x.Careless = b.m, true
		x.m.State = as(x.m.State, x.self)
		if _, err := b.wild(x.replacing(z, 3)); err != nil {
			t.Fatal(err)
		}
		b.pass(a)
		e, err := x.wild(&event.AddressLeased{Index: uint32(n)})
		if err != nil {
			t.Fatal(err)
		}
		_, _ = a.do(EntryIn{e}) // of the later ones nothing is taken
	}
	all := a.m.State.ClaimHeld(64 * int(journal.MaxIncarnation)).Frontier
	if len(all) < 3+2 {
		t.Fatalf("%d chains", len(all))
	}
	got := a.m.State.ClaimHeld(3).Frontier
	for _, p := range c.peers {
		if _, ok := got[journal.ChainKey{Author: p.id(), Incarnation: 1}]; !ok || len(got) != 3 {
			t.Errorf("the chain of %s is not among the %d claimed", p.name, len(got))
		}
	}
}
