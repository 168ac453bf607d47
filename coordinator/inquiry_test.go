package coordinator

import (
	"math"
	"slices"
	"testing"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
)

// eachIncarnation has a peer write in each of so many incarnations, one after the
// other, and lets another take what it writes.
func (p *peer) eachIncarnation(to *peer, n int, write func(next *journal.Next)) {
	next := p.nextPlace()
	for i := 1; i <= n; i++ {
		if i > 1 {
			last := *next
			next = &journal.Next{Incarnation: uint8(i), Seq: 1, Prev: last.Prev}
			to.must(EntryIn{p.forge(next, &event.IncarnationStarted{Seq: last.Seq - 1, Last: last.Prev})})
		}
		write(next)
	}
}

// rival is one of many transactions that spend the same coins.
func rival(ins []event.ProposalInput, n int) *event.ProposalCreated {
	return &event.ProposalCreated{Inputs: ins, Outputs: []event.ProposalOutput{{PkScript: recipient(1), Amount: int64(1000 + n)}}}
}

// spends returns a block with a transaction that spends a coin.
func (c *circle) spends(a *peer, coin wire.OutPoint) port.ChainNotice {
	block := port.ChainNotice{Kind: port.Connected, Prev: c.tip, Txs: []*wire.MsgTx{a.bump(coin, 0)}}
	block.Block = port.BlockRef{Height: c.height + 1, Time: c.clock.Unix()}
	block.Block.Hash[0] = 9
	return block
}

// spending lists the transactions that spend a coin, by txid.
func (p *peer) spending(o wire.OutPoint) (out []chainhash.Hash) {
	_, left := p.m.State.VisitSpending(mapkey.Coin(o), "", math.MaxInt, func(tx chainhash.Hash) int {
		out = append(out, tx)
		return 1
	})
	if left != "" || len(out) == 0 {
		p.tb.Fatalf("%d transactions spend %v, and more", len(out), o)
	}
	return out
}

// Whoever enters the same rivals once in each of its incarnations makes a block that
// spends the coin no dearer; and where all these chains are forked, so that each
// copy is asked in vain, no dearer than as many looks as a step takes.
func TestACopyInEachIncarnationCostsAStepNoMore(t *testing.T) {
	slow(t)
	cost := func(rivals, incarnations int, forked bool) float64 {
		c := active(t, 2, 3)
		coins := c.fund(1_000_000)
		a, evil := c.peers[0], c.peers[2]
		ins := a.coinsOf(coins)
		evil.eachIncarnation(a, incarnations, func(next *journal.Next) {
			at := *next
			for n := range rivals {
				a.must(EntryIn{evil.forge(next, rival(ins, n))})
			}
			if forked {
				a.must(EntryIn{evil.forge(&at, &event.AddressLeased{Index: 3})})
			}
		})
		a.rest()
		block := c.spends(a, ins[0].OutPoint())
		allocs := a.costs(func() Message { return ChainIn{block} })
		a.must(ChainIn{block})
		a.rest()
		for _, tx := range a.spending(ins[0].OutPoint()) {
			p, ok := a.m.State.Lead(tx)
			if ok == forked {
				t.Fatalf("a proposal stands for %v: %v", tx, ok)
			}
			if ok {
				if was, _ := a.m.watch.told.Get(mapkey.Of(p.Ref.ID)); was.status != group.StatusDead {
					t.Fatalf("what stands for %v counts as %q", p.TxID, was)
				}
			}
		}
		return allocs
	}
	if one, many := cost(64, 1, false), cost(64, 24, false); many > 2*one {
		t.Errorf("a block allocates %.0f times with one copy of each rival, %.0f times with 24", one, many)
	}
	if full, many := cost(looksEach, 1, false), cost(96, 48, true); many > 1.5*full {
		t.Errorf("a block allocates %.0f times where the step is full, %.0f times with 48 forked copies", full, many)
	}
}

// The same where a second member says in each of its incarnations that the rivals
// are replaced.
func TestADeclarationInEachIncarnationCostsALookNoMore(t *testing.T) {
	slow(t)
	const rivals = 16
	cost := func(incarnations, declaring int) float64 {
		c := active(t, 3, 4)
		coins := c.fund(1_000_000)
		a, evil, other := c.peers[0], c.peers[2], c.peers[3]
		ins := a.coinsOf(coins)
		evil.eachIncarnation(a, incarnations, func(next *journal.Next) {
			for n := range rivals {
				a.must(EntryIn{evil.forge(next, rival(ins, n))})
			}
		})
		b := &event.ProposalCreated{Inputs: ins, Outputs: []event.ProposalOutput{{PkScript: recipient(2), Amount: 5000}}}
		b.Replaces = append(b.Replaces, a.spending(ins[0].OutPoint())...)
		other.eachIncarnation(a, declaring, func(next *journal.Next) { a.must(EntryIn{other.forge(next, b)}) })
		a.rest()
		return testing.AllocsPerRun(3, func() {
			s := &step{m: a.m, in: a.input(nil), batch: port.Batch{Group: a.m.State.Group(), Puts: map[string][]byte{}}}
			s.lookCoin(ins[0].OutPoint())
			s.lookFurther()
		})
	}
	one := cost(1, 1)
	if both := cost(48, 48); both > 2*one {
		t.Errorf("a look at %d rivals allocates %.0f times, %.0f times with 48 copies and 48 declarations", rivals, one, both)
	}
}

// Of a member's copies of one transaction the first untainted one decides; where
// there is none, none does, but those that approvals of others name.
func TestOneCopyOfEachMemberDecides(t *testing.T) {
	c := active(t, 2, 3)
	coins := c.fund(1_000_000)
	a, b, evil := c.peers[0], c.peers[1], c.peers[2]
	x := rival(a.coinsOf(coins), 0)
	var copies []*journal.Entry
	var forks []journal.Next
	evil.eachIncarnation(a, 3, func(next *journal.Next) {
		forks = append(forks, *next)
		e := evil.forge(next, x)
		copies = append(copies, e)
		a.must(EntryIn{e})
	})
	mine := b.forge(b.nextPlace(), x)
	decide := func(want ...*journal.Entry) {
		t.Helper()
		a.rest()
		p, _ := a.m.State.Proposal(copies[0].ID())
		got := map[journal.EntryID]bool{}
		for _, q := range a.m.State.CopiesOf(p.TxID) {
			got[q.Ref.ID] = true
			if was, _ := a.m.watch.told.Get(mapkey.Of(q.Ref.ID)); was.said != a.m.Status(q, c.clock) {
				t.Errorf("%v is told as %q, and is %q", q.Ref.ID, was.said, a.m.Status(q, c.clock))
			}
		}
		if len(got) != len(want) {
			t.Errorf("%d copies decide, not %d", len(got), len(want))
		}
		for _, e := range want {
			if !got[e.ID()] {
				t.Errorf("the copy in incarnation %d of %x does not decide", e.Chain().Incarnation, e.Chain().Author)
			}
		}
	}
	decide(copies[0])
	a.must(EntryIn{mine})
	decide(copies[0], mine)
	for n := range forks {
		a.must(EntryIn{evil.forge(&forks[n], &event.AddressLeased{Index: 3})})
		if n == 0 {
			decide(copies[1], mine)
		}
	}
	decide(mine)
	// A signature of another member revives all three, which sign the same.
	a.must(EntryIn{b.forge(&journal.Next{Incarnation: 1, Seq: mine.Position().Seq + 1, Prev: mine.ID()},
		&event.ProposalApproved{Proposal: copies[2].ID(), Signatures: b.signedBy(x)})})
	decide(copies[0], copies[2], mine)
}

// What others say of a transaction in each of their incarnations is not gone
// through for what only its author, or the owner of a key, can say.
func TestWhatOthersSayIsNotGoneThrough(t *testing.T) {
	const incarnations = 32
	c := active(t, 2, 3)
	coins := c.fund(1_000_000)
	a, b, evil := c.peers[0], c.peers[1], c.peers[2]
	x := rival(a.coinsOf(coins), 0)
	next := b.nextPlace()
	prop := b.forge(next, x)
	a.must(EntryIn{prop})
	a.must(EntryIn{b.forge(next, &event.ProposalApproved{Proposal: prop.ID(), Signatures: b.signedBy(x)})})
	p, _ := a.m.State.Proposal(prop.ID())
	asked := func() int {
		q := &group.Inquiry{}
		for _, y := range a.m.State.CopiesFor(p.TxID, q) {
			a.m.State.StatusOf(a.m.View, c.clock, y, q)
		}
		return q.Asked
	}
	before := asked()
	other := rival(x.Inputs, 1)
	other.Replaces = []chainhash.Hash{p.TxID}
	evil.eachIncarnation(a, incarnations, func(next *journal.Next) {
		at := *next
		for _, body := range []event.Body{
			&event.ProposalApproved{Proposal: prop.ID(), Signatures: b.signedBy(x)}, // of a key that is not its
			&event.ProposalWithdrawn{Proposal: prop.ID()},
			other,
		} {
			a.must(EntryIn{evil.forge(next, body)})
		}
		a.must(EntryIn{evil.forge(&at, &event.AddressLeased{Index: 3})})
	})
	a.rest()
	if p, _ := a.m.State.Proposal(prop.ID()); a.m.Status(p, c.clock) != group.StatusPending {
		t.Errorf("it is %q", a.m.Status(p, c.clock))
	}
	if n := asked(); n != before {
		t.Errorf("%d entries are gone through, %d before", n, before)
	}
}

// A transaction with many inputs costs a step as much as many with one.
func TestALookCountsInputs(t *testing.T) {
	const inputs, rivals = 64, 128
	c := active(t, 2, 3)
	a, evil := c.peers[0], c.peers[2]
	var ins []event.ProposalInput
	for n := range uint32(inputs) {
		ins = append(ins, event.ProposalInput{Vout: n, Amount: 2_000})
	}
	next := evil.nextPlace()
	for n := range rivals {
		a.must(EntryIn{evil.forge(next, rival(ins, n))})
	}
	a.rest()
	a.must(ChainIn{c.spends(a, ins[0].OutPoint())})
	dead, most := a.m.CountProposals()[group.StatusDead], looksEach*group.AskedEach/inputs
	if dead == 0 || dead > most {
		t.Errorf("one step looked at %d transactions of %d inputs, %d at most", dead, inputs, most)
	}
	a.rest()
	if dead := a.m.CountProposals()[group.StatusDead]; dead != rivals {
		t.Errorf("%d of %d rivals count as dead in the end", dead, rivals)
	}
}

// The identities that wrote for one key are one member: the earliest one's copy
// of a transaction decides, whatever a later one enters.
func TestOneCopyOfAllIdentitiesOfAKeyDecides(t *testing.T) {
	c := active(t, 2, 3)
	coins := c.fund(1_000_000)
	a, lost := c.peers[0], c.peers[2]
	x := rival(a.coinsOf(coins), 0)
	first := lost.forge(lost.nextPlace(), x)
	a.must(EntryIn{first})
	d := lost.device(40)
	d.m = a.m
	b := d.replacing(lost, int(first.Position().Seq))
	a.must(EntryIn{a.forge(a.nextPlace(), b)})
	if !a.m.State.SameMember(d.id(), lost.id()) || !slices.Contains(a.m.State.Active().Identities(memberIndex(a, d)), d.id()) {
		t.Fatal("the device did not take the place")
	}
	second := d.forge(&journal.Next{Incarnation: 1, Seq: 1}, x)
	a.must(EntryIn{second})
	p, ok := a.m.State.Proposal(second.ID())
	if !ok || !a.m.State.Alive(p) {
		t.Fatal("the copy of the later identity has no effect")
	}
	if all := a.m.State.CopiesOf(p.TxID); len(all) != 1 || all[0].Ref.ID != first.ID() {
		t.Errorf("%v decide, not %v alone", entryIDs(all), first.ID())
	}
}
