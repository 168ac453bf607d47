package coordinator

import (
	"errors"
	"slices"
	"testing"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/ledger"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/wallet"
)

// faults returns what a peer counts against another.
func (p *peer) faults(of *peer) map[string]uint64 { return p.m.Faults()[of.id()] }

func TestSignaturesAreCreditedToTheKeyThatVerifies(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(1_000_000)
	a, b, evil := c.peers[0], c.peers[1], c.peers[2]
	id := a.must(pay(1, 100_000)).(Proposed).Proposal
	c.settle()
	p, _ := b.m.State.Proposal(id)
	var stolen []event.PartialSignature
	for _, s := range b.m.State.Signatures(p) {
		stolen = append(stolen, event.PartialSignature{Input: s.Input, Key: s.Key, Bytes: s.Bytes})
	}
	me, _ := evil.m.State.Active().Index(evil.id())

	// A's signature under the thief's own key: it does not verify.
	own := append([]event.PartialSignature(nil), stolen...)
	for i := range own {
		own[i].Key = uint32(me)
	}
	if _, err := evil.wild(&event.ProposalApproved{Proposal: id, Signatures: own}); err != nil {
		t.Fatal(err)
	}
	// A's signature under A's key, in the thief's approval: it is A's.
	if _, err := evil.wild(&event.ProposalApproved{Proposal: id, Signatures: stolen}); err != nil {
		t.Fatal(err)
	}
	// Signatures over other bytes.
	other, err := wallet.NewSpend(b.m.State.Active().Descriptor, []wallet.Input{{OutPoint: p.Body.Inputs[0].OutPoint(), Amount: p.Body.Inputs[0].Amount, Index: p.Body.Inputs[0].Index, Branch: p.Body.Inputs[0].Branch}},
		[]wallet.Output{{PkScript: recipient(66), Amount: 5000}}, 0)
	if err != nil {
		t.Fatal(err)
	}
	wrong, err := other.Sign(evil.account)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := evil.wild(&event.ProposalApproved{Proposal: id, Signatures: []event.PartialSignature{{Input: 0, Key: uint32(me), Bytes: wrong[0].Bytes}}}); err != nil {
		t.Fatal(err)
	}
	c.settle()
	if n := b.m.State.SignedInputs(p, me); n != 0 {
		t.Fatalf("the thief is credited with %d signatures", n)
	}
	if got := b.status(id); got != group.StatusPending {
		t.Fatalf("status %s", got)
	}
	f := b.faults(evil)
	if f["bad_bitcoin_signature"] != 2 || f["signature_of_another"] != 1 {
		t.Fatalf("faults %v", f)
	}
	b.must(Approve{Proposal: id})
	c.settle()
	if got := a.status(id); got != group.StatusFinal && got != group.StatusBroadcast {
		t.Fatalf("the others did not finish: %s", got)
	}
}

func TestEquivocationTaintsVotesButNotSignatures(t *testing.T) {
	c := active(t, 3, 3)
	c.fund(1_000_000)
	a, b, evil := c.peers[0], c.peers[1], c.peers[2]
	evil.Careless = true
	id := a.must(pay(1, 100_000)).(Proposed).Proposal
	c.settle()
	before := evil.m
	evil.must(Reject{Proposal: id, Reason: "to some"})
	evil.m = before
	evil.must(Approve{Proposal: id})
	c.settle()
	for _, p := range []*peer{a, b} {
		if f := p.faults(evil); f["equivocation"] != 1 {
			t.Fatalf("%s counts %v", p.name, f)
		}
		x, _ := p.m.State.Proposal(id)
		if against := p.m.State.Against(x); len(against) != 0 {
			t.Fatalf("%s: a tainted vote counts: %v", p.name, against)
		}
		if n := p.m.State.SignedInputs(x, memberIndex(p, evil)); n != 1 {
			t.Fatalf("%s: a signature that verifies does not count", p.name)
		}
	}
	// A withdrawal past the fork has no effect either, and the rest goes on.
	b.must(Approve{Proposal: id})
	c.settle(a, b)
	if got := a.status(id); got != group.StatusFinal && got != group.StatusBroadcast {
		t.Fatalf("status %s", got)
	}
}

func memberIndex(p, of *peer) int {
	i, _ := p.m.State.Active().Index(of.id())
	return i
}

func TestStrangersAndForgersAreNotTaken(t *testing.T) {
	c := active(t, 2, 3)
	a := c.peers[0]
	stranger := journal.NewIdentity([32]byte{77})
	ep, _ := a.m.State.Epoch()
	plain, err := event.Encode(event.Event{Time: 1, Body: &event.AddressLeased{Index: 3}})
	if err != nil {
		t.Fatal(err)
	}
	e, err := journal.Seal(stranger, ep, journal.Next{Incarnation: 1, Seq: 1}, plain, [24]byte{1})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.do(EntryIn{e}); !errors.Is(err, port.IgnoreAuthor) {
		t.Fatalf("stranger's entry: %v", err)
	}
	ep.Group[0]++
	e, err = journal.Seal(stranger, ep, journal.Next{Incarnation: 1, Seq: 1}, plain, [24]byte{1})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.do(EntryIn{e}); !errors.Is(err, port.RejectGroup) || !port.IsReject(err) {
		t.Fatalf("entry of another group: %v", err)
	}
}

func TestGapIsAskedFor(t *testing.T) {
	c := active(t, 2, 3)
	a, b := c.peers[0], c.peers[1]
	a.must(LeaseAddress{})
	a.must(LeaseAddress{})
	last := a.out[len(a.out)-1]
	_, err := b.do(EntryIn{last})
	var gap *port.GapError
	if !errors.As(err, &gap) || gap.From != last.Position().Seq-1 || !errors.Is(err, port.IgnoreGap) || port.IsReject(err) {
		t.Fatalf("%v", err)
	}
}

func TestStepLeavesItsMachineAsItWas(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(1_000_000)
	a, b := c.peers[0], c.peers[1]
	id := a.must(pay(1, 100_000)).(Proposed).Proposal
	c.settle()
	before, was := b.m, canon(b.m.State)
	in := b.input(Approve{Proposal: id})
	one, _, err := Step(before, in)
	if err != nil {
		t.Fatal(err)
	}
	b.must(Approve{Proposal: id})
	if canon(before.State) != was {
		t.Fatal("Step changed the machine that was passed in")
	}
	two, _, err := Step(before, in)
	if err != nil || canon(one.State) != canon(two.State) {
		t.Fatalf("the same machine and input gave another result (%v)", err)
	}
}

func TestAnApprovalBeforeItsProposalWaits(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(1_000_000)
	a, b, z := c.peers[0], c.peers[1], c.peers[2]
	id := a.must(pay(1, 100_000)).(Proposed).Proposal
	c.settle(a, b)
	b.must(Approve{Proposal: id})
	// Z gets B's chain first.
	for _, chain := range b.Chains() {
		for _, e := range chain {
			if e.Chain().Author == b.id() && !z.m.State.Chains().Has(e.ID()) {
				z.must(EntryIn{e})
			}
		}
	}
	if z.m.State.Counts()["proposals"] != 0 || len(z.m.Wanted()) != 1 || z.m.Wanted()[0] != id {
		t.Fatalf("wanted %v", z.m.Wanted())
	}
	c.settle()
	if got := z.status(id); got != group.StatusFinal && got != group.StatusBroadcast {
		t.Fatalf("status %s", got)
	}
}

func TestReorgRevivesAndDisarms(t *testing.T) {
	c := active(t, 2, 3)
	coins := c.fund(1_000_000)
	a, b, z := c.peers[0], c.peers[1], c.peers[2]
	x, y := pay(1, 100_000), pay(2, 100_000)
	x.Coins, y.Coins = coins, coins
	one, two := a.must(x).(Proposed).Proposal, b.must(y).(Proposed).Proposal
	c.settle()
	z.must(Approve{Proposal: two})
	c.settle()
	c.mine(z.sent)
	for range ledger.BuriedDepth - 1 {
		c.mine(nil)
	}
	p, _ := a.m.State.Proposal(one)
	if !a.m.Guard.buried(a.m.View, p.TxID) {
		t.Fatal("a rival six deep does not end what A signed")
	}
	for i := range ledger.BuriedDepth {
		n := c.blocks[len(c.blocks)-1-i]
		n.Kind = port.Disconnected
		for _, q := range c.peers {
			q.must(ChainIn{n})
		}
	}
	if a.m.Guard.buried(a.m.View, p.TxID) {
		t.Fatal("a reorg does not arm the guard again")
	}
	if got := a.status(one); got != group.StatusPending {
		t.Fatalf("after the reorg: %s", got)
	}
	if got := a.status(two); got != group.StatusBroadcast && got != group.StatusFinal {
		t.Fatalf("after the reorg: %s", got)
	}
}

func TestAFarLeaseKeepsNobodyFromAnAddress(t *testing.T) {
	c := active(t, 2, 3)
	a, evil := c.peers[0], c.peers[2]
	if _, err := evil.wild(&event.AddressLeased{Index: event.MaxIndex - 1}); err != nil {
		t.Fatal(err)
	}
	c.settle()
	if l := a.must(LeaseAddress{}).(Lease); l.Index != uint32(memberIndex(a, a)) {
		t.Fatalf("index %d", l.Index)
	}
	if n := len(a.m.View.Scripts()); n > 2*(ledger.GapLimit+ledger.BeyondGap) {
		t.Fatalf("%d scripts are watched", n)
	}
}

func TestAMemberCannotTakeAllAddresses(t *testing.T) {
	c := active(t, 2, 3)
	a, evil := c.peers[0], c.peers[2]
	for i := range uint32(ledger.GapLimit + ledger.BeyondGap) {
		if _, err := evil.wild(&event.AddressLeased{Index: i}); err != nil {
			t.Fatal(err)
		}
	}
	c.settle()
	a.refused(refusal.Gap, LeaseAddress{})
	const share = (ledger.GapLimit+ledger.BeyondGap)/3 - 1
	got := map[uint32]bool{}
	for i := range uint32(ledger.GapLimit + ledger.BeyondGap - share) {
		l := a.must(LeaseAddress{BeyondGap: true}).(Lease)
		if l.Index < share || got[l.Index] {
			t.Fatalf("lease %d has index %d", i, l.Index)
		}
		got[l.Index] = true
	}
	// Its own leases count all: it hands out no address twice.
	a.refused(refusal.Gap, LeaseAddress{BeyondGap: true})
}

func TestAMemberCannotOutshoutWhatIsWanted(t *testing.T) {
	c := active(t, 2, 4)
	c.fund(1_000_000)
	a, b, evil, z := c.peers[0], c.peers[1], c.peers[2], c.peers[3]
	id := a.must(pay(1, 100_000)).(Proposed).Proposal
	c.settle(a, b)
	b.must(Approve{Proposal: id})
	for i := range 300 {
		lie := journal.EntryID{1: byte(i), 2: byte(i >> 8)} // before all others
		if _, err := evil.wild(&event.SignatureCarried{Proposal: lie, Signatures: []event.PartialSignature{{Bytes: make([]byte, 70)}}}); err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range []*peer{b, evil} {
		for _, chain := range p.Chains() {
			for _, e := range chain {
				if e.Chain().Author == p.id() && !z.m.State.Chains().Has(e.ID()) {
					z.must(EntryIn{e})
				}
			}
		}
	}
	wanted := z.m.Wanted()
	if !slices.Contains(wanted, id) || len(wanted) < 2 {
		t.Fatalf("%d are wanted, and not the proposal that B approved", len(wanted))
	}
}
