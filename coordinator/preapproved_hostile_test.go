package coordinator

import (
	"errors"
	"strings"
	"testing"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/coordinator/refusal"
)

// Who hides a vote behind an epoch that a node cannot open has that node ask: it holds
// the entry, and does not know what it says.
func TestWhatCannotBeReadEndsSigningUnasked(t *testing.T) {
	c, p := preApproved(t, UpTo{Fee: 5000})
	evil, b, z := c.peers[0], c.peers[1], c.peers[2]
	q := evil.proposed(bump(p, 5000))
	c.settle()
	b.must(Tick{})
	evil.spoil(1, c.peers, b) // sealed to all, and b's does not open
	c.settle(evil, z)
	if _, err := z.do(Reject{Proposal: p.Ref.ID, Reason: "no"}); err != nil {
		t.Fatal(err)
	}
	// All of it reaches b, and nobody has sealed the secret again yet.
	for _, x := range []*peer{evil, z} {
		x.pass(b)
	}
	if b.m.State.UnreadCount() != 1 {
		t.Fatalf("b cannot read %d entries", b.m.State.UnreadCount())
	}
	for _, x := range []*peer{evil, z} {
		b.must(ClaimIn{From: x.id(), Claim: x.m.State.ClaimHeld(1 << 10)})
	}
	if !b.m.State.Covers(b.m.claims, z.id()) {
		t.Fatal("b does not hold all")
	}
	b.must(Tick{})
	if b.m.State.Signed(q, keyOf(b)) {
		t.Fatal("it was signed, though somebody had rejected it")
	}
	if _, err := b.m.mayBump(q, b.input(nil)); !errors.Is(err, errAsked) || !strings.Contains(err.Error(), "cannot be read") {
		t.Errorf("asked since %v", err)
	}
}

// What waits to be judged, after a start or while others bring much, may be a cancel.
func TestWhatIsNotJudgedYetEndsSigningUnasked(t *testing.T) {
	c, p := preApproved(t, UpTo{Fee: 5000})
	a, b, z := c.peers[0], c.peers[1], c.peers[2]
	q := a.proposed(bump(p, 5000))
	c.settle()
	b.must(Tick{})
	cancel := z.must(Propose{Follows: FollowUp{Cancel: p.Ref.ID}, Unsigned: true}).(Proposed).Proposal
	// As Load leaves it: held, and not judged.
	st, _, err := b.m.State.JudgeLater(true).Add(z.Held[cancel], false)
	if err != nil {
		t.Fatal(err)
	}
	b.m.State = st.JudgeLater(false).Derived()
	for _, x := range []*peer{a, z} {
		b.m.claims = b.m.claims.Set(mapkey.Of(x.id()), x.m.State.Chains().Frontier())
	}
	if _, err := b.m.mayBump(q, b.input(nil)); !errors.Is(err, errAsked) {
		t.Errorf("it would be signed beside a cancel: %v", err)
	}
	if b.m.State = b.m.State.Work(workAll); !b.m.State.Idle() {
		t.Fatal("something waits")
	}
	if _, err := b.m.mayBump(q, b.input(nil)); !errors.Is(err, errAsked) || !strings.Contains(err.Error(), "something else") {
		t.Errorf("once it is judged: %v", err)
	}
}

// A bump that is there before its payment's approval agrees to it waits as any other.
func TestABumpMayComeBeforeItIsAgreedTo(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(500_000, 400_000)
	a, b := c.peers[0], c.peers[1]
	x := pay(1, 100_000)
	x.Unsigned = true
	p := a.proposed(x)
	q := a.proposed(bump(p, 5000))
	c.settle()
	b.must(Approve{Proposal: p.Ref.ID, UpTo: &UpTo{Fee: 5000}})
	b.must(Tick{})
	c.hear(b)
	b.must(Tick{})
	if !b.m.State.Signed(q, keyOf(b)) {
		_, err := b.m.mayBump(q, b.input(nil))
		t.Errorf("it is not signed: %v", err)
	}
}

// Who agrees to bumps of what has all its signatures without this node's is told that
// nothing came of it.
func TestNothingIsAgreedToWithoutASignature(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(500_000)
	a, b, z := c.peers[0], c.peers[1], c.peers[2]
	p := a.proposed(pay(1, 100_000))
	c.settle()
	b.must(Approve{Proposal: p.Ref.ID})
	c.settle()
	if _, err := z.do(Approve{Proposal: p.Ref.ID, UpTo: &UpTo{Fee: 5000}}); !refusedBy(err, refusal.AlreadyFinal) {
		t.Errorf("%v, and it agrees to %+v", err, z.m.PreApprovals(p))
	}
	z.must(Approve{Proposal: p.Ref.ID})
	z.must(Approve{Proposal: p.Ref.ID, UpTo: &UpTo{}}) // there is none to end
}

// Where one hosts another, those two keys are heard with one node.
func TestAHostIsHeardForTheKeysItServes(t *testing.T) {
	for name, n := range map[string]int{"another's host": 0, "the host": 1} {
		t.Run(name, func(t *testing.T) {
			c, _ := activeHosting(t, 2, 2)
			c.fund(500_000, 400_000)
			b, a := c.peers[n], c.peers[1-n]
			x := pay(1, 100_000)
			x.Unsigned = true
			p := a.proposed(x)
			c.settle()
			b.must(Approve{Proposal: p.Ref.ID, UpTo: &UpTo{Fee: 5000}})
			c.settle()
			q := a.proposed(bump(p, 5000))
			c.settle()
			b.must(Tick{})
			c.hear(b)
			b.must(Tick{})
			if !b.m.State.Signed(q, keyOf(b)) {
				_, err := b.m.mayBump(q, b.input(nil))
				t.Errorf("it is not signed: %v", err)
			}
		})
	}
}

// One member's entries do not keep what others bump from being looked at.
func TestOneMemberDoesNotFillWhatWaits(t *testing.T) {
	c, p := preApproved(t, UpTo{Fee: 5000})
	a, b, evil := c.peers[0], c.peers[1], c.peers[2]
	// Another payment, of which b agrees to bumps, too: the one that is attacked.
	x := pay(2, 50_000)
	x.Coins = coinsOfAmount(t, a, 500_000+400_000-p.Body.Inputs[0].Amount)
	other := a.proposed(x)
	c.settle()
	b.must(Approve{Proposal: other.Ref.ID, UpTo: &UpTo{Fee: 5000}})
	c.settle()
	next := evil.nextPlace()
	for n := range maxAwaiting + 50 {
		y := &event.ProposalCreated{Inputs: []event.ProposalInput{{Vout: uint32(n), Amount: 2_000_000}},
			Outputs: []event.ProposalOutput{{PkScript: recipient(9), Amount: 900_000}}}
		y.Replaces = append(y.Replaces, other.TxID)
		b.must(EntryIn{evil.forge(next, y)})
	}
	q := a.proposed(bump(p, 5000))
	a.pass(b)
	if _, waits := b.m.watch.bumps.Get(mapkey.Of(q.Ref.ID)); !waits {
		t.Errorf("%d others wait, and the bump does not", b.m.watch.bumps.Len())
	}
}

// A bump that is written past a fork may be younger than what others said that they hold,
// though its place is before the end of what they named.
func TestABumpPastAForkIsNotSignedUnasked(t *testing.T) {
	c := active(t, 3, 5)
	c.fund(500_000, 400_000)
	evil, b, also := c.peers[0], c.peers[1], c.peers[2]
	x := pay(1, 100_000)
	x.Unsigned = true
	p := evil.proposed(x)
	c.settle()
	b.must(Approve{Proposal: p.Ref.ID, UpTo: &UpTo{Fee: 5000}})
	c.settle()
	at := *evil.nextPlace()
	for index := range uint32(3) {
		if _, err := evil.wild(&event.AddressLeased{Index: index}); err != nil {
			t.Fatal(err)
		}
	}
	c.hear(b) // and then somebody rejects it, whom b does not reach any more
	y := *p.Body
	y.Replaces = append(y.Replaces[:0:0], p.TxID)
	y.Outputs = append([]event.ProposalOutput{}, y.Outputs...)
	for i := range y.Outputs {
		if y.Outputs[i].Change != nil {
			y.Outputs[i].Amount -= 1000
		}
	}
	e := evil.forge(&at, &y)
	b.must(EntryIn{e})
	b.must(EntryIn{also.forge(also.nextPlace(), &event.ProposalApproved{Proposal: e.ID(), Signatures: also.signedBy(&y)})})
	b.must(Tick{})
	q, _ := b.m.State.Proposal(e.ID())
	if !b.m.State.Alive(q) {
		t.Fatal("it has no effect")
	}
	if b.m.State.Signed(q, keyOf(b)) {
		t.Error("it was signed, though nobody said that it is held")
	}
}
