package robot

import (
	"fmt"
	"testing"

	"github.com/btcsuite/btcd/chainhash/v2"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/policy"
	"github.com/quorate/quorate/wallet"
)

// BenchmarkDesk is what a whole decision costs at the desk of a robot that signed and denied so
// many proposals before: gather, charges by three meters, and the verdict with its facts as
// they are written. What it costs, and allocates, may not grow with them.
func BenchmarkDesk(b *testing.B) {
	for _, n := range []int{10, 1000, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			w := newWorld(b, 2, 3, 0)
			me := w.all[0]
			coins := w.funded(1_000_000, 2_000_000, 3_000_000, 4_000_000)
			address, err := wallet.AddressOf(stranger(1), wallet.Regtest)
			if err != nil {
				b.Fatal(err)
			}
			pol := &policy.Policy{
				Version: policy.Language, Title: "All", ChangeDelay: 3600, Robots: policy.KeysOf(policy.Key(me.key)), Tolerate: 1, StartQuorum: 1,
				Recipients: []policy.Recipient{{Name: "acme", Addresses: []string{address}}},
				Meters: []policy.Meter{
					{Name: "all", Limit: 100_000_000, Window: 86400}, {Name: "each", Limit: 100_000_000, Window: 86400, Per: policy.PerRecipient},
					{Name: "own", Limit: 100_000_000, Window: 604800, Per: policy.PerInitiator},
				},
				Rules: []policy.Rule{{
					Name: "all", When: policy.When{Kinds: []policy.Kind{policy.Payment}}, Then: policy.Sign, Else: policy.Deny,
					Require: policy.Require{AmountMax: 50_000, Meters: []uint64{0, 1, 2}, Hours: []policy.Hours{{Days: 127, From: 0, To: 1440, Zone: "Europe/Berlin"}}},
				}},
			}
			put := &event.PolicyProposed{Bytes: policy.Encode(pol)}
			w.write(w.all[1], put)
			w.write(me, &event.PolicyAdopted{Version: put.Version(w.st.Group())})
			ever := map[chainhash.Hash]bool{}
			signed := func(id chainhash.Hash) bool { return ever[id] }
			desk := Desk{Mode: Signs}.Prepared(Wallet{State: w.st, View: w.view, Key: me.key, Guarded: signed})
			for i := range n {
				p := w.propose(w.all[1+i%2], coins[i%3:1+i%3], []event.ProposalOutput{to(stranger(byte(i)), int64(1000+i))})
				if i%10 == 0 {
					ever[p.TxID] = true
					desk = desk.Signed(w.st, w.view, p, 1)
				}
			}
			p := w.propose(w.all[1], coins[3:], []event.ProposalOutput{to(stranger(1), 900), change(1, 3_999_000)})
			x := Case{State: w.st, View: w.view, Proposal: p, Key: me.key, Own: 60 * w.minute, Signed: signed, Heard: 1}
			b.ReportAllocs()
			for b.Loop() {
				if v := desk.Decide(x); v.Outcome != policy.OutcomeSign || len(v.Facts) == 0 {
					b.Fatalf("%+v", v)
				}
			}
		})
	}
}
