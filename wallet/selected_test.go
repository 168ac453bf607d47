package wallet

import (
	"fmt"
	"testing"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcutil/v2"

	"github.com/quorate/quorate/wallet/coinselect"
)

// What coin selection promises, held against the signed and finalized
// transaction of real descriptors: the fee pays for the size the spend
// announces, exactly where there is change, and so for the final size.
func TestSelectedFinalTransaction(t *testing.T) {
	for _, st := range []ScriptType{ScriptWSH, ScriptSHWSH} {
		for _, size := range [][2]int{{1, 2}, {2, 2}, {2, 3}, {3, 5}, {11, 15}, {20, 20}} {
			t.Run(fmt.Sprintf("%s %d of %d", st, size[0], size[1]), func(t *testing.T) {
				g := newTestGroup(t, st, size[0], size[1])
				in, out := g.testParts(t, 6)
				r := coinselect.Request{
					InputWeight: int64(g.d.InputWeight()), ChangeScript: out[1].PkScript, FeeRate: 7_321,
					Outputs: []coinselect.Output{{PkScript: out[0].PkScript}},
				}
				for _, i := range in {
					r.Coins = append(r.Coins, coinselect.Coin{OutPoint: i.OutPoint, Amount: i.Amount})
				}
				// With change, and without: 3 coins but for their fee.
				r.Outputs[0].Amount = 210_000
				checkFinalSelection(t, g, in, r, true)
				weight := 10*4 + 2 + 4*(8+1+len(out[0].PkScript)) + 3*g.d.InputWeight()
				r.Outputs[0].Amount = 300_000 - r.FeeRate.Fee(int64(weight+3)/4) - 300
				checkFinalSelection(t, g, in, r, false)
			})
		}
	}
}

func checkFinalSelection(t *testing.T, g testGroup, coins []Input, r coinselect.Request, change bool) {
	t.Helper()
	s, err := coinselect.Select(r)
	if err != nil {
		t.Fatal(err)
	}
	if s.Change > 0 != change {
		t.Fatalf("change is %d", s.Change)
	}
	out := []Output{Output(r.Outputs[0])}
	if change {
		out = append(out, Output{PkScript: r.ChangeScript, Amount: s.Change})
	}
	var in []Input
	for _, c := range s.Coins {
		for _, i := range coins {
			if i.OutPoint == c.OutPoint {
				in = append(in, i)
			}
		}
	}
	spend, err := NewSpend(g.d, in, out, 0)
	if err != nil {
		t.Fatal(err)
	}
	required := r.FeeRate.Fee(spend.VSize())
	if spend.Fee() != s.Fee || s.Fee < required || change && s.Fee != required {
		t.Fatalf("selected with fee %d, the spend pays %d, %d required", s.Fee, spend.Fee(), required)
	}
	var sigs []Signature
	for k := range g.d.Threshold() {
		sigs = append(sigs, g.sign(t, spend, k)...)
	}
	tx, err := spend.Finalize(sigs, nil)
	if err != nil {
		t.Fatal(err)
	}
	weight := blockchain.GetTransactionWeight(btcutil.NewTx(tx))
	if least := r.FeeRate.Fee((weight + 3) / 4); s.Fee < least {
		t.Fatalf("fee %d, the final transaction needs %d", s.Fee, least)
	}
}
