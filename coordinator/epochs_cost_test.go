package coordinator

import (
	"slices"
	"testing"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/journal"
)

// allocations counts what one message costs a peer's machine, which stays as it was.
func (p *peer) allocations(msg Message) float64 {
	in := p.input(msg)
	return testing.AllocsPerRun(3, func() {
		if _, _, err := Step(p.m, in); err != nil {
			p.tb.Fatal(err)
		}
	})
}

// sameCost fails where a step costs more than a small constant more than it did: the
// maps that are looked at may be a level or two deeper.
func sameCost(t *testing.T, what string, before, after float64) {
	t.Helper()
	t.Logf("%s: %.0f allocations, then %.0f", what, before, after)
	if after > before+before/5+50 {
		t.Errorf("%s: %.0f allocations, and %.0f with more epochs held", what, before, after)
	}
}

// takes adds n epochs by a member, each after the one before, whose secrets a
// peer learns.
func (p *peer) takes(t *testing.T, by *peer, to []*peer, n int) {
	t.Helper()
	for _, e := range by.spoil(n, to) {
		p.must(EntryIn{e})
	}
}

// A step costs what its input costs, however many epochs a member made.
func TestAChainOfEpochsCostsTheStepsNothing(t *testing.T) {
	slow(t)
	for name, sealed := range map[string]func(c *circle) []*peer{
		"to one":         func(c *circle) []*peer { return c.peers[:1] },
		"to the members": func(c *circle) []*peer { return c.peers },
	} {
		t.Run(name, func(t *testing.T) {
			c := active(t, 2, 3)
			a, evil := c.peers[0], c.peers[2]
			a.takes(t, evil, sealed(c), 500)
			tick, lease := a.allocations(Tick{}), a.allocations(LeaseAddress{})
			one := evil.spoil(1, sealed(c))[0]
			entry := a.allocations(EntryIn{one})
			a.must(EntryIn{one})
			a.takes(t, evil, sealed(c), 4_000)
			sameCost(t, "a tick", tick, a.allocations(Tick{}))
			sameCost(t, "a lease", lease, a.allocations(LeaseAddress{}))
			sameCost(t, "one more", entry, a.allocations(EntryIn{evil.spoil(1, sealed(c))[0]}))
			if n := len(a.m.State.Topics()); n > group.MaxTopics {
				t.Errorf("%d topics", n)
			}
		})
	}
}

// Whoever joined may write what it likes before the wallet is active.
func TestAJoinerCostsAFormingGroupNothing(t *testing.T) {
	slow(t)
	c, invites := founded(t, 2, 3, 3)
	a, evil := c.peers[0], c.peers[2]
	c.join(evil, invites[1], evil.key())
	c.settle(a, evil)
	junk := func(from, n int) {
		var es []*journal.Entry
		first, _ := evil.m.State.Epoch()
		hosted := &event.MemberRecord{Name: "H", Key: evil.account.Key().String(), How: event.ProofNone, Hosted: true}
		for i := from; i < from+n; i++ {
			hosted.Commitment = [32]byte{byte(i), byte(i >> 8)}
			es = append(es, evil.spoil(1, []*peer{a})[0])
			for _, b := range []event.Body{
				hosted,
				&event.RosterRevealed{Roster: journal.EntryID{byte(i), byte(i >> 8)}, Salt: [32]byte{byte(i)}},
				&event.RosterRatified{Hash: [32]byte{byte(i), byte(i >> 8)}},
				&event.EntriesNamed{Entries: []journal.EntryID{{byte(i), byte(i >> 8), 1}, {byte(i), byte(i >> 8), 2}}},
				&event.StanzaFailed{Epoch: journal.EpochID{byte(i), byte(i >> 8), 3}},
			} {
				es = append(es, evil.sealed(first, b))
			}
		}
		for _, e := range es {
			a.must(EntryIn{e})
		}
	}
	junk(0, 100)
	tick := a.allocations(Tick{})
	_, _ = a.m.Missing(), a.m.Cosigners()
	junk(100, 700)
	sameCost(t, "a tick", tick, a.allocations(Tick{}))
	if n := len(a.m.Cosigners()); n > 2*event.MaxCosigners+3 {
		t.Errorf("%d cosigners are listed", n)
	}
}

// A founder may close any number of rosters.
func TestAFounderWithManyRostersCostsAJoinerNothing(t *testing.T) {
	c := newCircle(t, 2, 3)
	c.settle()
	a, b := c.peers[0], c.peers[1]
	first, _ := a.m.State.Epoch()
	closed := func(n int) {
		r, _ := a.m.State.Roster()
		var ids []journal.EntryID
		for _, m := range r.Members {
			ids = append(ids, m.Record)
		}
		for range n {
			b.must(EntryIn{a.sealed(first, &event.RosterClosed{Records: ids})})
		}
	}
	closed(2 * group.MaxRosters)
	tick := b.allocations(Tick{})
	closed(300)
	sameCost(t, "a tick", tick, b.allocations(Tick{}))
	if n := len(b.m.Wanted()); n != 0 {
		t.Errorf("%d wanted", n)
	}
	r, _ := b.m.State.Roster()
	b.must(Ratify{Words: r.Words()})
	sameCost(t, "a tick with the pin", tick, b.allocations(Tick{}))
}

// A new device is let in whatever was written before: a few epochs a step.
func TestLettingInIsDoneInSmallSteps(t *testing.T) {
	slow(t)
	c := active(t, 2, 3)
	a, b, evil := c.peers[0], c.peers[1], c.peers[2]
	// Two hundred epochs that a and evil wrote under, and thousands that nobody did.
	for range 200 {
		ep := evil.epochAfter(evil.spoiled)
		evil.spoiled = journal.Epoch{}
		for _, e := range []*journal.Entry{evil.rekey(ep, []*peer{a}, nil), evil.sealed(ep, &event.AddressLeased{Index: 3})} {
			a.must(EntryIn{e})
		}
	}
	a.takes(t, evil, []*peer{a}, 2_000)
	d := b.device(9)
	d.takePlace(a, b)
	most, before := 0, a.written()
	for range 60 {
		was := a.written()
		a.must(Tick{Online: []journal.Author{a.id()}})
		most = max(most, a.written()-was)
	}
	if most > handEach+1 {
		t.Errorf("%d entries in one step", most)
	}
	c.settle(a, d)
	d.hear(a)
	for range 30 {
		a.must(Tick{Online: []journal.Author{a.id()}})
		d.must(Tick{Online: []journal.Author{a.id()}})
		c.settle(a, d)
	}
	if _, in := d.m.State.Active().Index(d.id()); !in || d.m.State.UnreadCount() != 0 {
		t.Errorf("the device: member %v, %d entries unread", in, d.m.State.UnreadCount())
	}
	if n := a.written() - before; n > 300 {
		t.Errorf("%d entries to let one in", n)
	}
	// A new start goes through the list again, and does nothing twice.
	a.crash()
	before = a.written()
	for range 60 {
		a.must(Tick{})
	}
	if n := a.written() - before; n != 0 {
		t.Errorf("%d entries more after a restart", n)
	}
}

// What an honest member names is asked for, whatever another one names.
func TestNobodyCrowdsOutWhatAnotherNames(t *testing.T) {
	c := active(t, 2, 3)
	a, b, evil := c.peers[0], c.peers[1], c.peers[2]
	for i := range 40 {
		body := &event.EntriesNamed{}
		for n := range 60 {
			body.Entries = append(body.Entries, journal.EntryID{0, byte(i), byte(n), 1})
		}
		if _, err := evil.wild(body); err != nil {
			t.Fatal(err)
		}
		if _, err := evil.wild(&event.ProposalApproved{Proposal: journal.EntryID{0, byte(i), 2}, Signatures: []event.PartialSignature{{Bytes: make([]byte, 70)}}}); err != nil {
			t.Fatal(err)
		}
	}
	named, signed := journal.EntryID{255, 1}, journal.EntryID{255, 2}
	if _, err := b.wild(&event.EntriesNamed{Entries: []journal.EntryID{named}}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.wild(&event.ProposalApproved{Proposal: signed, Signatures: []event.PartialSignature{{Bytes: make([]byte, 70)}}}); err != nil {
		t.Fatal(err)
	}
	c.settle()
	wanted := a.m.Wanted()
	if len(wanted) > 256 || !slices.Contains(wanted, named) || !slices.Contains(wanted, signed) {
		t.Errorf("of what an honest member names nothing is asked for among %d", len(wanted))
	}
}
