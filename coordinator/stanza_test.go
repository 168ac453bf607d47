package coordinator

import (
	"testing"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
)

// A proposal that one member read and signed is read by all, also where its
// author sealed the epoch to some only and the rekey is past a fork, so that
// nothing but the proposal itself, which the signature names, came to the others.
func TestAnEpochPastAForkIsAskedFor(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(1_000_000)
	a, b, evil := c.peers[0], c.peers[1], c.peers[2]
	evil.Careless = true
	before := evil.m
	draft := pay(1, 100_000)
	draft.Unsigned = true
	id := evil.must(draft).(Proposed).Proposal
	p, ok := evil.m.State.Proposal(id)
	if !ok {
		t.Fatal("no proposal")
	}
	evil.m = before
	evil.must(LeaseAddress{})
	other := evil.out[len(evil.out)-1]

	evil.m = before
	s := &step{m: evil.m, in: evil.input(nil), batch: port.Batch{Group: evil.m.State.Group(), Puts: map[string][]byte{}}}
	if _, err := s.write(&event.AddressLeased{Index: 9}); err != nil {
		t.Fatal(err)
	}
	ep := s.newEpoch()
	var some []group.Member
	for _, m := range evil.m.State.Active().Members {
		if m.Identity != b.id() {
			some = append(some, m)
		}
	}
	if err := s.writeEpoch(ep, some); err != nil {
		t.Fatal(err)
	}
	at, err := s.next()
	if err != nil {
		t.Fatal(err)
	}
	plain, err := event.Encode(event.Event{Time: 1, Body: p.Body})
	if err != nil {
		t.Fatal(err)
	}
	proposal, err := journal.Seal(evil.self.Identity, ep, at, plain, s.nonce())
	if err != nil {
		t.Fatal(err)
	}
	lease, rekey := s.batch.Entries[0], s.batch.Entries[1]

	for _, e := range []*journal.Entry{lease, rekey, proposal} {
		a.must(EntryIn{e})
	}
	a.must(Approve{Proposal: proposal.ID()})
	// B holds both branches where they part, and no more of them.
	b.must(EntryIn{other})
	b.must(EntryIn{lease})
	a.must(EntryIn{other})
	own := func(from, to *peer) {
		for _, chain := range from.Chains() {
			for _, e := range chain {
				if e.Chain().Author == from.id() && !to.m.State.Chains().Has(e.ID()) {
					to.must(EntryIn{e})
				}
			}
		}
	}
	own(a, b)
	wanted := b.m.Wanted()
	if len(wanted) != 1 || wanted[0] != proposal.ID() {
		t.Fatalf("b wants %v", wanted)
	}
	b.must(EntryIn{proposal})
	b.must(Tick{})
	own(b, a)
	own(a, b)
	if b.m.State.Chains().Has(rekey.ID()) {
		t.Fatal("b holds the rekey itself")
	}
	got, ok := b.m.State.Proposal(proposal.ID())
	if !ok || b.m.State.SignedInputs(got, memberIndex(b, a)) != len(got.Body.Inputs) {
		t.Fatalf("b reads the proposal: %v", ok)
	}
}

// An honest member may take an epoch for the group's before it knows that its
// author forked, and write under it. Who was shown the other branch asks for it,
// though nobody named anything.
func TestAnEpochThatAnHonestMemberUsedIsAskedFor(t *testing.T) {
	c := active(t, 2, 3)
	a, b, evil := c.peers[0], c.peers[1], c.peers[2]
	evil.Careless = true
	before := evil.m
	evil.must(LeaseAddress{})
	other := evil.out[len(evil.out)-1]
	s := &step{m: before, in: evil.input(nil), batch: port.Batch{Group: before.State.Group(), Puts: map[string][]byte{}}}
	if _, err := s.write(&event.AddressLeased{Index: 9}); err != nil {
		t.Fatal(err)
	}
	ep := s.newEpoch()
	if err := s.writeEpoch(ep, before.State.Active().Members); err != nil {
		t.Fatal(err)
	}
	lease, rekey := s.batch.Entries[0], s.batch.Entries[1]
	a.must(EntryIn{lease})
	a.must(EntryIn{rekey})
	a.must(LeaseAddress{})
	if e := a.out[len(a.out)-1]; e.Header().Epoch != ep.ID() {
		t.Fatal("a does not write under the epoch")
	}
	b.must(EntryIn{other})
	b.must(EntryIn{lease})
	a.must(EntryIn{other})
	own := func(from, to *peer) {
		for _, chain := range from.Chains() {
			for _, e := range chain {
				if e.Chain().Author == from.id() && !to.m.State.Chains().Has(e.ID()) {
					to.must(EntryIn{e})
				}
			}
		}
	}
	own(a, b)
	if b.m.State.UnreadCount() == 0 || b.m.State.Chains().Has(rekey.ID()) {
		t.Fatal("b reads all of it")
	}
	for range askStrange {
		b.must(Tick{})
	}
	own(b, a)
	own(a, b)
	if n := b.m.State.UnreadCount(); n != 0 {
		t.Errorf("%d entries stay unreadable", n)
	}
}

// Whoever used up what the others grant it is not heard for a while, and a member
// who was heard from may have taken an epoch of it for the group's: nothing forked.
func TestAnEpochWhoseAuthorIsNotHeardIsAskedFor(t *testing.T) {
	c := active(t, 2, 3)
	a, b, silent := c.peers[0], c.peers[1], c.peers[2]
	silent.must(Rekey{})
	rekey := silent.out[len(silent.out)-1]
	a.must(EntryIn{rekey})
	a.must(LeaseAddress{})
	if e := a.out[len(a.out)-1]; e.Header().Epoch != rekey.Header().Epoch {
		t.Fatal("a does not write under the epoch")
	}
	own := func(from, to *peer) {
		for _, chain := range from.Chains() {
			for _, e := range chain {
				if e.Chain().Author == from.id() && !to.m.State.Chains().Has(e.ID()) {
					to.must(EntryIn{e})
				}
			}
		}
	}
	own(a, b)
	if b.m.State.UnreadCount() == 0 {
		t.Fatal("b reads all of it")
	}
	for range askStrange {
		b.must(Tick{})
	}
	own(b, a)
	own(a, b)
	if n := b.m.State.UnreadCount(); n != 0 || b.m.State.Chains().Has(rekey.ID()) {
		t.Errorf("%d entries stay unreadable", n)
	}
}
