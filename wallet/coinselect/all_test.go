package coinselect

import (
	"errors"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// All that is left goes to one output: every coin that brings more than its input
// costs, nothing else but the fee at the rate, and no change.
func TestAllProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawRequest(t, 300)
		r.All = rapid.IntRange(1, len(r.Outputs)).Draw(t, "all")
		r.Outputs[r.All-1].Amount = rapid.Int64Range(-1, 5).Draw(t, "ignored")
		before := slices.Clone(r.Coins)
		s, err := selectCoins(r)
		if !slices.Equal(before, r.Coins) {
			t.Fatal("the coins of the caller were changed")
		}
		var pay, value int64
		for i, o := range r.Outputs {
			if i+1 != r.All {
				pay += o.Amount
			}
		}
		perInput := partFee(r.FeeRate, r.InputWeight)
		want := map[Coin]bool{}
		for _, c := range r.Coins {
			chosen := slices.Contains(r.Chosen, c.OutPoint)
			if chosen || len(r.Chosen) == 0 && c.Amount > perInput {
				want[c] = true
				value += c.Amount
			}
		}
		size := txSize{input: r.InputWeight, count: len(r.Outputs), change: 0}
		for _, o := range r.Outputs {
			size.outputs += outputSize(o.PkScript)
		}
		weight := size.weight(len(want), false)
		fee := r.FeeRate.Fee(vsizeOf(weight))
		dust := DustLimit(r.Outputs[r.All-1].PkScript, 0)
		var short ErrInsufficientFunds
		switch {
		case errors.As(err, &short):
			if len(want) > 0 && value-pay-fee >= max(dust, 1) || short.Have >= short.Need {
				t.Fatalf("refused with enough: %v", err)
			}
		case errors.Is(err, ErrTooHeavy):
			if weight <= MaxTxWeight {
				t.Fatalf("refused at %d weight units", weight)
			}
		case err != nil:
			t.Fatal(err)
		default:
			if s.Change != 0 || s.Fee != fee || s.All != value-pay-fee || s.All < dust || len(s.Coins) != len(want) {
				t.Fatalf("%+v of %d sat in %d coins, the fee being %d", s, value, len(want), fee)
			}
			for _, c := range s.Coins {
				if !want[c] {
					t.Fatalf("%v is spent", c)
				}
				delete(want, c)
			}
		}
	})
}

func TestAllOfAnOutputThatIsNotThere(t *testing.T) {
	for _, n := range []int{-1, 2} {
		r := testRequest(10_000, 50_000)
		r.All = n
		if _, err := Select(r); !errors.Is(err, ErrAmount) {
			t.Errorf("output %d: %v", n, err)
		}
	}
}
