package coordinator

import (
	"slices"
	"testing"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"
	"pgregory.net/rapid"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/journal"
)

// releases lists, in the order of its chain, what a peer signed: the signed
// transactions of its own entries, with what they declared to replace.
type release struct {
	tx       chainhash.Hash
	inputs   []wire.OutPoint
	replaces []chainhash.Hash
}

func (p *peer) releases() []release {
	me, _ := p.m.State.Active().Index(p.id())
	var out []release
	for _, chain := range p.Chains() {
		if chain[0].Chain().Author != p.id() {
			continue
		}
		for _, e := range chain {
			var of journal.EntryID
			switch b := p.bodyOf(e).(type) {
			case *event.ProposalApproved:
				of = b.Proposal
			case *event.SignatureCarried:
				of = b.Proposal
			}
			q, ok := p.m.State.Proposal(of)
			if !ok || p.m.State.SignedInputs(q, me) == 0 {
				continue
			}
			r := release{tx: q.TxID, replaces: q.Body.Replaces}
			for _, i := range q.Body.Inputs {
				r.inputs = append(r.inputs, i.OutPoint())
			}
			out = append(out, r)
		}
	}
	return out
}

func (r release) clashes(o release) bool {
	return r.tx != o.tx && slices.ContainsFunc(r.inputs, func(x wire.OutPoint) bool { return slices.Contains(o.inputs, x) })
}

// TestNoScheduleReleasesTwoSignaturesOnOneCoin lets users and the network do
// anything in any order. Whatever they do, a node signs two transactions that
// spend one coin only where the later one declared to replace the earlier one,
// or the earlier one was dead by six blocks.
func TestNoScheduleReleasesTwoSignaturesOnOneCoin(t *testing.T) {
	replacements := 0
	base := active(t, 2, 3)
	coins := base.fund(500_000, 600_000)
	rapid.Check(t, func(rt *rapid.T) {
		c := base.clone(t)
		ids := []journal.EntryID{}
		// checked is how many releases of each peer were looked at, and buried
		// which of them were dead when the next one came.
		checked := map[*peer]int{}
		check := func() {
			for _, p := range c.peers {
				all := p.releases()
				for n := checked[p]; n < len(all); n++ {
					for _, before := range all[:n] {
						if !all[n].clashes(before) {
							continue
						}
						if slices.Contains(all[n].replaces, before.tx) {
							replacements++
							continue
						}
						if p.m.Guard.buried(p.m.View, before.tx) {
							continue
						}
						rt.Fatalf("%s signed %v and then %v on one coin", p.name, before.tx, all[n].tx)
					}
				}
				checked[p] = len(all)
			}
		}
		for range rapid.IntRange(5, 30).Draw(rt, "actions") {
			p := rapid.SampledFrom(c.peers).Draw(rt, "who")
			switch rapid.IntRange(0, 11).Draw(rt, "act") {
			case 0, 1, 2:
				x := pay(byte(rapid.IntRange(1, 9).Draw(rt, "to")), int64(rapid.IntRange(100, 400).Draw(rt, "ksat"))*1000)
				x.Allow = []string{refusal.DoublePayment}
				x.Unsigned = rapid.Bool().Draw(rt, "unsigned")
				if rapid.Bool().Draw(rt, "same coin") {
					x.Coins = []wire.OutPoint{rapid.SampledFrom(coins).Draw(rt, "coin")}
				}
				if len(ids) > 0 && rapid.Bool().Draw(rt, "replace") {
					x.Replaces = []journal.EntryID{rapid.SampledFrom(ids).Draw(rt, "replaced")}
					x.FeeRate = 9000
				}
				p.failing = rapid.IntRange(0, 5).Draw(rt, "disk") == 0
				if v, err := p.do(x); err == nil {
					ids = append(ids, v.(Proposed).Proposal)
				}
				p.failing = false
			case 3, 4, 5:
				if len(ids) > 0 {
					p.failing = rapid.IntRange(0, 5).Draw(rt, "disk") == 0
					_, _ = p.do(Approve{Proposal: rapid.SampledFrom(ids).Draw(rt, "approve"), Allow: []string{refusal.DoublePayment}})
					p.failing = false
				}
			case 6:
				if len(ids) > 0 {
					_, _ = p.do(Reject{Proposal: rapid.SampledFrom(ids).Draw(rt, "reject")})
					_, _ = p.do(Withdraw{Proposal: rapid.SampledFrom(ids).Draw(rt, "withdraw")})
				}
			case 7:
				p.crash()
			case 8:
				c.settle()
			case 9:
				q := rapid.SampledFrom(c.peers).Draw(rt, "with")
				c.settle(p, q)
			case 11:
				// A transaction again, as it is or with another amount of an input.
				if len(ids) == 0 {
					continue
				}
				if q, ok := p.m.State.Proposal(rapid.SampledFrom(ids).Draw(rt, "again")); ok && q.Sound {
					b := *q.Body
					b.Inputs = slices.Clone(b.Inputs)
					b.Inputs[0].Amount += int64(rapid.IntRange(0, 1).Draw(rt, "lie"))
					b.Replaces = nil
					if e, err := p.wild(&b); err == nil {
						ids = append(ids, e.ID())
					}
				}
			case 10:
				c.clock = c.clock.Add(time.Duration(rapid.IntRange(1, 90).Draw(rt, "hours")) * time.Hour)
				var txs []*wire.MsgTx
				if len(p.sent) > 0 && rapid.Bool().Draw(rt, "mine it") {
					txs = append(txs, p.sent[len(p.sent)-1])
				}
				c.mine(txs)
			}
			check()
		}
	})
	if replacements == 0 {
		t.Log("no schedule released a declared replacement in this run")
	}
}
