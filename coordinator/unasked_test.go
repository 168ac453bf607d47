package coordinator

import (
	"testing"
	"time"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
)

// sealedAlone says whether a peer sealed an epoch to one member alone.
func (p *peer) sealedAlone(ep journal.EpochID, to journal.Author) bool {
	for _, e := range p.Held {
		b, ok := p.bodyOf(e).(*event.EpochRotated)
		if ok && e.Header().Author == p.id() && e.Header().Epoch == ep && len(b.Stanzas) == 1 && b.Stanzas[0].To == to {
			return p.m.State.Chains().Has(e.ID())
		}
	}
	return false
}

// A node keeps half of the allowance that others grant it for what its user
// does: what others bring about waits for the other half, and is done then.
func TestWhatNobodyAskedForLeavesHalfOfTheAllowance(t *testing.T) {
	for name, full := range map[string]written{
		"entries": {entries: unaskedEntries},
		"bytes":   {bytes: unaskedBytes},
	} {
		t.Run(name, func(t *testing.T) {
			c := active(t, 3, 3)
			a, b, evil := c.peers[0], c.peers[1], c.peers[2]
			ins := a.coinsOf(c.fund(1_000_000))
			full.at = c.clock
			a.m.written = full
			x := &event.ProposalCreated{Inputs: ins, Outputs: []event.ProposalOutput{{PkScript: recipient(1), Amount: 5000}}}
			ofB := b.nextPlace()
			prop := b.forge(ofB, x)
			next := evil.nextPlace()
			branch := *next
			ep, _ := a.m.State.Epoch()
			before := a.written()
			a.must(EntryIn{prop})
			a.must(EntryIn{b.forge(ofB, &event.StanzaFailed{Epoch: ep.ID()})}) // wants an epoch sealed again
			a.must(EntryIn{evil.forge(next, &event.ProposalApproved{Proposal: prop.ID(), Signatures: evil.signedBy(x)})})
			a.must(EntryIn{evil.forge(&branch, &event.AddressLeased{Index: 6})}) // and has signatures carried
			for range 4 {
				a.must(Tick{})
			}
			if n := a.written() - before; n != 0 {
				t.Fatalf("%d entries are written beyond half of the allowance", n)
			}
			a.must(LeaseAddress{}) // its user is not hindered
			c.clock = c.clock.Add(24 * time.Hour)
			a.rest()
			for range 4 {
				a.must(Tick{})
			}
			if n := a.carries(); n != 1 {
				t.Errorf("%d entries carry signatures a day later", n)
			}
			if !a.sealedAlone(ep.ID(), b.id()) {
				t.Error("the epoch is not sealed again a day later")
			}
		})
	}
}

// What waits is written in turns: however many epochs a member wants sealed again,
// another one has its own answered, and what a forker signed is carried.
func TestWhatIsWrittenUnaskedTakesTurns(t *testing.T) {
	const epochs = 24
	c := active(t, 3, 4)
	a, b, other, evil := c.peers[0], c.peers[1], c.peers[2], c.peers[3]
	ins := a.coinsOf(c.fund(1_000_000))
	s := &step{m: b.m, in: b.input(nil), batch: port.Batch{Group: b.m.State.Group(), Puts: map[string][]byte{}}}
	var eps []journal.EpochID
	for range epochs {
		ep := s.newEpoch()
		if err := s.writeEpoch(ep, s.m.State.Active().Members); err != nil {
			t.Fatal(err)
		}
		eps = append(eps, ep.ID())
	}
	b.m = s.m
	for _, e := range s.batch.Entries {
		a.must(EntryIn{e})
	}
	a.m.written = written{entries: unaskedEntries + 0.5, at: c.clock}
	ofB, ofOther := b.nextPlace(), other.nextPlace()
	for _, id := range eps {
		a.must(EntryIn{b.forge(ofB, &event.StanzaFailed{Epoch: id})})
	}
	a.must(EntryIn{other.forge(ofOther, &event.StanzaFailed{Epoch: eps[0]})})
	x := &event.ProposalCreated{Inputs: ins, Outputs: []event.ProposalOutput{{PkScript: recipient(1), Amount: 5000}}}
	prop := b.forge(ofB, x)
	a.must(EntryIn{prop})
	next := evil.nextPlace()
	branch := *next
	a.must(EntryIn{evil.forge(next, &event.ProposalApproved{Proposal: prop.ID(), Signatures: evil.signedBy(x)})})
	a.must(EntryIn{evil.forge(&branch, &event.AddressLeased{Index: 6})})
	before, last, most := a.written(), a.written(), 0
	carried, answered := 0, 0 // after how many entries
	for n := 0; (carried == 0 || answered == 0 || a.written()-before < epochs+2) && n < 10_000; n++ {
		c.clock = c.clock.Add(2 * time.Second)
		a.must(Tick{})
		now := a.written()
		most, last = max(most, now-last), now
		if carried == 0 && a.carries() > 0 {
			carried = now - before
		}
		if answered == 0 && a.sealedAlone(eps[0], other.id()) {
			answered = now - before
		}
	}
	if carried == 0 || carried > 4 || answered == 0 || answered > 4 {
		t.Errorf("the signature is carried with entry %d, the other member answered with entry %d", carried, answered)
	}
	if n := a.written() - before; n != epochs+2 {
		t.Errorf("%d entries are written in all, want %d", n, epochs+2)
	}
	if most != 1 {
		t.Errorf("%d entries are written where there is room for one", most)
	}
}

// A clock that was ahead and was set right gives nothing for the time it went
// back, and goes on giving from then on.
func TestAClockThatWasAheadDoesNotStopTheAllowance(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	full := written{entries: unaskedEntries, bytes: unaskedBytes, at: now.Add(10 * 365 * 24 * time.Hour)}
	w := full.asOf(now)
	if w.entries != full.entries || w.bytes != full.bytes {
		t.Errorf("a clock that goes back changes it: %v", w)
	}
	if w = w.asOf(now.Add(time.Hour)); w.entries >= full.entries || w.bytes >= full.bytes {
		t.Errorf("an hour later nothing came back: %v", w)
	}
}
