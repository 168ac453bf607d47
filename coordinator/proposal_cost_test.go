package coordinator

import (
	"cmp"
	"encoding/binary"
	"slices"
	"testing"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
)

// forge seals bodies one after the other on a peer's chain, without steps of its own.
func (p *peer) forge(next *journal.Next, body event.Body) *journal.Entry {
	p.tb.Helper()
	ep, _ := p.m.State.Epoch()
	plain, err := event.Encode(event.Event{Time: 1, Body: body})
	if err != nil {
		p.tb.Fatal(err)
	}
	p.drawn++
	var nonce [24]byte
	binary.BigEndian.PutUint64(nonce[:], p.drawn)
	e, err := journal.Seal(p.self.Identity, ep, *next, plain, nonce)
	if err != nil {
		p.tb.Fatal(err)
	}
	*next = journal.Next{Incarnation: next.Incarnation, Seq: next.Seq + 1, Prev: e.ID()}
	return e
}

func (p *peer) nextPlace() *journal.Next {
	n := p.m.State.Chains().Next(journal.ChainKey{Author: p.id(), Incarnation: 1})
	return &n
}

// costs has a machine take a message again and again, each time from the same
// state, and counts what that allocates.
func (p *peer) costs(msg func() Message) float64 {
	p.tb.Helper()
	return testing.AllocsPerRun(3, func() {
		if _, _, err := Step(p.m, p.input(msg())); err != nil {
			p.tb.Fatal(err)
		}
	})
}

func (p *peer) rest() {
	for p.m.watch.looks.Len()+p.m.watch.carry.Len() > 0 || !p.m.State.Idle() {
		p.must(Tick{})
	}
}

// What a member enters any number of times does not make the steps of the others
// cost more: a tick, a lease, a block, a vote, an approval, and what readers ask.
func TestWhatIsHeldCostsNoStepMore(t *testing.T) {
	slow(t)
	const some, many = 100, 700
	for name, attack := range map[string]func(c *circle, p *group.Proposal) func(n int) event.Body{
		"copies of one transaction": func(_ *circle, p *group.Proposal) func(int) event.Body {
			return func(n int) event.Body {
				b := *p.Body
				b.Replaces = nil
				b.Expires = int64(1_900_000_000 + n)
				return &b
			}
		},
		"copies that declare": func(_ *circle, p *group.Proposal) func(int) event.Body {
			return func(n int) event.Body {
				b := *p.Body
				b.Replaces = append(b.Replaces, p.TxID)
				binary.BigEndian.PutUint64(b.Replaces[0][:], uint64(n)/2)
				return &b
			}
		},
		"rivals": func(_ *circle, p *group.Proposal) func(int) event.Body {
			return func(n int) event.Body {
				b := *p.Body
				b.Outputs = []event.ProposalOutput{{PkScript: recipient(9), Amount: int64(900_000 - n)}}
				return &b
			}
		},
		"rivals that replace": func(_ *circle, p *group.Proposal) func(int) event.Body {
			return func(n int) event.Body {
				b := *p.Body
				b.Outputs = []event.ProposalOutput{{PkScript: recipient(1), Amount: int64(900_000 - n)}}
				b.Replaces = append(b.Replaces, p.TxID)
				return &b
			}
		},
		"coins that are not there": func(_ *circle, p *group.Proposal) func(int) event.Body {
			return func(n int) event.Body {
				b := *p.Body
				b.Inputs = []event.ProposalInput{{Vout: uint32(n), Amount: 2_000_000}}
				return &b
			}
		},
		"votes": func(_ *circle, p *group.Proposal) func(int) event.Body {
			return func(int) event.Body { return &event.ProposalRejected{Proposal: p.Ref.ID, Reason: "no"} }
		},
		"withdrawals": func(_ *circle, p *group.Proposal) func(int) event.Body {
			return func(int) event.Body { return &event.ProposalWithdrawn{Proposal: p.Ref.ID} }
		},
		"signatures for nothing": func(*circle, *group.Proposal) func(int) event.Body {
			return func(n int) event.Body {
				b := &event.SignatureCarried{Signatures: []event.PartialSignature{{Bytes: make([]byte, 70)}}}
				binary.BigEndian.PutUint64(b.Proposal[:], uint64(n))
				return b
			}
		},
		"one signature again and again": func(c *circle, p *group.Proposal) func(int) event.Body {
			spend, _ := p.Spend(c.peers[2].m.State.Active())
			sigs, err := spend.Sign(c.peers[2].account)
			if err != nil {
				c.tb.Fatal(err)
			}
			b := &event.SignatureCarried{Proposal: p.Ref.ID}
			for _, x := range sigs {
				b.Signatures = append(b.Signatures, event.PartialSignature{Input: x.Input, Key: x.Key, Bytes: x.Bytes})
			}
			return func(int) event.Body { return b }
		},
	} {
		for _, forked := range []bool{false, true} {
			name := name
			if forked {
				name += ", and a fork"
			}
			t.Run(name, func(t *testing.T) {
				c := active(t, 2, 3)
				coins := c.fund(1_000_000, 1_000_000)
				a, b, evil := c.peers[0], c.peers[1], c.peers[2]
				x := pay(1, 100_000)
				x.Coins, x.Unsigned = coins[:1], true
				id := evil.must(x).(Proposed).Proposal
				c.settle()
				p, _ := a.m.State.Proposal(id)
				body := attack(c, p)
				next := evil.nextPlace()
				var kept journal.Next
				take := func(from, to int) {
					for n := from; n < to; n++ {
						kept = *next
						e := evil.forge(next, body(n))
						a.must(EntryIn{e})
					}
				}
				block := port.ChainNotice{Kind: port.Connected, Prev: c.tip, Block: port.BlockRef{Height: c.height + 1, Hash: [32]byte{1}},
					Txs: []*wire.MsgTx{{Version: 2, TxIn: []*wire.TxIn{{PreviousOutPoint: coins[1]}}, TxOut: []*wire.TxOut{{Value: 900_000, PkScript: recipient(8)}}}}}
				approval := func() *journal.Entry {
					q := c.clone(t)
					y := pay(5, 50_000)
					y.Coins = coins[1:]
					made := q.peers[1].must(y).(Proposed).Proposal
					q.settle(q.peers[1])
					_ = made
					es := q.peers[1].Chains()
					var last []*journal.Entry
					for _, chain := range es {
						if chain[0].Chain().Author == b.id() {
							last = chain
						}
					}
					return last[len(last)-2]
				}()
				measure := func() map[string]float64 {
					out := map[string]float64{
						"a tick":   a.costs(func() Message { return Tick{} }),
						"a lease":  a.costs(func() Message { return LeaseAddress{} }),
						"a block":  a.costs(func() Message { return ChainIn{block} }),
						"an entry": a.costs(func() Message { return EntryIn{approval} }),
						"an approval": testing.AllocsPerRun(3, func() {
							_, _, _ = Step(a.m, a.input(Approve{Proposal: id}))
						}),
					}
					for what, f := range map[string]func(){
						"the status":    func() { a.m.Status(p, c.clock) },
						"the conflicts": func() { a.m.State.Finals(p) },
						"the votes":     func() { a.m.Rejections(p) },
						"the warnings":  func() { a.m.Warn(p, c.clock, 0, port.Policy{}) },
						"what is wanted": func() {
							if n := len(a.m.Wanted()); n > 256 {
								t.Errorf("%d entries are wanted", n)
							}
						},
						"whether it is the one": func() { a.m.State.Broadcastable(a.m.View, p) },
						"the history":           func() { a.m.State.LabelReader().OfTx(p.TxID) },
					} {
						out[what] = testing.AllocsPerRun(3, f)
					}
					return out
				}
				take(0, some)
				a.rest()
				before := measure()
				take(some, many)
				if forked {
					n := kept
					a.must(EntryIn{evil.forge(&n, &event.AddressLeased{Index: 3})})
				}
				a.rest()
				for what, after := range measure() {
					// Trees get deeper, and a bounded number is looked at.
					if most := 1.5*before[what] + 400; after > most {
						t.Errorf("%s allocates %.0f times with %d, %.0f times with %d", what, before[what], some, after, many)
					}
				}
			})
		}
	}
}

// A step verifies so many signatures of what waited, and no more; in the end all are.
func TestSignaturesThatWaitedAreVerifiedInTurns(t *testing.T) {
	slow(t)
	c := active(t, 2, 3)
	c.fund(1_000_000)
	a, b, evil := c.peers[0], c.peers[1], c.peers[2]
	ins := make([]event.ProposalInput, 0, 667)
	for n := range uint32(667) {
		ins = append(ins, event.ProposalInput{Vout: n, Amount: 2_000})
	}
	body := &event.ProposalCreated{Inputs: ins, Outputs: []event.ProposalOutput{{PkScript: recipient(1), Amount: 1_000}}}
	prop := evil.forge(evil.nextPlace(), body)
	next := b.nextPlace() // a colluder's carriers come first
	const carriers = 8
	for n := range carriers {
		x := &event.SignatureCarried{Proposal: prop.ID()}
		for i := range uint32(2_000) {
			x.Signatures = append(x.Signatures, event.PartialSignature{Input: i / 3, Key: i % 3, Bytes: wrongSignature(uint16(n))})
		}
		a.must(EntryIn{b.forge(next, x)})
	}
	mine := a.forge(a.nextPlace(), &event.ProposalRejected{Proposal: prop.ID(), Reason: "no"}) // one that is no carrier changes nothing
	_ = mine
	// None verifies, and each counts once it was looked at; the others wait.
	verified := func() int {
		n := int(a.faults(b)["bad_bitcoin_signature"])
		if held := a.m.State.Counts(); held["carriers"] != carriers || held["carriers"]-held["backlog.sigs"] != n {
			t.Fatalf("of %d carriers %d wait, and %d were verified", held["carriers"], held["backlog.sigs"], n)
		}
		return n
	}
	a.must(EntryIn{prop})
	if n := verified(); n != 1 {
		t.Errorf("the step of the proposal verified %d carriers of 2,000 signatures", n)
	}
	for steps := 1; verified() < carriers; steps++ {
		was := verified()
		a.must(Tick{})
		if n := verified() - was; n != 1 {
			t.Fatalf("step %d verified %d carriers", steps, n)
		}
	}
	if held := a.m.State.Counts(); held["backlog.turns"] != 0 || held["backlog.sigs"] != 0 || held["backlog.stating"] != 0 {
		t.Error("something is still due")
	}
	if n := a.faults(b)["bad_bitcoin_signature"]; n != carriers {
		t.Errorf("%d of %d wrong carriers are counted", n, carriers)
	}
	// The same entries in the usual order, and read again, say the same.
	all := make([]*journal.Entry, 0, len(a.Held))
	for _, chain := range a.Chains() {
		all = append(all, chain...)
	}
	if got, want := canon(refold(t, a, all)), canon(a.m.State); got != want {
		t.Errorf("folded again:\n%s", diff(want, got))
	}
	a.crash()
	if got, want := canon(a.m.State), canon(refold(t, a, all)); got != want {
		t.Errorf("loaded again:\n%s", diff(want, got))
	}
}

// A member whose signatures are many does not keep those of others waiting.
func TestSignersTakeTurns(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(1_000_000)
	a, b, evil := c.peers[0], c.peers[1], c.peers[2]
	x := pay(1, 100_000)
	x.Unsigned = true
	id := evil.must(x).(Proposed).Proposal
	prop := evil.Held[id]
	b.must(EntryIn{prop})
	b.must(Approve{Proposal: id})
	// All but the proposal reaches a; the hostile one's carriers are on a second chain.
	at := evil.m.State.Chains().Frontier()[journal.ChainKey{Author: evil.id(), Incarnation: 1}]
	next := &journal.Next{Incarnation: 2, Seq: 1}
	a.must(EntryIn{evil.forge(next, &event.IncarnationStarted{Seq: at.Seq, Last: at.ID})})
	for n := range 6 {
		y := &event.SignatureCarried{Proposal: id}
		for i := range uint32(1_999) {
			y.Signatures = append(y.Signatures, event.PartialSignature{Input: i / 3, Key: i % 3, Bytes: wrongSignature(uint16(n))})
		}
		a.must(EntryIn{evil.forge(next, y)})
	}
	for _, chain := range b.Chains() {
		for _, e := range chain {
			if e.Chain().Author == b.id() && !a.m.State.Chains().Has(e.ID()) {
				a.must(EntryIn{e})
			}
		}
	}
	a.must(EntryIn{prop})
	p, _ := a.m.State.Proposal(id)
	for range 2 {
		a.must(Tick{})
	}
	if a.m.State.SignedInputs(p, memberIndex(a, b)) != 1 {
		t.Error("an honest approval waits behind a hostile member's signatures")
	}
}

// wrongSignature is a well-formed signature of nothing.
func wrongSignature(n uint16) []byte {
	sig := []byte{0x30, 38, 2, 32}
	sig = append(sig, 1, byte(n), byte(n>>8))
	sig = append(sig, make([]byte, 29)...)
	return append(sig, 2, 2, 1, 1, 1) // sighash all
}

// Pages hold every living proposal once, newest first.
func TestPagesOfProposals(t *testing.T) {
	c := active(t, 2, 3)
	coins := c.fund(200_000, 200_000, 200_000, 200_000, 200_000, 200_000, 200_000)
	a, evil := c.peers[0], c.peers[2]
	for n := range 7 {
		x := pay(byte(n), 100_000)
		x.Unsigned, x.Coins = true, coins[n:n+1]
		a.must(x)
		if n%2 == 0 {
			c.clock = c.clock.Add(time.Millisecond)
		}
	}
	c.settle()
	all := evil.m.Proposals()
	if len(all) != 7 {
		t.Fatalf("%d proposals", len(all))
	}
	var paged []*group.Proposal
	var after *ProposalPos
	for pages := 1; ; pages++ {
		var ps []*group.Proposal
		ps, after = evil.m.ProposalPage(after, 3, func(*group.Proposal) bool { return true })
		paged = append(paged, ps...)
		if after == nil || pages > 3 {
			break
		}
	}
	if !slices.Equal(paged, all) {
		t.Errorf("paged %v, all are %v", entryIDs(paged), entryIDs(all))
	}
	if !slices.IsSortedFunc(all, func(p, q *group.Proposal) int { return cmp.Compare(q.Ref.Time, p.Ref.Time) }) {
		t.Error("they are not newest first")
	}
	if ps, next := evil.m.ProposalPage(nil, 3, func(p *group.Proposal) bool { return p == all[6] }); len(ps) != 1 || ps[0] != all[6] || next != nil {
		t.Errorf("kept %v, more %v", entryIDs(ps), next)
	}
	if n := evil.m.CountProposals()[group.StatusPending]; n != 7 {
		t.Errorf("%d are pending", n)
	}
	a.must(Withdraw{Proposal: all[0].Ref.ID})
	c.settle()
	if n := evil.m.CountProposals(); n[group.StatusPending] != 6 || n[group.StatusWithdrawn] != 1 {
		t.Errorf("counted %v", n)
	}
	evil.crash()
	if n := evil.m.CountProposals(); n[group.StatusPending] != 6 || n[group.StatusWithdrawn] != 1 {
		t.Errorf("counted %v after a restart", n)
	}
}
