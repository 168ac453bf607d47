package coordinator

import (
	"testing"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/robot"
	"github.com/quorate/quorate/journal"
)

// unreadable is an entry under an epoch that nobody else ever heard of.
func (p *peer) unreadable(next *journal.Next) *journal.Entry {
	p.tb.Helper()
	last, _ := p.m.State.Epoch()
	plain, err := event.Encode(event.Event{Time: 1, Body: &event.AddressLeased{Index: 6}})
	if err != nil {
		p.tb.Fatal(err)
	}
	p.drawn++
	e, err := journal.Seal(p.self.Identity, p.epochAfter(last), *next, plain, [24]byte{byte(p.drawn), 78})
	if err != nil {
		p.tb.Fatal(err)
	}
	*next = journal.Next{Incarnation: next.Incarnation, Seq: next.Seq + 1, Prev: e.ID()}
	return e
}

// waits lets so many ticks of a robot pass.
func (p *peer) waits(ticks int) {
	p.tb.Helper()
	for range ticks {
		p.must(Tick{})
	}
}

// A member who writes what nobody can open keeps a robot from signing for an hour of a day,
// and no longer: what it hides may be a vote, and may be nothing.
func TestWhatNobodyCanReadSilencesForAnHour(t *testing.T) {
	r := withRobots(t, 2, 4, 2)
	one, two, ana, evil := r.robots[0], r.robots[1], r.humans[0], r.humans[1]
	r.fund(100_000, 100_000, 100_000, 100_000, 100_000)
	p := r.suppliers(50_000)
	p.Meters[0].Limit, p.Tolerate, p.Robots = 1_000_000, 1, r.keysOf(one)
	r.votes(p)
	r.hear()
	next := evil.nextPlace()
	one.must(EntryIn{evil.unreadable(next)})
	id := ana.proposes(pay(70, 20_000))
	apart := []*peer{ana, one, two}
	r.among(apart...)
	if one.signed(id) {
		t.Fatal("it signed what an entry that it cannot read may be against")
	}
	if s, _ := one.m.Robot(); s.Unready != robot.UnreadyEntries {
		t.Fatalf("it is silent for %q", s.Unready)
	}
	// One more of the same member gives no more time.
	one.waits(1800 / 2)
	one.must(EntryIn{evil.unreadable(next)})
	one.waits(1800/2 - 10)
	if one.signed(id) {
		t.Fatal("it did not wait for an hour")
	}
	one.waits(20)
	if !one.signed(id) {
		t.Fatalf("it waits without end: %+v", r.verdict(one, id))
	}
	one.must(EntryIn{evil.unreadable(next)})
	more := ana.proposes(pay(71, 20_000))
	r.settle(apart...)
	if !one.signed(more) {
		t.Fatal("it waits again for a member for whom it waited in vain")
	}
	// Another member's it waits for all the same.
	one.must(EntryIn{two.unreadable(two.nextPlace())})
	third := ana.proposes(pay(72, 20_000))
	r.settle(ana, one)
	if one.signed(third) {
		t.Fatal("it signed what another member's entry may be against")
	}
	one.waits(1800 + 10)
	if !one.signed(third) {
		t.Fatal("it waits without end for the other one")
	}
}
