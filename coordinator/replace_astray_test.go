package coordinator

import (
	"slices"
	"testing"

	"github.com/quorate/quorate/coordinator/event"
)

// A replacement counts whoever carries it, and so past its carrier's fork. Who
// holds it names it: else a member would be another one to each of the others.
func TestAReplacementPastAForkIsHandedOn(t *testing.T) {
	c := active(t, 2, 3)
	a, b, evil := c.peers[0], c.peers[1], c.peers[2]
	d := evil.stranger(20)
	first := *evil.nextPlace()
	hidden, shown := first, first
	begins := evil.forge(&hidden, &event.AddressLeased{Index: 5})
	a.must(EntryIn{begins})
	a.must(EntryIn{evil.forge(&hidden, d.replacing(evil, int(first.Seq)-1))})
	other := evil.forge(&shown, &event.AddressLeased{Index: 6})
	b.must(EntryIn{other})
	if slices.Equal(a.m.State.Members(), b.m.State.Members()) {
		t.Fatal("nothing is tested")
	}
	// Each hears of the other branch: of its first entry alone.
	a.must(EntryIn{other})
	b.must(EntryIn{begins})
	a.must(Tick{})
	for _, chain := range a.chains() {
		for _, e := range chain {
			if e.Header().Author == a.id() && !b.m.State.Chains().Has(e.ID()) {
				b.must(EntryIn{e})
			}
		}
	}
	wanted := b.m.Wanted()
	if len(wanted) != 1 {
		t.Fatalf("the other one looks for %d entries", len(wanted))
	}
	for _, e := range a.held {
		if e.ID() == wanted[0] {
			b.must(EntryIn{e})
		}
	}
	if !slices.Equal(a.m.State.Members(), b.m.State.Members()) {
		t.Errorf("the members are %x, and %x", a.m.State.Members(), b.m.State.Members())
	}
}
