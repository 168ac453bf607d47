package coordinator

import (
	"slices"
	"testing"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
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
	for _, chain := range a.Chains() {
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
	for _, e := range a.Held {
		if e.ID() == wanted[0] {
			b.must(EntryIn{e})
		}
	}
	if !slices.Equal(a.m.State.Members(), b.m.State.Members()) {
		t.Errorf("the members are %x, and %x", a.m.State.Members(), b.m.State.Members())
	}
}

// A founder who forks its chain where it admitted the others, and closed the
// roster, takes neither from a device that comes later: the others name both.
func TestARosterPastAForkIsHandedOn(t *testing.T) {
	c, invites := founded(t, 2, 3, 3)
	evil, a, lost := c.peers[0], c.peers[1], c.peers[2]
	early := evil.m
	for i, p := range c.peers[1:] {
		c.join(p, invites[i], p.key())
	}
	c.settle()
	r, ok := a.m.State.Roster()
	if !ok {
		t.Fatal("no roster")
	}
	for _, p := range c.peers {
		p.must(Ratify{Words: r.Words()})
	}
	c.settle()
	a.must(ChainIn{port.ChainNotice{Kind: port.CaughtUp}})
	late := evil.m
	evil.m = early
	other, err := evil.wild(&event.StanzaFailed{Epoch: journal.EpochID{1}})
	if err != nil {
		t.Fatal(err)
	}
	evil.m = late
	a.must(EntryIn{other})
	d := lost.device(9)
	d.takePlace(a, lost)
	// They talk as the transport lets them: chains in order up to a fork, what
	// proves the fork, and what is wanted by id.
	for range 6 {
		for _, chain := range a.Chains() {
			for _, e := range chain {
				if f := a.m.State.Chains().ForkedAt(e.Chain()); (f == 0 || e.Position().Seq < f) && !d.m.State.Chains().Has(e.ID()) {
					_, _ = d.do(EntryIn{e}) // of an author who is not known yet it is not taken
				}
			}
		}
		for _, f := range a.m.State.Chains().Forks() {
			for _, id := range []journal.EntryID{f.A, f.B} {
				_, _ = d.do(EntryIn{a.Held[id]})
			}
		}
		for _, id := range d.m.Wanted() {
			if e, ok := a.Held[id]; ok {
				_, _ = d.do(EntryIn{e})
			}
		}
		d.must(Tick{})
	}
	if d.m.State.Active() == nil {
		t.Fatalf("the new device is left outside: %s", d.m.Missing())
	}
}
