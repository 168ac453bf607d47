package coordinator

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/btcsuite/btcd/chainhash/v2"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/policy"
)

// BenchmarkVerdict is what a decision costs a robot's node that knows so many proposals that
// have ended: the rules for every cosigner, the facts and the verdict, with the desk prepared.
// What it costs, and allocates, may not grow with them.
func BenchmarkVerdict(b *testing.B) {
	for _, n := range []int{100, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			r := withRobots(b, 2, 3, 1)
			bot, ana := r.robots[0], r.humans[0]
			r.fund(100_000)
			r.votes(r.suppliers(50_000))
			r.hear()
			for i := range n {
				h := sha256.Sum256(binary.BigEndian.AppendUint64(nil, uint64(i)))
				ana.must(says{&event.ProposalCreated{
					Inputs: []event.ProposalInput{{TxID: chainhash.Hash(h), Amount: 100_000}}, Outputs: []event.ProposalOutput{{PkScript: recipient(70), Amount: 90_000}}, Expires: 1,
				}})
				if i%100 == 99 {
					r.settle(ana, bot)
				}
			}
			r.hear()
			id := ana.proposes(pay(70, 20_000))
			for _, e := range ana.out {
				if e.ID() != id {
					continue
				}
				var err error
				if bot.m.State, _, err = bot.m.State.Add(e, true); err != nil { // before the robot signs it
					b.Fatal(err)
				}
			}
			bot.m.State = bot.m.State.Derived()
			p, ok := bot.m.State.Proposal(id)
			if !ok {
				b.Fatal("it lacks the proposal")
			}
			bot.m.desk = bot.m.desk.Prepared(bot.m.preparing())
			in := bot.input(nil)
			b.ReportAllocs()
			for b.Loop() {
				if v, err := bot.m.verdict(p, in); err != nil || v.Outcome != policy.OutcomeSign {
					b.Fatalf("%+v, %v", v, err)
				}
			}
		})
	}
}
