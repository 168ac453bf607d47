package wallet

import (
	"errors"
	"fmt"
	"testing"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcutil/v2"
)

// What SelectCoins promises, held against the signed and finalized transaction
// of real descriptors: the fee pays for the size the spend announces, exactly
// where there is change, and so for the final size.
func TestSelectCoinsFinalTransaction(t *testing.T) {
	for _, st := range []ScriptType{ScriptWSH, ScriptSHWSH} {
		for _, size := range [][2]int{{1, 2}, {2, 2}, {2, 3}, {3, 5}, {11, 15}, {20, 20}} {
			t.Run(fmt.Sprintf("%s %d of %d", st, size[0], size[1]), func(t *testing.T) {
				g := newTestGroup(t, st, size[0], size[1])
				in, out := g.testParts(t, 6)
				r := SelectRequest{Descriptor: g.d, Outputs: out[:1], ChangeScript: out[1].PkScript, FeeRate: 7_321}
				for _, i := range in {
					r.Coins = append(r.Coins, Coin{i})
				}
				// With change, and without: 3 coins but for their fee.
				r.Outputs[0].Amount = 210_000
				checkFinalSelection(t, g, r, true)
				one := txSize{input: int64(g.d.InputWeight()), outputs: outputSize(out[0].PkScript), count: 1}
				r.Outputs[0].Amount = 300_000 - r.FeeRate.Fee(vsizeOf(one.weight(3, false))) - 300
				checkFinalSelection(t, g, r, false)
			})
		}
	}
}

func checkFinalSelection(t *testing.T, g testGroup, r SelectRequest, change bool) {
	t.Helper()
	s, err := SelectCoins(r)
	if err != nil {
		t.Fatal(err)
	}
	if s.Change > 0 != change {
		t.Fatalf("change is %d", s.Change)
	}
	out := r.Outputs
	if change {
		out = append(out[:len(out):len(out)], Output{PkScript: r.ChangeScript, Amount: s.Change})
	}
	var in []Input
	for _, c := range s.Coins {
		in = append(in, c.Input)
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
	if least := r.FeeRate.Fee(vsizeOf(weight)); s.Fee < least {
		t.Fatalf("fee %d, the final transaction needs %d", s.Fee, least)
	}
}

func TestSelectCoinsPassesErrorsOn(t *testing.T) {
	g := newTestGroup(t, ScriptWSH, 2, 3)
	in, out := g.testParts(t, 1)
	r := SelectRequest{Descriptor: g.d, Coins: []Coin{{in[0]}}, Outputs: out[:1], ChangeScript: out[1].PkScript, FeeRate: 1000}
	r.Outputs[0].Amount = 100_000
	var short ErrInsufficientFunds
	if _, err := SelectCoins(r); !errors.As(err, &short) || short.Have != 100_000 {
		t.Fatalf("got %v", err)
	}
	r.Outputs[0].Amount = 1
	if _, err := SelectCoins(r); !errors.Is(err, ErrDust) {
		t.Fatalf("got %v", err)
	}
	r.Descriptor = nil
	if _, err := SelectCoins(r); !errors.Is(err, ErrNoDescriptor) {
		t.Fatalf("got %v", err)
	}
	if _, err := selectCoins(r, 0); !errors.Is(err, ErrNoDescriptor) {
		t.Fatalf("weightless inputs: got %v", err)
	}
}
