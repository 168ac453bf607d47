package coordinator

import (
	"bytes"
	"slices"
	"testing"

	"github.com/btcsuite/btcd/wire/v2"
	"pgregory.net/rapid"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/wallet"
)

// lieAbout enters a transaction as another proposal would: with other amounts of
// its inputs, which no txid covers and every signature does. The liar's own
// key signs that.
func lieAbout(t *testing.T, liar *peer, p *group.Proposal, by int64) (*event.ProposalCreated, []event.PartialSignature) {
	t.Helper()
	b := *p.Body
	b.Inputs = slices.Clone(p.Body.Inputs)
	for i := range b.Inputs {
		b.Inputs[i].Amount += by
	}
	spend := liar.spendOf(&b)
	if spend.TxID() != p.TxID {
		t.Fatal("other amounts make another txid")
	}
	return &b, signWith(t, liar, spend)
}

func signWith(t rapid.TB, by *peer, spend *wallet.Spend) []event.PartialSignature {
	t.Helper()
	sigs, err := spend.Sign(by.account)
	if err != nil {
		t.Fatal(err)
	}
	var out []event.PartialSignature
	for _, x := range sigs {
		out = append(out, event.PartialSignature{Input: x.Input, Key: x.Key, Bytes: x.Bytes})
	}
	return out
}

// signTruly signs a proposal as it is stated.
func signTruly(t rapid.TB, by *peer, p *group.Proposal) []event.PartialSignature {
	t.Helper()
	spend, err := p.Spend(by.m.State.Active())
	if err != nil {
		t.Fatal(err)
	}
	return signWith(t, by, spend)
}

// lesserLie is a lie whose signature is less than a true one of the same key.
func lesserLie(t *testing.T, liar *peer, p *group.Proposal, good []event.PartialSignature) (*event.ProposalCreated, []event.PartialSignature) {
	t.Helper()
	for by := int64(7); ; by++ {
		lie, bad := lieAbout(t, liar, p, by)
		if bytes.Compare(bad[0].Bytes, good[0].Bytes) < 0 {
			return lie, bad
		}
	}
}

// writes has a peer write entries of its own making.
func (p *peer) writes(t *testing.T, bodies ...event.Body) (last *journal.Entry) {
	t.Helper()
	for _, b := range bodies {
		e, err := p.wild(b)
		if err != nil {
			t.Fatal(err)
		}
		last = e
	}
	return last
}

func (p *peer) broadcasts(q *group.Proposal) bool {
	for _, tx := range p.sent {
		if tx.TxHash() == q.TxID {
			return true
		}
	}
	return false
}

// TestALieAboutAmountsMakesNothingFinal: one honest signature and one over other
// amounts are two keys of 2 of 4, and no transaction. They keep no rival back.
func TestALieAboutAmountsMakesNothingFinal(t *testing.T) {
	c := active(t, 2, 4)
	coins := c.fund(1_000_000)
	a, b, z, evil := c.peers[0], c.peers[1], c.peers[2], c.peers[3]
	x := pay(1, 100_000)
	x.Coins, x.FeeRate = coins, 20_000
	one := a.must(x).(Proposed).Proposal
	c.settle()
	p, _ := evil.m.State.Proposal(one)
	lie, bad := lieAbout(t, evil, p, 7)
	e := evil.writes(t, lie)
	evil.writes(t, &event.ProposalApproved{Proposal: e.ID(), Signatures: bad})
	c.settle()
	for _, w := range []*peer{a, b, z} {
		for _, id := range []journal.EntryID{one, e.ID()} {
			if got := w.status(id); got != group.StatusPending {
				t.Errorf("%s: with one valid signature of two: %s", w.name, got)
			}
		}
		if q, _ := w.m.State.Proposal(one); len(w.m.Approvals(q)) != 1 || w.m.Approvals(q)[0].Member.Identity != a.id() {
			t.Errorf("%s: approved by %v", w.name, w.m.Approvals(q))
		}
	}
	if _, err := a.do(Withdraw{Proposal: one}); err != nil {
		t.Errorf("its author cannot withdraw it: %v", err)
	}
	// Two honest ones pay with the same coin.
	y := pay(2, 200_000)
	y.Coins = coins
	two := b.must(y).(Proposed).Proposal
	c.settle()
	z.must(Approve{Proposal: two})
	c.settle()
	for range 40 {
		for _, q := range []*peer{a, b, z} {
			q.must(Tick{})
		}
	}
	q, _ := z.m.State.Proposal(two)
	for _, w := range []*peer{a, b, z} {
		if !w.broadcasts(q) {
			t.Errorf("%s never broadcasts what two honest ones signed (%s)", w.name, w.status(two))
		}
	}
}

// TestALieAboutAmountsRaisesNoAlarm: nothing is taken for final that no
// script engine would accept, and a replacement pays for nothing.
func TestALieAboutAmountsRaisesNoAlarm(t *testing.T) {
	c := active(t, 2, 3)
	coins := c.fund(1_000_000)
	a, b, evil := c.peers[0], c.peers[1], c.peers[2]
	x := pay(1, 100_000)
	x.Coins = coins
	one := a.must(x).(Proposed).Proposal
	c.settle()
	p, _ := evil.m.State.Proposal(one)
	lie, bad := lieAbout(t, evil, p, 7)
	e := evil.writes(t, lie)
	evil.writes(t, &event.ProposalApproved{Proposal: e.ID(), Signatures: bad})
	c.settle()
	b.told = nil
	b.ticks(100)
	for _, x := range b.told {
		if x.Type == "alarm" {
			t.Errorf("told %+v", x)
		}
	}
	y := pay(1, 100_000)
	y.FeeRate, y.Replaces = 1000, []journal.EntryID{one}
	if _, err := a.do(y); err != nil {
		t.Errorf("a cheaper replacement of what nobody can mine: %v", err)
	}
}

// TestALieCallsNoSignatureBack: of a key's signatures the least is kept, and the
// one over other amounts is less.
func TestALieCallsNoSignatureBack(t *testing.T) {
	c := active(t, 2, 3)
	coins := c.fund(1_000_000)
	a, evil := c.peers[0], c.peers[2]
	x := pay(1, 100_000)
	x.Coins = coins
	one := a.must(x).(Proposed).Proposal
	c.settle()
	p, _ := evil.m.State.Proposal(one)
	good := signTruly(t, evil, p)
	evil.writes(t, &event.ProposalApproved{Proposal: one, Signatures: good})
	c.settle()
	if got := a.status(one); got != group.StatusFinal {
		t.Fatal(got)
	}
	q, _ := a.m.State.Proposal(one)
	built, err := a.m.State.FinalTx(q)
	if err != nil {
		t.Fatal(err)
	}
	lie, bad := lesserLie(t, evil, p, good)
	e := evil.writes(t, lie)
	evil.writes(t, &event.ProposalApproved{Proposal: e.ID(), Signatures: bad})
	c.settle()
	if tx, err := a.m.State.FinalTx(q); err != nil || tx.WitnessHash() != built.WitnessHash() {
		t.Errorf("a released signature was called back: %v", err)
	}
	if a.status(one) != group.StatusFinal || a.status(e.ID()) != group.StatusPending {
		t.Errorf("the truth is %s and the lie %s", a.status(one), a.status(e.ID()))
	}
}

// TestACarrierOfATrueSignatureIsNotFramed: a node carries what it verified, and not
// what the same key signed over other amounts.
func TestACarrierOfATrueSignatureIsNotFramed(t *testing.T) {
	c := active(t, 2, 3)
	coins := c.fund(1_000_000)
	a, b, evil := c.peers[0], c.peers[1], c.peers[2]
	x := pay(1, 100_000)
	x.Coins, x.Unsigned = coins, true
	one := a.must(x).(Proposed).Proposal
	c.settle()
	p, _ := evil.m.State.Proposal(one)
	good := signTruly(t, evil, p)
	lie, bad := lesserLie(t, evil, p, good)
	next := evil.nextPlace()
	first := *next
	e := evil.forge(next, lie)
	for id := e.ID(); bytes.Compare(id[:], one[:]) < 0; id = e.ID() { // it stands after the honest one
		*next = first
		e = evil.forge(next, lie)
	}
	es := []*journal.Entry{e, evil.forge(next, &event.ProposalApproved{Proposal: one, Signatures: good}),
		evil.forge(next, &event.ProposalApproved{Proposal: e.ID(), Signatures: bad})}
	es = append(es, evil.forge(&first, &event.AddressLeased{Index: 6})) // the fork
	for _, e := range es {
		a.must(EntryIn{e})
	}
	a.must(Tick{})
	c.settle(a, b)
	for range 3 {
		a.must(Tick{})
		b.must(Tick{})
		c.settle()
	}
	if f := b.faults(a); len(f) != 0 {
		t.Errorf("B counts against the honest A: %v", f)
	}
	if f := a.faults(b); len(f) != 0 {
		t.Errorf("A counts against the honest B: %v", f)
	}
	if q, _ := b.m.State.Proposal(one); b.m.State.SignedInputs(q, memberIndex(b, evil)) != 1 {
		t.Error("the true signature did not reach B")
	}
}

// TestOneKeysLiesFinishNothing: signatures of k keys, each over other amounts, are
// nothing; and k over what the coins do not hold are no final transaction.
func TestOneKeysLiesFinishNothing(t *testing.T) {
	c := active(t, 2, 3)
	coins := c.fund(1_000_000)
	a, b, evil := c.peers[0], c.peers[1], c.peers[2]
	x := pay(1, 100_000)
	x.Coins, x.Unsigned = coins, true
	one := a.must(x).(Proposed).Proposal
	c.settle()
	p, _ := evil.m.State.Proposal(one)
	lie, sigs := lieAbout(t, evil, p, 7)
	e := evil.writes(t, lie)
	evil.writes(t, &event.ProposalApproved{Proposal: e.ID(), Signatures: sigs})
	c.settle()
	// The key of another member, wherever it was led to sign that.
	b.writes(t, &event.ProposalApproved{Proposal: e.ID(), Signatures: signTruly(t, b, func() *group.Proposal { q, _ := b.m.State.Proposal(e.ID()); return q }())})
	c.settle()
	for _, id := range []journal.EntryID{one, e.ID()} {
		if got := a.status(id); got != group.StatusPending {
			t.Errorf("%s: %s", id, got)
		}
	}
	// A rival that two sign truly goes out all the same.
	y := pay(2, 200_000)
	y.Coins = coins
	two := a.must(y).(Proposed).Proposal
	c.settle()
	q, _ := evil.m.State.Proposal(two)
	evil.writes(t, &event.ProposalApproved{Proposal: two, Signatures: signTruly(t, evil, q)})
	c.settle()
	a.ticks(10)
	if !a.broadcasts(q) {
		t.Errorf("a rival that can be mined is not broadcast: %s", a.status(two))
	}
	for _, x := range a.told {
		if x.Type == "alarm" && x.TxID == p.TxID {
			t.Errorf("told %+v", x)
		}
	}
}

// TestALieDoesNotAccountForAForeignSpend: signatures over other amounts are not those
// that a transaction in the chain was made with.
func TestALieDoesNotAccountForAForeignSpend(t *testing.T) {
	c := active(t, 2, 3)
	coins := c.fund(1_000_000)
	a, b, evil := c.peers[0], c.peers[1], c.peers[2]
	x := pay(1, 100_000)
	x.Coins, x.Unsigned = coins, true
	one := a.must(x).(Proposed).Proposal
	c.settle()
	p, _ := evil.m.State.Proposal(one)
	lie, sigs := lieAbout(t, evil, p, 7)
	e := evil.writes(t, lie)
	q, _ := evil.m.State.Proposal(e.ID())
	sigs = append(sigs, signTruly(t, b, q)...)
	evil.writes(t, &event.SignatureCarried{Proposal: e.ID(), Signatures: sigs})
	c.settle()
	if q, _ := a.m.State.Proposal(e.ID()); !a.m.State.Final(q) {
		t.Fatal("the lie has not the signatures of two keys")
	}
	spend, err := p.Spend(evil.m.State.Active())
	if err != nil {
		t.Fatal(err)
	}
	var both []wallet.Signature
	for _, x := range append(signTruly(t, evil, p), signTruly(t, b, p)...) {
		both = append(both, wallet.Signature{Input: x.Input, Key: x.Key, Bytes: x.Bytes})
	}
	tx, err := spend.Finalize(both, nil)
	if err != nil {
		t.Fatal(err)
	}
	c.mine([]*wire.MsgTx{tx})
	if !a.m.foreign(p.TxID) {
		t.Error("a spend behind the others' backs is accounted for by signatures over a lie")
	}
}

// TestATrueCopyStandsForAFinalTransaction: most keys may endorse the lie. What two
// copies disagree on is told of neither's transaction.
func TestATrueCopyStandsForAFinalTransaction(t *testing.T) {
	c := active(t, 3, 5)
	coins := c.fund(1_000_000)
	a, e1, e2 := c.peers[0], c.peers[3], c.peers[4]
	x := pay(1, 100_000)
	x.Coins, x.Note = coins, "rent"
	one := a.must(x).(Proposed).Proposal
	c.settle()
	p, _ := e1.m.State.Proposal(one)
	lie, s1 := lieAbout(t, e1, p, 7)
	lie.Note = "bribe"
	e := e1.writes(t, lie)
	e1.writes(t, &event.ProposalApproved{Proposal: e.ID(), Signatures: s1})
	c.settle()
	q, _ := e2.m.State.Proposal(e.ID())
	e2.writes(t, &event.ProposalApproved{Proposal: e.ID(), Signatures: signTruly(t, e2, q)})
	e1.writes(t, &event.ProposalApproved{Proposal: one, Signatures: signTruly(t, e1, p)})
	e2.writes(t, &event.ProposalApproved{Proposal: one, Signatures: signTruly(t, e2, p)})
	c.settle()
	b := c.peers[1]
	if got := b.status(one); got != group.StatusFinal {
		t.Fatalf("three of five keys signed: %s", got)
	}
	if got := b.status(e.ID()); got != group.StatusPending {
		t.Errorf("two of five keys signed the lie: %s", got)
	}
	b.ticks(10)
	if !b.broadcasts(p) {
		t.Error("it is not broadcast")
	}
	if n := b.m.watch.looks.Len(); n != 0 {
		t.Errorf("%d are looked at again and again", n)
	}
	if x, _ := b.m.watch.sending.Get(mapkey.Of(p.TxID)); x.status != b.status(one) {
		t.Errorf("sent as %q, and its status is %s", x.status, b.status(one))
	}
	if lead, _ := b.m.State.Lead(p.TxID); lead.Ref.ID != one {
		t.Error("the lie stands for the transaction")
	}
	if note, who := b.m.State.LabelReader().OfTx(p.TxID); note != "rent" || who != a.id() {
		t.Errorf("the history shows %q by %v", note, who)
	}
	c.mine([]*wire.MsgTx{b.sent[len(b.sent)-1]})
	if got := b.status(one); got != group.StatusConfirmed {
		t.Errorf("mined: %s", got)
	}
	if b.m.foreign(p.TxID) {
		t.Error("it is told as a foreign spend")
	}
}

// TestWhatCannotBeBuiltIsToldOnce: whatever the fault, it is no news every few seconds.
func TestWhatCannotBeBuiltIsToldOnce(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(1_000_000)
	a, b, z := c.peers[0], c.peers[1], c.peers[2]
	one := a.must(pay(1, 100_000)).(Proposed).Proposal
	c.settle()
	b.must(Approve{Proposal: one})
	c.settle(a, b)
	c.settle(a, z)
	p, _ := z.m.State.Proposal(one)
	if z.status(one) != group.StatusFinal {
		t.Fatal(z.status(one))
	}
	// The disk has a signature of A's otherwise than it was verified.
	snap, err := z.m.State.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range z.m.State.Signatures(p) {
		if int(x.Key) == memberIndex(z, a) {
			bad := slices.Clone(x.Bytes)
			bad[len(bad)-2] ^= 1
			snap = bytes.ReplaceAll(snap, x.Bytes, bad)
		}
	}
	z.m.State = beginning(z.m.State, z.self, snap)
	if q, _ := z.m.State.Proposal(one); z.status(one) != group.StatusFinal {
		t.Fatal(z.status(one))
	} else if _, err := z.m.State.FinalTx(q); err == nil {
		t.Fatal("the transaction can be built")
	}
	z.told, z.sent = nil, nil
	z.ticks(200)
	n := 0
	for _, x := range z.told {
		if x.Type == "alarm" && x.TxID == p.TxID {
			n++
		}
	}
	if n != 1 || len(z.sent) != 0 {
		t.Errorf("told %d times in 400 s, and sent %d times", n, len(z.sent))
	}
}
