package coordinator

import (
	"encoding/binary"
	"testing"

	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/wallet"
)

// signedBy returns a member's own signatures on what an entry proposes.
func (p *peer) signedBy(b *event.ProposalCreated) []event.PartialSignature {
	p.tb.Helper()
	sigs, err := p.spendOf(b).Sign(p.account)
	if err != nil {
		p.tb.Fatal(err)
	}
	out := make([]event.PartialSignature, len(sigs))
	for i, x := range sigs {
		out[i] = event.PartialSignature{Input: x.Input, Key: x.Key, Bytes: x.Bytes}
	}
	return out
}

// spendOf is the transaction that an entry proposes.
func (p *peer) spendOf(b *event.ProposalCreated) *wallet.Spend {
	p.tb.Helper()
	draft, err := p.m.State.Draft(p.chain(), b)
	if err != nil {
		p.tb.Fatal(err)
	}
	spend, err := draft.Spend(p.m.State.Active())
	if err != nil {
		p.tb.Fatal(err)
	}
	return spend
}

// coinsOf returns what a proposal of coins of the wallet states of them.
func (p *peer) coinsOf(coins []wire.OutPoint) []event.ProposalInput {
	p.tb.Helper()
	var out []event.ProposalInput
	for _, o := range coins {
		x, ok := p.m.View.Out(o)
		if !ok {
			p.tb.Fatalf("%v is no coin", o)
		}
		out = append(out, event.ProposalInput{TxID: o.Hash, Vout: o.Index, Amount: x.Amount, Branch: x.Branch, Index: x.Index})
	}
	return out
}

// carries counts the entries in which a member carried signatures.
func (p *peer) carries() (n int) {
	for _, e := range p.Held {
		if e.Header().Author != p.id() {
			continue
		}
		if _, ok := p.bodyOf(e).(*event.SignatureCarried); ok {
			n++
		}
	}
	return n
}

// rivalsOf forges proposals that pay from the same coins, each with its
// author's signatures in so many approvals.
func (p *peer) rivalsOf(next *journal.Next, ins []event.ProposalInput, n, approvals int) (es []*journal.Entry) {
	for i := range n {
		b := &event.ProposalCreated{Inputs: ins, Outputs: []event.ProposalOutput{{PkScript: recipient(9), Amount: int64(1000 + i)}}}
		e := p.forge(next, b)
		es = append(es, e)
		sigs := p.signedBy(b)
		for len(sigs) > 0 {
			each := (len(sigs) + approvals - 1) / approvals
			es = append(es, p.forge(next, &event.ProposalApproved{Proposal: e.ID(), Signatures: sigs[:each]}))
			sigs = sigs[each:]
		}
	}
	return es
}

// One who forks makes nobody write an entry for each of its own: others grant an
// honest node only so many.
func TestAForkerMakesNobodyWriteWithoutEnd(t *testing.T) {
	slow(t)
	for name, x := range map[string]struct {
		there            bool // the coins are the wallet's
		txs, ins, strewn int
		most             int
	}{
		"coins that are not there":   {false, 5, 100, 100, 0},
		"signatures one by one":      {true, 1, 40, 40, 0},
		"more rivals than are taken": {true, maxCarries + 50, 1, 1, maxCarries},
	} {
		t.Run(name, func(t *testing.T) {
			c := active(t, 3, 3)
			a, b, evil := c.peers[0], c.peers[1], c.peers[2]
			var ins []event.ProposalInput
			if x.there {
				amounts := make([]int64, x.ins)
				for i := range amounts {
					amounts[i] = 1_000_000
				}
				ins = evil.coinsOf(c.fund(amounts...))
			}
			for i := range uint32(x.ins) {
				if in := (event.ProposalInput{Vout: i, Amount: 1_000_000}); !x.there {
					binary.BigEndian.PutUint32(in.TxID[:], 7)
					ins = append(ins, in)
				}
			}
			next := evil.nextPlace()
			first := *next
			for _, e := range evil.rivalsOf(next, ins, x.txs, x.strewn) {
				a.must(EntryIn{e})
			}
			fork := evil.forge(&first, &event.AddressLeased{Index: 7})
			a.must(EntryIn{fork})
			a.rest()
			// A transaction with nothing but the forker's own signatures has no effect.
			if n := a.carries(); n > 0 {
				t.Errorf("%d entries carry what is not alive", n)
			}
			// An honest member signs the same: it is alive.
			for _, p := range a.m.Proposals() {
				t.Errorf("%v is alive", p.TxID)
			}
			next = b.nextPlace()
			for p := range a.m.State.AllProposals {
				if q, _ := a.m.State.Proposal(p.Ref.ID); q != p {
					t.Fatal("another key")
				}
				a.must(EntryIn{b.forge(next, &event.ProposalApproved{Proposal: p.Ref.ID, Signatures: b.signedBy(p.Body)})})
			}
			a.rest()
			want := x.most
			if x.there && want == 0 {
				want = x.txs
			}
			if n := a.carries(); n != want {
				t.Errorf("%d entries carry what a forker signed, want %d", n, want)
			}
			// A restart grants nothing anew.
			a.crash()
			a.must(Started{})
			a.must(EntryIn{b.forge(next, &event.AddressLeased{Index: 3})})
			a.rest()
			if n := a.carries(); n != want {
				t.Errorf("%d entries carry what a forker signed after a restart, want %d", n, want)
			}
		})
	}
}

// What a member wrote past its own cut stands without effect; when it turns out that
// it forked there, too, nothing else is tainted than before, and what it signed is
// carried all the same: others may never be handed those entries.
func TestWhatAForkerSignedPastItsCutIsCarried(t *testing.T) {
	c := active(t, 3, 3)
	c.fund(1_000_000)
	a, b, evil := c.peers[0], c.peers[1], c.peers[2]
	id := b.must(pay(1, 100_000)).(Proposed).Proposal
	c.settle()
	p, _ := a.m.State.Proposal(id)
	next := evil.nextPlace()
	first := *next
	at := evil.m.State.Chains().Frontier()[evil.chain()]
	for _, e := range []*journal.Entry{
		evil.forge(&journal.Next{Incarnation: 2, Seq: 1}, &event.IncarnationStarted{Seq: at.Seq, Last: at.ID}),
		evil.forge(next, &event.AddressLeased{Index: 3}),
		evil.forge(next, &event.ProposalApproved{Proposal: id, Signatures: evil.signedBy(p.Body)}),
	} {
		a.must(EntryIn{e})
	}
	a.rest()
	if n := a.carries(); n != 0 {
		t.Fatalf("%d entries are carried of a chain that is not forked", n)
	}
	a.must(EntryIn{evil.forge(&first, &event.AddressLeased{Index: 7})})
	a.rest()
	if n := a.carries(); n != 1 {
		t.Errorf("%d entries carry what the forker signed, want 1", n)
	}
	c.settle(a, b)
	q, _ := b.m.State.Proposal(id)
	n := 0
	for k := range b.m.State.Active().Members {
		if b.m.State.SignedInputs(q, k) == len(q.Body.Inputs) {
			n++
		}
	}
	if n != 2 {
		t.Errorf("another counts the signatures of %d keys, want 2", n)
	}
}

// What one forker uses up is not what is carried for another, who forked by mistake.
func TestEachForkerIsCarriedOnItsOwnAccount(t *testing.T) {
	slow(t)
	c := active(t, 3, 4)
	ins := c.peers[0].coinsOf(c.fund(1_000_000, 2_000_000))
	a, b, honest, evil := c.peers[0], c.peers[1], c.peers[2], c.peers[3]
	next := evil.nextPlace()
	first := *next
	es := evil.rivalsOf(next, ins[:1], maxCarries+20, 1)
	ofB, ofHonest := b.nextPlace(), honest.nextPlace()
	branch := *ofHonest
	for _, e := range es {
		a.must(EntryIn{e})
		if p, ok := a.m.State.Proposal(e.ID()); ok {
			a.must(EntryIn{b.forge(ofB, &event.ProposalApproved{Proposal: e.ID(), Signatures: b.signedBy(p.Body)})})
		}
	}
	// The other one signs what spends another coin, in three of its entries.
	x := &event.ProposalCreated{Inputs: ins[1:], Outputs: []event.ProposalOutput{{PkScript: recipient(1), Amount: 5000}}}
	prop := b.forge(ofB, x)
	a.must(EntryIn{prop})
	a.must(EntryIn{honest.forge(ofHonest, &event.AddressLeased{Index: 4})})
	a.must(EntryIn{honest.forge(ofHonest, &event.ProposalApproved{Proposal: prop.ID(), Signatures: honest.signedBy(x)})})
	a.must(EntryIn{evil.forge(&first, &event.AddressLeased{Index: 6})})
	a.rest()
	if n := a.carries(); n != maxCarries {
		t.Fatalf("%d entries carry what the forker signed", n)
	}
	a.crash()
	a.must(Started{})
	a.must(EntryIn{honest.forge(&branch, &event.AddressLeased{Index: 5})})
	a.rest()
	if n := a.carries(); n != maxCarries+1 {
		t.Fatalf("%d entries carry signatures", n)
	}
	p, _ := a.m.State.Proposal(prop.ID())
	if !a.m.State.BroughtCleanly(p, 0, uint32(memberIndex(a, honest))) {
		t.Error("the signature of one who forked by mistake is not carried")
	}
}

// What could not be carried when it came is carried once its coins are seen.
func TestSignaturesAreCarriedOnceTheirCoinsAreSeen(t *testing.T) {
	c := active(t, 3, 3)
	a, b, evil := c.peers[0], c.peers[1], c.peers[2]
	tx := c.pays(0, 0, 1_000_000)
	ins := []event.ProposalInput{{TxID: tx.TxHash(), Amount: 1_000_000}}
	for n, o := range tx.TxOut {
		if o.Value == 1_000_000 {
			ins[0].Vout = uint32(n)
		}
	}
	next := evil.nextPlace()
	x := &event.ProposalCreated{Inputs: ins, Outputs: []event.ProposalOutput{{PkScript: recipient(1), Amount: 5000}}}
	prop := b.forge(b.nextPlace(), x)
	first := *next
	a.must(EntryIn{prop})
	a.must(EntryIn{evil.forge(next, &event.ProposalApproved{Proposal: prop.ID(), Signatures: evil.signedBy(x)})})
	a.must(EntryIn{evil.forge(&first, &event.AddressLeased{Index: 6})})
	a.rest()
	if n := a.carries(); n != 0 {
		t.Fatalf("%d entries carry signatures on coins that nobody sees", n)
	}
	c.mine([]*wire.MsgTx{tx}, a)
	a.rest()
	if n := a.carries(); n != 1 {
		t.Errorf("%d entries carry the signature on a coin that is seen", n)
	}
}

// Who carried all that is carried for a forker, and forks by mistake itself, has its
// own signatures carried all the same.
func TestWhatAMemberCarriedIsNotOnItsOwnAccount(t *testing.T) {
	slow(t)
	c := active(t, 3, 4)
	ins := c.peers[0].coinsOf(c.fund(1_000_000, 2_000_000))
	a, honest, evil, other := c.peers[0], c.peers[1], c.peers[2], c.peers[3]
	branch := *honest.nextPlace()
	next, ofOther := evil.nextPlace(), other.nextPlace()
	first := *next
	var named []*journal.Entry
	for _, e := range evil.rivalsOf(next, ins[:1], maxCarries, 1) {
		honest.must(EntryIn{e})
		if p, ok := honest.m.State.Proposal(e.ID()); ok {
			x := other.forge(ofOther, &event.ProposalApproved{Proposal: e.ID(), Signatures: other.signedBy(p.Body)})
			honest.must(EntryIn{x})
			named = append(named, x, e)
		}
	}
	fork := evil.forge(&first, &event.AddressLeased{Index: 6})
	honest.must(EntryIn{fork})
	honest.rest()
	if n := honest.carries(); n != maxCarries {
		t.Fatalf("%d entries carry what the forker signed", n)
	}
	// a sees the other branch first, and never what only that one signed.
	a.must(EntryIn{fork})
	for _, e := range named {
		a.must(EntryIn{e})
	}
	x := &event.ProposalCreated{Inputs: ins[1:], Outputs: []event.ProposalOutput{{PkScript: recipient(1), Amount: 5000}}}
	prop := other.forge(ofOther, x)
	a.must(EntryIn{prop})
	honest.pass(a)
	a.must(EntryIn{honest.forge(honest.nextPlace(), &event.ProposalApproved{Proposal: prop.ID(), Signatures: honest.signedBy(x)})})
	a.rest()
	if n := a.carries(); n != 0 {
		t.Fatalf("%d entries carry signatures before the honest one forks", n)
	}
	a.must(EntryIn{honest.forge(&branch, &event.AddressLeased{Index: 5})})
	a.rest()
	p, _ := a.m.State.Proposal(prop.ID())
	if !a.m.State.BroughtCleanly(p, 0, uint32(memberIndex(a, honest))) {
		t.Error("the signature of one who forked by mistake is not carried")
	}
	if n := a.carries(); n != maxCarries+1 {
		t.Errorf("%d entries carry signatures, want what it carried and its own", n)
	}
}

// What it costs to look at one transaction whose signatures a member brought in
// each of its incarnations is paid back before anything else is looked at.
func TestWhatACarryCostsIsPaidBack(t *testing.T) {
	slow(t)
	c := active(t, 2, 3)
	amounts := make([]int64, 90)
	for i := range amounts {
		amounts[i] = 20_000
	}
	coins := c.fund(amounts...)
	a, b, evil := c.peers[0], c.peers[1], c.peers[2]
	ins := a.coinsOf(coins)
	all := a.forge(a.nextPlace(), &event.ProposalCreated{Inputs: ins, Outputs: []event.ProposalOutput{{PkScript: recipient(1), Amount: 1_000_000}}})
	one := a.forge(&journal.Next{Incarnation: 1, Seq: all.Header().Seq + 1, Prev: all.ID()}, &event.ProposalCreated{Inputs: ins[:1], Outputs: []event.ProposalOutput{{PkScript: recipient(2), Amount: 10_000}}})
	for _, e := range []*journal.Entry{all, one} {
		b.must(EntryIn{e})
	}
	sigs := map[journal.EntryID][]event.PartialSignature{}
	for _, e := range []*journal.Entry{all, one} {
		p, _ := b.m.State.Proposal(e.ID())
		sigs[e.ID()] = evil.signedBy(p.Body)
	}
	evil.eachIncarnation(b, 48, func(next *journal.Next) {
		at := *next
		b.must(EntryIn{evil.forge(next, &event.ProposalApproved{Proposal: all.ID(), Signatures: sigs[all.ID()]})})
		if next.Incarnation == 48 {
			b.must(EntryIn{evil.forge(next, &event.ProposalApproved{Proposal: one.ID(), Signatures: sigs[one.ID()]})})
		}
		b.must(EntryIn{evil.forge(&at, &event.AddressLeased{Index: 3})})
	})
	for range 1000 {
		if b.m.State.Idle() && b.m.watch.looks.Len() == 0 && b.m.watch.carry.Len() == 0 && b.m.watch.carryOwed == 0 {
			break
		}
		b.must(Tick{})
	}
	s := &step{m: b.m, in: b.input(nil), batch: port.Batch{Group: b.m.State.Group(), Puts: map[string][]byte{}}, forked: true}
	p, _ := s.m.State.Proposal(all.ID())
	q, _ := s.m.State.Proposal(one.ID())
	s.mayCarry(p.TxID)
	s.carrySignatures()
	owed := s.m.watch.carryOwed
	if owed == 0 || s.m.watch.carry.Len() != 0 {
		t.Fatalf("nothing is tested: %d are owed, %d are due", owed, s.m.watch.carry.Len())
	}
	s.mayCarry(q.TxID)
	steps := 0
	for ; s.m.watch.carry.Len() > 0; steps++ {
		s.carrySignatures()
	}
	if want := (owed+looksEach-1)/looksEach + 1; steps != want {
		t.Errorf("the next one is looked at in step %d after one that cost %d too many, want %d", steps, owed, want)
	}
}
