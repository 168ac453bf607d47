package coordinator

import (
	"testing"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
)

// sealEvent makes an entry of a member under any epoch, at any place.
func (p *peer) sealEvent(ep journal.Epoch, next journal.Next, b event.Body, n byte) *journal.Entry {
	p.tb.Helper()
	plain, err := event.Encode(event.Event{Time: 1, Body: b})
	if err != nil {
		p.tb.Fatal(err)
	}
	e, err := journal.Seal(p.self.Identity, ep, next, plain, [24]byte{6, n})
	if err != nil {
		p.tb.Fatal(err)
	}
	return e
}

// ownEpoch makes a member's own epoch, sealed to all members, and its rekey,
// which the member itself does not take yet.
func (p *peer) ownEpoch() (journal.Epoch, *journal.Entry) {
	p.tb.Helper()
	s := &step{m: p.m, in: p.input(nil), batch: port.Batch{Group: p.m.State.Group(), Puts: map[string][]byte{}}}
	ep := s.newEpoch()
	if err := s.writeEpoch(ep, s.m.State.Active().Members); err != nil {
		p.tb.Fatal(err)
	}
	return ep, s.batch.Entries[0]
}

// sameSays fails unless peers that hold and can read the same say the same, and
// say it again when they are loaded.
func sameSays(t *testing.T, peers ...*peer) {
	t.Helper()
	want := canon(peers[0].m.State)
	for _, p := range peers {
		a, b := mustDigest(t, peers[0].m.State), mustDigest(t, p.m.State)
		if a.Entries != b.Entries || a.Secrets != b.Secrets {
			t.Fatalf("%s and %s do not hold the same", peers[0].name, p.name)
		}
		if a.Says != b.Says {
			t.Errorf("%s and %s have other digests of one set", peers[0].name, p.name)
		}
		if got := canon(p.m.State); got != want {
			t.Errorf("%s and %s say other things of one set:\n%s", peers[0].name, p.name, diff(want, got))
		}
		p.crash()
		if got := canon(p.m.State); got != want {
			t.Errorf("%s says other things after a restart:\n%s", p.name, diff(want, got))
		}
	}
}

// TestACutThatIsReadLate: an approval lies past the cut of an incarnation whose
// epoch comes before it on one node, and after it on the other.
func TestACutThatIsReadLate(t *testing.T) {
	c := active(t, 2, 4)
	a, b, lost, z := c.peers[0], c.peers[1], c.peers[2], c.peers[3]
	b.Careless = true
	d1, d2 := lost.stranger(20), lost.stranger(21)
	one, two := d1.replacing(lost, 50), d2.replacing(lost, 50)
	for _, r := range []*event.MemberReplaced{one, two} {
		if _, err := a.wild(r); err != nil {
			t.Fatal(err)
		}
	}
	c.settle(a, b, z)
	yes := &event.ReplacementApproved{Replacement: one.ID(a.m.State.Group())}
	if _, err := a.wild(yes); err != nil {
		t.Fatal(err)
	}
	vote, err := b.wild(yes)
	if err != nil {
		t.Fatal(err)
	}
	c.settle(a, b, z)
	k := rosterKey(a.m.State.Active(), lost.id())
	if a.memberOf(k) != d1.id() || z.memberOf(k) != d1.id() {
		t.Fatal("two approvals did not decide for the first device")
	}
	ep, rekey := b.ownEpoch()
	start := b.sealEvent(ep, journal.Next{Incarnation: 2, Seq: 1}, &event.IncarnationStarted{Seq: vote.Position().Seq - 1, Last: vote.Header().Prev}, 1)
	for p, order := range map[*peer][]*journal.Entry{a: {rekey, start}, z: {start, rekey}} {
		p.told = nil
		for _, e := range order {
			p.must(EntryIn{e})
		}
		if got := p.memberOf(k); got != (journal.Author{}) {
			t.Errorf("%s takes %s for the member: the approval past the cut counts", p.name, got)
		}
		if len(p.alarms(AlarmContested)) == 0 {
			t.Errorf("%s tells no alarm of the member that is contested again", p.name)
		}
	}
	c.settle(a, z)
	sameSays(t, a, z)
}

// TestReplacementsThatAreReadLate: 64 that are invalid, under an epoch that comes
// first on one node and last on another, stand in the way of no valid one.
func TestReplacementsThatAreReadLate(t *testing.T) {
	c := active(t, 2, 3)
	a, evil, z := c.peers[0], c.peers[1], c.peers[2]
	evil.Careless = true
	d := evil.stranger(30)
	ep, rekey := evil.ownEpoch()
	at := evil.own(1)
	zero, _ := evil.m.State.Epoch()
	run := []*journal.Entry{evil.sealEvent(zero, journal.Next{Incarnation: 2, Seq: 1}, &event.IncarnationStarted{Seq: at.Seq + 1, Last: at.ID}, 0)}
	for n := range group.MaxCarried {
		run = append(run, evil.sealEvent(ep, journal.Next{Incarnation: 2, Seq: uint64(n) + 2, Prev: run[len(run)-1].ID()},
			&event.MemberReplaced{Key: uint32(n % event.MaxCosigners), Old: journal.Author{byte(n), 1}, New: journal.Author{byte(n), 2}, Consent: make([]byte, 64)}, byte(n)+1))
	}
	run = append(run, evil.sealEvent(zero, journal.Next{Incarnation: 2, Seq: group.MaxCarried + 2, Prev: run[len(run)-1].ID()}, d.replacing(evil, int(at.Seq)+1), 200))
	a.must(EntryIn{rekey})
	for _, e := range run {
		a.must(EntryIn{e})
		z.must(EntryIn{e})
	}
	z.must(EntryIn{rekey})
	c.settle(a, z)
	k := rosterKey(a.m.State.Active(), evil.id())
	for _, p := range []*peer{a, z} {
		if p.memberOf(k) != d.id() {
			t.Errorf("%s lets invalid replacements stand in the way of the valid one", p.name)
		}
	}
	sameSays(t, a, z)
}
