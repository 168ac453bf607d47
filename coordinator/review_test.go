package coordinator

import (
	"testing"

	"github.com/btcsuite/btcd/chainhash/v2"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/journal"
)

func TestAForkThatLinksToNothingDoesNotStopTheNextStart(t *testing.T) {
	c := active(t, 2, 3)
	a, evil := c.peers[0], c.peers[2]
	evil.must(LeaseAddress{})
	c.settle()
	last := a.m.State.Chains().Frontier()[journal.ChainKey{Author: evil.id(), Incarnation: 1}]
	ep, _ := a.m.State.Epoch()
	plain, err := event.Encode(event.Event{Time: 1, Body: &event.AddressLeased{Index: 9}})
	if err != nil {
		t.Fatal(err)
	}
	for n := byte(0); ; n++ {
		e, err := journal.Seal(evil.self.Identity, ep, journal.Next{Incarnation: 1, Seq: last.Seq, Prev: journal.EntryID{n, 1}}, plain, [24]byte{n})
		if err != nil {
			t.Fatal(err)
		}
		id := e.ID()
		if string(id[:]) > string(last.ID[:]) {
			continue // it must come first when the store is read
		}
		a.must(EntryIn{e})
		break
	}
	was := canon(a.m.State)
	a.crash()
	if got := canon(a.m.State); got != was {
		t.Fatalf("another state after the start:\n%s", diff(was, got))
	}
}

func TestATreeOfCoinsThatAreNotThereCostsNothing(t *testing.T) {
	c := active(t, 2, 3)
	evil := c.peers[2]
	parent := chainhash.HashH([]byte("nothing"))
	for range 12 {
		b := &event.ProposalCreated{Outputs: []event.ProposalOutput{{PkScript: recipient(1), Amount: 1000}}}
		for i := range uint32(40) {
			b.Inputs = append(b.Inputs, event.ProposalInput{TxID: parent, Vout: i, Amount: 1000})
		}
		p, ok := evil.m.State.Proposal(evil.force(b))
		if !ok || !p.Sound {
			t.Fatal("not a proposal")
		}
		parent = p.TxID
	}
	c.settle() // with work that doubles forty times over, it never ends
	if n := len(c.peers[0].m.Proposals()); n != 12 {
		t.Fatalf("%d proposals", n)
	}
}

func TestWhatTheGroupKnowsOfMySignaturesGuardsARestoredStore(t *testing.T) {
	c := active(t, 2, 3)
	coins := c.fund(1_000_000)
	a, b := c.peers[0], c.peers[1]
	x, y := pay(1, 100_000), pay(2, 200_000)
	x.Coins, y.Coins, x.Unsigned, y.Unsigned = coins, coins, true, true
	one := a.must(x).(Proposed).Proposal
	two := a.must(y).(Proposed).Proposal
	c.settle()
	b.must(Approve{Proposal: one})
	c.settle()
	b.Signed, b.m.Guard = map[port.GuardRecord]bool{}, Guard{} // the store of before
	b.refused(refusal.SignGuard, Approve{Proposal: two})
}

func TestASealingKeyThatTakesNoSecretIsNoRecord(t *testing.T) {
	c := newCircle(t, 2, 3)
	b := c.peers[1]
	body := &event.MemberRecord{Name: "B", Key: b.account.Key().String(), Commitment: [32]byte{1}}
	hash, _ := body.Claim(b.m.State.Group(), b.id())
	body.Proof = b.account.SignHash(hash)
	if _, err := b.m.State.CheckRecord(b.id(), body); err == nil {
		t.Fatal("a record with a sealing key of zeros was taken")
	}
}

func TestEnteringATransactionAgainChangesNoReplacement(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(1_000_000)
	a, b, evil := c.peers[0], c.peers[1], c.peers[2]
	one := a.must(pay(1, 100_000)).(Proposed).Proposal
	c.settle()
	b.must(Approve{Proposal: one})
	c.settle()
	old := draftOf(evil, one)
	for i := range 5 {
		d := old
		d.Note = string(rune('a' + i))
		evil.force(&d)
	}
	c.settle()
	x := pay(1, 100_000)
	x.Replaces, x.FeeRate = []journal.EntryID{one}, 20_000
	two := a.must(x).(Proposed).Proposal // the floor is that of one transaction
	c.settle()
	b.must(Approve{Proposal: two})
	c.settle()
	q, _ := b.m.State.Proposal(two)
	d := old
	d.Replaces = []chainhash.Hash{q.TxID}
	evil.force(&d)
	c.settle()
	if !b.m.State.Broadcastable(b.m.View, q) {
		t.Fatal("a member reversed an agreed replacement")
	}
	// Only the winner's change is spendable, once.
	var sum int64
	for _, coin := range Coins(b.m.State, b.m.View, *b.clock) {
		sum += coin.Amount
	}
	if want := int64(1_000_000) - 100_000 - q.Fee(); sum != want {
		t.Fatalf("%d sat, want %d", sum, want)
	}
}

func TestAMemberLeftOutOfAnEpochIsLetInAgain(t *testing.T) {
	t.Run("by a stanza that does not open", func(t *testing.T) { leftOut(t, false) })
	t.Run("by no stanza", func(t *testing.T) { leftOut(t, true) })
}

func leftOut(t *testing.T, none bool) {
	c := active(t, 2, 3)
	a, b, evil := c.peers[0], c.peers[1], c.peers[2]
	s := &step{m: evil.m, in: evil.input(nil), batch: port.Batch{Group: evil.m.State.Group(), Puts: map[string][]byte{}}}
	ep := s.newEpoch()
	body := &event.EpochRotated{Number: ep.Number, Parent: ep.Parent}
	for _, m := range evil.m.State.Active().Members {
		sealed, err := journal.SealSecret(ep, evil.id(), m.Identity, m.Sealing)
		if err != nil {
			t.Fatal(err)
		}
		if m.Identity == b.id() {
			if none {
				continue
			}
			sealed[len(sealed)-1]++
		}
		body.Stanzas = append(body.Stanzas, event.Stanza{To: m.Identity, Sealed: sealed})
	}
	plain, err := event.Encode(event.Event{Time: 1, Body: body})
	if err != nil {
		t.Fatal(err)
	}
	next, err := s.next()
	if err != nil {
		t.Fatal(err)
	}
	e, err := journal.SealPlain(evil.self.Identity, evil.m.State.Group(), ep.ID(), next, plain, s.nonce())
	if err != nil {
		t.Fatal(err)
	}
	plain, err = event.Encode(event.Event{Time: 2, Body: &event.AddressLeased{Index: 3}})
	if err != nil {
		t.Fatal(err)
	}
	after, err := journal.Seal(evil.self.Identity, ep, journal.Next{Incarnation: next.Incarnation, Seq: next.Seq + 1, Prev: e.ID()}, plain, s.nonce())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []*peer{a, b} {
		p.must(EntryIn{e})
		p.must(EntryIn{after})
	}
	c.settle(a, b) // the one who left it out does not help
	a.must(LeaseAddress{})
	c.settle(a, b)
	if n := b.m.State.UnreadCount(); n != 0 {
		t.Fatalf("%d entries stay unreadable", n)
	}
}

func TestAnEpochThatFollowsFromNothingIsNotWrittenUnder(t *testing.T) {
	c := active(t, 2, 3)
	a, evil := c.peers[0], c.peers[2]
	s := &step{m: evil.m, in: evil.input(nil), batch: port.Batch{Group: evil.m.State.Group(), Puts: map[string][]byte{}}}
	far := journal.Epoch{Group: evil.m.State.Group(), Number: 1 << 32, Parent: journal.EpochID{1}, Secret: [32]byte{2}}
	if err := s.writeEpoch(far, evil.m.State.Active().Members); err != nil {
		t.Fatal(err)
	}
	evil.m = s.m
	for _, e := range s.batch.Entries {
		evil.Held[e.ID()] = e
	}
	c.settle()
	if ep, _ := a.m.State.Epoch(); ep.Number != 1 {
		t.Fatalf("writes under epoch %d", ep.Number)
	}
	c.clock = c.clock.Add(2 * epochAge)
	for _, p := range c.peers {
		p.must(Tick{})
	}
	if ep, _ := a.m.State.Epoch(); ep.Number != 2 {
		t.Fatalf("after the age limit: epoch %d, want 2", ep.Number)
	}
}

func TestAnUnfinishedRescanBeginsAgainAfterARestart(t *testing.T) {
	c := active(t, 2, 3)
	a := c.peers[0]
	c.fund(1000, 1000) // uses addresses, so further ones are watched
	was, due := a.m.View.Unfinished()
	if !due {
		t.Fatal("further scripts were asked for without a note")
	}
	m, err := Load(t.Context(), &a.Disk, a.self, a.m.State.Group())
	if err != nil {
		t.Fatal(err)
	}
	if now, due := m.View.Unfinished(); !due || now.From != was.From {
		t.Fatalf("rescan from %d is forgotten: %d", was.From, now.From)
	}
	a.must(Watched{})
	a.must(ChainIn{port.ChainNotice{Kind: port.CaughtUp}})
	if _, due := a.m.View.Unfinished(); due {
		t.Fatal("a finished rescan is not forgotten")
	}
}

func TestAForkAtRatificationLeavesNobodyOutside(t *testing.T) {
	c := newCircle(t, 2, 3)
	c.settle()
	a, b, evil := c.peers[0], c.peers[1], c.peers[2]
	r, _ := a.m.State.Roster()
	a.must(Ratify{Words: r.Words()})
	b.must(Ratify{Words: r.Words()})
	c.settle()
	// To B two entries of junk, to A the ratification, all at one place.
	before := evil.m
	for _, junk := range []event.Body{&event.StanzaFailed{Epoch: journal.EpochID{1}}, &event.StanzaFailed{Epoch: journal.EpochID{2}}} {
		evil.m = before
		e, err := evil.wild(junk)
		if err != nil {
			t.Fatal(err)
		}
		b.must(EntryIn{e})
	}
	evil.m = before
	evil.must(Ratify{Words: r.Words()})
	a.must(EntryIn{evil.out[len(evil.out)-1]})
	if a.m.State.Active() == nil || b.m.State.Active() != nil {
		t.Fatal("the attack is not set up")
	}
	// A and B talk as the transport lets them: fork evidence, chains in order,
	// and what is wanted by id.
	for range 3 {
		for _, f := range b.m.State.Chains().Forks() {
			for _, id := range []journal.EntryID{f.A, f.B} {
				_, _ = a.do(EntryIn{b.Held[id]}) // one of them is proof enough
			}
		}
		for _, chain := range a.Chains() {
			for _, e := range chain {
				if e.Chain().Author == a.id() && !b.m.State.Chains().Has(e.ID()) {
					b.must(EntryIn{e})
				}
			}
		}
		for _, id := range b.m.Wanted() {
			if e, ok := a.Held[id]; ok {
				b.must(EntryIn{e})
			}
		}
	}
	if b.m.State.Active() == nil {
		t.Fatalf("B is left outside: %s", b.m.Missing())
	}
}

func TestSignaturesFoundPastAForkAreCarried(t *testing.T) {
	c := active(t, 3, 3)
	c.fund(1_000_000)
	a, b, evil := c.peers[0], c.peers[1], c.peers[2]
	evil.Careless = true
	id := a.must(pay(1, 100_000)).(Proposed).Proposal
	c.settle()
	before := evil.m
	evil.must(LeaseAddress{})
	lease := evil.out[len(evil.out)-1]
	evil.m = before
	evil.must(Approve{Proposal: id})
	approval := evil.out[len(evil.out)-1]
	// A is shown the approval first, B only the other branch, then the fork.
	a.must(EntryIn{approval})
	b.must(EntryIn{lease})
	a.must(EntryIn{lease})
	// B hears from A alone, and A's own chain is all it gets.
	for _, chain := range a.Chains() {
		for _, e := range chain {
			if e.Chain().Author == a.id() && !b.m.State.Chains().Has(e.ID()) {
				b.must(EntryIn{e})
			}
		}
	}
	x, _ := b.m.State.Proposal(id)
	if n := b.m.State.SignedInputs(x, memberIndex(b, evil)); n != 1 {
		t.Fatalf("B knows of %d signatures", n)
	}
	n := 0
	for k := range a.m.State.Active().Members {
		n += len(a.m.State.OnlyPastForks(x, uint32(k), &group.Inquiry{}))
	}
	if n != 0 {
		t.Fatalf("%d signatures would be carried again and again", n)
	}
}
