package coordinator

import (
	"slices"
	"testing"

	"github.com/btcsuite/btcd/wire/v2"
	"pgregory.net/rapid"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/journal"
)

// wildHistory lets members do what they like, and returns their circle and what
// came of it: the union of what all hold, both branches of every fork included.
func wildHistory(t *testing.T, rt *rapid.T, base *circle, hosted *device) (*circle, []*journal.Entry) {
	c := base.clone(t)
	old := c.peers[2].m
	for _, p := range c.peers {
		p.Careless = true
	}
	devices := []*peer{c.peers[2].stranger(20), c.peers[2].stranger(21), c.peers[1].stranger(22)}
	var replacements [][32]byte
	first, _ := c.peers[0].m.State.Epoch()
	epochs := []journal.Epoch{first}
	ids, labels, rounds, freezes := []journal.EntryID{{1}}, []journal.EntryID{{2}}, []journal.EntryID{{3}}, []journal.EntryID{{4}}
	var coins []wire.OutPoint
	for o := range c.peers[0].m.View.Unspent() {
		coins = append(coins, o.OutPoint)
	}
	pick := func() journal.EntryID { return rapid.SampledFrom(ids).Draw(rt, "proposal") }
	for range rapid.IntRange(3, 16).Draw(rt, "actions") {
		p := rapid.SampledFrom(append(slices.Clone(c.peers), devices...)).Draw(rt, "who")
		before := p.m
		act := func() {
			switch rapid.IntRange(0, 33).Draw(rt, "act") {
			case 0, 1, 2:
				x := pay(byte(rapid.IntRange(1, 3).Draw(rt, "to")), int64(rapid.IntRange(1, 3).Draw(rt, "amount"))*100_000)
				x.Allow = []string{refusal.DoublePayment}
				if v, err := p.do(x); err == nil {
					ids = append(ids, v.(Proposed).Proposal)
				}
			case 3, 4:
				_, _ = p.do(Approve{Proposal: pick(), Allow: []string{refusal.DoublePayment}})
			case 5:
				_, _ = p.do(Reject{Proposal: pick(), Reason: "no"})
			case 6:
				_, _ = p.do(Withdraw{Proposal: pick()})
			case 7:
				_, _ = p.do(LeaseAddress{})
			case 8:
				_, _ = p.wild(&event.ProposalApproved{Proposal: pick(), Signatures: []event.PartialSignature{{Input: 0, Key: uint32(rapid.IntRange(0, 2).Draw(rt, "key")), Bytes: make([]byte, 70)}}})
			case 9:
				p.garbage([]byte(rapid.StringN(1, 40, 40).Draw(rt, "bytes")))
			case 10:
				_, _ = p.wild(&event.RosterClosed{Records: []journal.EntryID{pick()}})
			case 11:
				_ = p.restored(old)
			case 12, 13:
				d := rapid.SampledFrom(devices).Draw(rt, "device")
				b := d.replacing(rapid.SampledFrom(append(slices.Clone(c.peers), devices...)).Draw(rt, "old"), rapid.IntRange(0, 9).Draw(rt, "cut"))
				if rapid.IntRange(0, 4).Draw(rt, "unproven") == 0 {
					b.Proof = nil
				}
				if _, err := p.wild(b); err == nil {
					replacements = append(replacements, b.ID(p.m.State.Group()))
				}
			case 27: // of one occasion, or of another
				if q, ok := p.m.State.Proposal(pick()); ok {
					b := *q.Body
					if b.WithOccasion([32]byte{byte(rapid.IntRange(0, 1).Draw(rt, "occasion"))}) != nil {
						rt.Fatal("no occasion")
					}
					if e, err := p.wild(&b); err == nil {
						ids = append(ids, e.ID())
					}
				}
			case 17:
				b := &event.CoinFrozen{Coin: event.OutputTarget(rapid.SampledFrom(coins).Draw(rt, "coin")).Bytes(), Frozen: rapid.Bool().Draw(rt, "frozen")}
				if id := rapid.SampledFrom(labels).Draw(rt, "superseded"); rapid.Bool().Draw(rt, "supersedes") {
					b.Supersedes = append(b.Supersedes, id)
				}
				if e, err := p.wild(b); err == nil {
					labels = append(labels, e.ID())
				}
			case 16:
				b := &event.LabelSet{Target: event.LabelTx, Of: make([]byte, 32), Text: rapid.SampledFrom([]string{"", "rent", "salary"}).Draw(rt, "label")}
				b.Of[0] = byte(rapid.IntRange(0, 1).Draw(rt, "labelled"))
				if id := rapid.SampledFrom(labels).Draw(rt, "superseded"); rapid.Bool().Draw(rt, "supersedes") {
					b.Supersedes = append(b.Supersedes, id)
				}
				if e, err := p.wild(b); err == nil {
					labels = append(labels, e.ID())
				}
			case 15:
				id := pick()
				if q, ok := p.m.State.Proposal(id); ok && q.Sound && hosted != nil {
					_, _ = p.do(Import{Proposal: id, Signatures: hosted.signatures(&p.m, id)})
				}
			case 18, 19:
				// The same transaction again, as another entry.
				if q, ok := p.m.State.Proposal(pick()); ok && q.Sound {
					b := *q.Body
					b.Note = rapid.SampledFrom([]string{"", "again"}).Draw(rt, "note")
					if lie := rapid.IntRange(0, 2).Draw(rt, "lie"); lie > 0 {
						b.Inputs = slices.Clone(b.Inputs)
						b.Inputs[0].Amount += int64(lie - 1)
						b.Inputs[len(b.Inputs)-1].Index ^= uint32(lie - 1)
					}
					if r, ok := p.m.State.Proposal(pick()); ok && r.Sound && rapid.Bool().Draw(rt, "replaces") {
						b.Replaces = append(slices.Clone(b.Replaces), r.TxID)
					}
					if e, err := p.wild(&b); err == nil {
						ids = append(ids, e.ID())
						if q, ok := p.m.State.Proposal(e.ID()); ok && q.Sound && rapid.Bool().Draw(rt, "signs it") {
							_, _ = p.wild(&event.ProposalApproved{Proposal: e.ID(), Signatures: signTruly(rt, p, q)})
						}
					}
				}
			case 20, 21:
				// Signatures that are known, brought again, under any entry of any transaction.
				q, ok := p.m.State.Proposal(pick())
				if !ok || !q.Sound {
					return
				}
				var sigs []event.PartialSignature
				for _, x := range p.m.State.Signatures(q) {
					sigs = append(sigs, event.PartialSignature{Input: x.Input, Key: x.Key, Bytes: x.Bytes})
				}
				if len(sigs) > 0 && rapid.Bool().Draw(rt, "approval") {
					_, _ = p.wild(&event.ProposalApproved{Proposal: pick(), Signatures: sigs})
				} else if len(sigs) > 0 {
					_, _ = p.wild(&event.SignatureCarried{Proposal: pick(), Signatures: sigs})
				}
			case 22, 23:
				// Epochs for some, spoiled for some, sealed again to others, and
				// what is written under them.
				if _, err := (&step{m: p.m}).next(); err != nil {
					return
				}
				members := append(slices.Clone(c.peers), devices...)
				some := func(what string) []*peer {
					return rapid.SliceOfNDistinct(rapid.SampledFrom(members), 0, 3, func(p *peer) string { return p.self.Identity.Author().String() }).Draw(rt, what)
				}
				ep := rapid.SampledFrom(epochs).Draw(rt, "epoch")
				if ep.Number == 0 || rapid.Bool().Draw(rt, "a new epoch") {
					ep = p.epochAfter(ep)
					epochs = append(epochs, ep)
				}
				if to := some("sealed to"); len(to) > 0 {
					p.rekey(ep, to, some("spoiled for"))
				}
			case 24:
				ep := rapid.SampledFrom(epochs).Draw(rt, "epoch")
				if _, err := (&step{m: p.m}).next(); err != nil {
					return
				}
				p.sealed(ep, rapid.SampledFrom([]event.Body{&event.AddressLeased{Index: 3}, &event.ProposalRejected{Proposal: pick(), Reason: "late"}, &event.ProposalWithdrawn{Proposal: pick()},
					&event.ProposalCommented{Proposal: pick(), Text: "late"}, &event.NodeFeatures{Kinds: []uint64{1}},
					&event.CoinFrozen{Coin: make([]byte, 36), Frozen: true},
					&event.GroupFrozen{Reason: "late"}, &event.FreezeLifted{Freezes: []journal.EntryID{{4}}},
					&event.PingAsked{}, &event.PingAnswered{Round: journal.EntryID{3}, Proof: make([]byte, 70)},
					&event.LabelSet{Target: event.LabelTx, Of: make([]byte, 32), Text: "late"}, &event.StanzaFailed{Epoch: ep.ID()}}).Draw(rt, "body"))
			case 25:
				_, _ = p.do(Rekey{})
			case 26:
				// A block, with what is final or with what nobody proposed.
				if q, ok := p.m.State.Proposal(pick()); ok && q.Sound {
					tx, err := p.m.State.FinalTx(q)
					if err != nil {
						tx = wire.NewMsgTx(2)
						tx.AddTxIn(&wire.TxIn{PreviousOutPoint: q.Body.Inputs[0].OutPoint()})
						tx.AddTxOut(wire.NewTxOut(1000, recipient(9)))
					}
					if c.minable(tx) {
						c.mine([]*wire.MsgTx{tx})
					}
				}
			case 28:
				if e, err := p.wild(&event.PingAsked{}); err == nil {
					rounds = append(rounds, e.ID())
				}
			case 29:
				// Of one's own key, by itself or by another's, to whatever was asked.
				b := p.signs(rapid.SampledFrom(rounds).Draw(rt, "round"), rapid.SampledFrom(c.peers).Draw(rt, "through"))
				if rapid.IntRange(0, 3).Draw(rt, "forged") == 0 {
					b.Key = uint32(rapid.IntRange(0, 3).Draw(rt, "key"))
				}
				_, _ = p.wild(&b)
			case 30:
				if e, err := p.wild(&event.GroupFrozen{}); err == nil {
					freezes = append(freezes, e.ID())
				}
			case 31, 32:
				id, height := rapid.SampledFrom(freezes).Draw(rt, "freeze"), rapid.IntRange(0, 3).Draw(rt, "height")
				_, _ = p.wild(&event.FreezeLifted{Freezes: []journal.EntryID{id}, Height: uint32(height)})
			case 33:
				// Of a few policies, so that votes meet.
				b := event.PolicyProposed{Bytes: []byte{byte(rapid.IntRange(0, 2).Draw(rt, "policy"))}}
				v := b.Version(p.m.State.Group())
				if rapid.Bool().Draw(rt, "in its place") {
					b.Parents = []event.PolicyVersion{v}
					v = b.Version(p.m.State.Group())
				}
				_, _ = p.wild(rapid.SampledFrom([]event.Body{&b, &event.PolicyApproved{Version: v}, &event.PolicyApproved{Version: v}, &event.PolicyObjected{Version: v},
					&event.PolicyAnchored{Version: v, Height: 3}, &event.PolicyAdopted{Version: v, Median: 9}, &event.BudgetReserved{Proposal: pick(), Policy: v, Meters: []uint64{1}}, &event.BudgetGranted{Reservation: pick()}, &event.BudgetReleased{Reservation: pick()}, &event.RobotVerdict{Proposal: pick(), Policy: v, Outcome: 1 + uint64(rapid.IntRange(0, 3).Draw(rt, "outcome"))}}).Draw(rt, "said of it"))
			case 14:
				if len(replacements) > 0 {
					_, _ = p.wild(&event.ReplacementApproved{Replacement: rapid.SampledFrom(replacements).Draw(rt, "replacement")})
				}
			}
		}
		act()
		if rapid.IntRange(0, 3).Draw(rt, "fork") == 0 {
			// The same member goes on from where it was: two entries of one seq.
			p.m = before
			for _, n := range c.blocks {
				if n.Block.Height > p.m.View.Tip().Height && slices.Contains(c.peers, p) {
					p.must(ChainIn{n})
				}
			}
			act()
		}
		if rapid.Bool().Draw(rt, "settle") {
			c.settle()
		}
	}
	set := map[journal.EntryID]*journal.Entry{}
	for _, p := range append(slices.Clone(c.peers), devices...) {
		for id, e := range p.Held {
			set[id] = e
		}
	}
	var all []*journal.Entry
	for _, e := range set {
		all = append(all, e)
	}
	slices.SortFunc(all, func(a, b *journal.Entry) int { x, y := a.ID(), b.ID(); return slices.Compare(x[:], y[:]) })
	return c, all
}

// minable says whether a transaction spends what is in the chain and unspent: no
// real chain holds another.
func (c *circle) minable(tx *wire.MsgTx) bool {
	coins := map[wire.OutPoint]bool{}
	for _, b := range c.blocks {
		for _, x := range b.Txs {
			for _, in := range x.TxIn {
				delete(coins, in.PreviousOutPoint)
			}
			for i := range x.TxOut {
				coins[wire.OutPoint{Hash: x.TxHash(), Index: uint32(i)}] = true
			}
		}
	}
	for _, in := range tx.TxIn {
		if !coins[in.PreviousOutPoint] {
			return false
		}
		delete(coins, in.PreviousOutPoint)
	}
	return true
}
