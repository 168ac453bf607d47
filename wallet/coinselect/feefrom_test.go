package coinselect

import (
	"errors"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// The fee is taken from outputs in equal parts: what leaves the wallet is what was asked
// for, and no more than dust beside it. What coins hold just so much is enough.
func TestFeeFromProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawRequest(t, 100)
		r.FeeFrom = rapid.SliceOfNDistinct(rapid.IntRange(1, len(r.Outputs)), 1, -1, rapid.ID[int]).Draw(t, "from")
		var pay, value int64
		for _, o := range r.Outputs {
			pay += o.Amount
		}
		for _, c := range r.Coins {
			if len(r.Chosen) == 0 || slices.Contains(r.Chosen, c.OutPoint) {
				value += c.Amount
			}
		}
		s, err := selectCoins(r)
		var short ErrInsufficientFunds
		var dust DustError
		switch {
		case errors.As(err, &short):
			if value >= pay || short.Have >= short.Need {
				t.Fatalf("%d are there, %d are paid: %v", value, pay, err)
			}
		case errors.As(err, &dust), errors.Is(err, ErrTooHeavy):
		case err != nil:
			t.Fatal(err)
		default:
			var in, taken, least, most int64
			for _, c := range s.Coins {
				in += c.Amount
			}
			for i, less := range s.Taken {
				taken += less
				r.Outputs[i].Amount -= less
				if !slices.Contains(r.FeeFrom, i+1) {
					if less != 0 {
						t.Fatalf("output %d pays %d of the fee", i+1, less)
					}
					continue
				}
				if most == 0 && least == 0 {
					least, most = less, less
				}
				least, most = min(least, less), max(most, less)
				if r.Outputs[i].Amount < DustLimit(r.Outputs[i].PkScript, 0) {
					t.Fatalf("output %d is left %d", i+1, r.Outputs[i].Amount)
				}
			}
			if taken > s.Fee || most-least >= int64(len(r.FeeFrom)) {
				t.Fatalf("of a fee of %d they pay %v", s.Fee, s.Taken)
			}
			if s.Change > 0 && (in-s.Change != pay || taken != s.Fee) {
				t.Fatalf("%d leave the wallet, asked for were %d", in-s.Change, pay)
			}
			checkSelection(t, r, s, r.InputWeight)
		}
	})
}

func TestFeeFrom(t *testing.T) {
	r := testRequest(100_000, 100_000)
	r.FeeFrom = []int{1}
	s, err := Select(r)
	if err != nil || s.Change != 0 || len(s.Taken) != 1 || s.Taken[0] != s.Fee || s.Fee == 0 {
		t.Errorf("all of a coin: %+v, %v", s, err)
	}
	for name, change := range map[string]func(*Request){
		"none":         func(r *Request) { r.FeeFrom = []int{0} },
		"another":      func(r *Request) { r.FeeFrom = []int{2} },
		"twice":        func(r *Request) { r.FeeFrom = []int{1, 1} },
		"with all":     func(r *Request) { r.All = 1 },
		"below":        func(r *Request) { r.FeeFrom = []int{-1} },
		"too little":   func(r *Request) { r.Outputs[0].Amount = 400 },
		"more than is": func(r *Request) { r.Outputs[0].Amount = 100_001 },
	} {
		x := r
		x.Outputs = slices.Clone(r.Outputs)
		change(&x)
		var dust DustError
		var short ErrInsufficientFunds
		if _, err := Select(x); !errors.Is(err, ErrAmount) && !errors.As(err, &dust) && !errors.As(err, &short) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
