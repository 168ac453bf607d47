package robot

import (
	"fmt"
	"testing"

	"github.com/btcsuite/btcd/chainhash/v2"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/policy"
	"github.com/quorate/quorate/wallet"
)

// BenchmarkDecision is what one proposal costs among so many others: its facts, with what it
// would charge, and the verdict.
func BenchmarkDecision(b *testing.B) {
	for _, n := range []int{10, 1000, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			w := newWorld(b, 2, 3, 0)
			coins := w.funded(1_000_000, 2_000_000, 3_000_000)
			pol := anyPolicy()
			pol.Meters = []policy.Meter{{Name: "all", Limit: 100_000_000, Window: 86400}}
			pol.Rules[0].Require.Meters = []uint64{0}
			c, err := Compile(pol, [32]byte{}, wallet.Regtest, w.view)
			if err != nil {
				b.Fatal(err)
			}
			var l Ledger
			for i := range n {
				p := w.propose(w.all[1+i%2], coins[i%2:1+i%2], []event.ProposalOutput{to(stranger(1), int64(1000+i))})
				if i%10 == 0 {
					l = l.Signed(w.st, w.view, c, p, 1, 1)
				}
			}
			p := w.propose(w.all[1], coins[2:], []event.ProposalOutput{to(stranger(1), 900), change(1, 2_999_000)})
			q := Question{State: w.st, View: w.view, Proposal: p, Compiled: c, Now: 60 * w.minute, Signed: func(chainhash.Hash) bool { return false },
				Uses: func(t Takes) []policy.Use { return l.Uses(pol, 3, 2, t) }}
			for b.Loop() {
				f, err := Gather(q)
				if err != nil {
					b.Fatal(err)
				}
				if v := policy.Decide(pol, &f); v.Outcome != policy.OutcomeSign {
					b.Fatalf("%+v", v)
				}
			}
		})
	}
}

// BenchmarkDecisionAmongRivals is one of a coin that very many others spend, and that many
// entries repeat.
func BenchmarkDecisionAmongRivals(b *testing.B) {
	w := newWorld(b, 2, 3, 0)
	coins := w.funded(1_000_000)
	out := []event.ProposalOutput{to(stranger(1), 900)}
	p := w.propose(w.all[1], coins, out)
	for i := range int64(1000) {
		w.propose(w.all[1], coins, []event.ProposalOutput{to(stranger(1), 1000+i)})
		w.write(w.all[2], &event.ProposalRejected{Proposal: w.propose(w.all[2], coins, out).Ref.ID})
	}
	q := w.question(p, anyPolicy())
	for b.Loop() {
		if f, err := Gather(q); err != nil || f.Rejected.Count() != 1 {
			b.Fatal(f, err)
		}
	}
}
