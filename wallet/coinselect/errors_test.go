package coinselect

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

func TestSelectErrors(t *testing.T) {
	ok := func() Request { return testRequest(100_000, 200_000, 300_000) }
	for _, c := range []struct {
		name  string
		spoil func(*Request)
		want  error
		text  string
	}{
		{"nothing wrong", func(r *Request) {}, nil, ""},
		{"no outputs", func(r *Request) { r.Outputs = nil }, ErrNoOutputs, ""},
		{"zero amount", func(r *Request) { r.Outputs[0].Amount = 0 }, ErrAmount, "output 0 pays 0 sat"},
		{"negative amount", func(r *Request) { r.Outputs[0].Amount = -1 }, ErrAmount, "output 0"},
		{"zero to op_return", func(r *Request) { r.Outputs[0] = Output{PkScript: []byte{txscript.OP_RETURN}} }, ErrAmount, "output 0"},
		{"above all money", func(r *Request) { r.Outputs[0].Amount = maxAmount + 1 }, ErrAmount, "output 0"},
		{"outputs together above all money", func(r *Request) {
			r.Outputs = append(r.Outputs, Output{PkScript: wshScript(1), Amount: maxAmount - 99_999})
		}, ErrAmount, "output 1"},
		{"dust", func(r *Request) { r.Outputs = append(r.Outputs, Output{PkScript: wshScript(1), Amount: 329}) }, ErrDust, "output 1 pays 329 sat, at least 330"},
		{"just no dust", func(r *Request) { r.Outputs[0].Amount = 330 }, nil, ""},
		{"empty script", func(r *Request) { r.Outputs[0].PkScript = nil }, ErrScript, "output 0"},
		{"script too long", func(r *Request) { r.Outputs[0].PkScript = make([]byte, maxPkScript+1) }, ErrScript, "output 0"},
		{"no change script", func(r *Request) { r.ChangeScript = nil }, ErrScript, "change"},
		{"change to op_return", func(r *Request) { r.ChangeScript = []byte{txscript.OP_RETURN} }, ErrScript, "change"},
		{"no rate", func(r *Request) { r.FeeRate = 0 }, ErrFeeRate, ""},
		{"negative rate", func(r *Request) { r.FeeRate = -1 }, ErrFeeRate, ""},
		{"absurd rate", func(r *Request) { r.FeeRate = MaxFeeRate + 1 }, ErrFeeRate, ""},
		{"negative long-term rate", func(r *Request) { r.LongTermFeeRate = -1 }, ErrFeeRate, ""},
		{"absurd long-term rate", func(r *Request) { r.LongTermFeeRate = MaxFeeRate + 1 }, ErrFeeRate, ""},
		{"coin given twice", func(r *Request) { r.Coins = append(r.Coins, r.Coins[0]) }, ErrDuplicateCoin, ""},
		{"coin without value", func(r *Request) { r.Coins[1].Amount = 0 }, ErrAmount, "coin"},
		{"coin below zero", func(r *Request) { r.Coins[1].Amount = -5 }, ErrAmount, "coin"},
		{"coin above all money", func(r *Request) { r.Coins[1].Amount = maxAmount + 1 }, ErrAmount, "coin"},
		{"coins together above all money", func(r *Request) { r.Coins[1].Amount = maxAmount }, ErrAmount, "coin"},
		{"chosen twice", func(r *Request) {
			r.Chosen = []wire.OutPoint{r.Coins[1].OutPoint, r.Coins[1].OutPoint}
		}, ErrDuplicateCoin, ""},
		{"chosen unknown", func(r *Request) {
			r.Chosen = []wire.OutPoint{r.Coins[1].OutPoint, {Index: 7}}
		}, ErrChosenCoin, strings.Repeat("0", 64) + ":7"},
		{"outputs too heavy", func(r *Request) {
			r.Outputs = slices.Repeat([]Output{{PkScript: make([]byte, maxPkScript), Amount: 40_000}}, 10)
		}, ErrTooHeavy, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := ok()
			c.spoil(&r)
			s, err := selectCoins(r)
			if !errors.Is(err, c.want) {
				t.Fatalf("got %v, want %v", err, c.want)
			}
			if err == nil {
				checkSelection(t, r, s, testInputWeight)
				return
			}
			if !strings.Contains(err.Error(), c.text) {
				t.Fatalf("%q does not say %q", err, c.text)
			}
		})
	}
}

func TestSelectInsufficient(t *testing.T) {
	for _, c := range []struct {
		name       string
		r          Request
		have, need int64
	}{
		// 158 vB with one input, 53.5 with none.
		{"one coin", testRequest(100_000, 100_000), 100_000, 100_000 + 158*5},
		{"no coin", testRequest(100_000), 0, 100_000 + 54*5},
		{"only coins not worth their input", testRequest(1000, 523, 400), 0, 1000 + 54*5},
		{"all money needed", testRequest(maxAmount, 50_000), 50_000, maxAmount + 158*5},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := selectCoins(c.r)
			var short ErrInsufficientFunds
			if !errors.As(err, &short) || short.Have != c.have || short.Need != c.need {
				t.Fatalf("got %v, want %d and %d", err, c.have, c.need)
			}
		})
	}
	// Chosen coins that are not enough, beside others that would be.
	r := testRequest(100_000, 50_000, 10_000_000)
	r.Chosen = []wire.OutPoint{r.Coins[0].OutPoint}
	var short ErrInsufficientFunds
	if _, err := selectCoins(r); !errors.As(err, &short) || short.Have != 50_000 {
		t.Fatalf("got %v", err)
	}
}

func TestSelectTooHeavy(t *testing.T) {
	// 956 inputs of 418 weight units are the most that fit with one output.
	r := testRequest(0, slices.Repeat([]int64{10_000}, 1200)...)
	r.FeeRate = 1000
	size := txSize{input: testInputWeight, outputs: 43, count: 1}
	most := 1
	for size.weight(most+1, false) <= MaxTxWeight {
		most++
	}
	r.Outputs[0].Amount = int64(most)*10_000 - r.FeeRate.Fee(vsizeOf(size.weight(most, false)))
	s, err := selectCoins(r)
	if err != nil || len(s.Coins) != most {
		t.Fatalf("%d inputs fit: %v", most, err)
	}
	checkSelection(t, r, s, testInputWeight)
	r.Outputs[0].Amount++
	if _, err := selectCoins(r); !errors.Is(err, ErrTooHeavy) {
		t.Fatalf("got %v", err)
	}
	for _, c := range r.Coins[:most+1] {
		r.Chosen = append(r.Chosen, c.OutPoint)
	}
	if _, err := selectCoins(r); !errors.Is(err, ErrTooHeavy) {
		t.Fatalf("chosen: got %v", err)
	}
	// So with nothing left for change.
	r.Outputs[0].Amount = int64(most+1)*10_000 - r.FeeRate.Fee(vsizeOf(size.weight(most+1, false)))
	if _, err := selectCoins(r); !errors.Is(err, ErrTooHeavy) {
		t.Fatalf("chosen, without change: got %v", err)
	}
	// The inputs fit, but change that is too much to give away does not.
	r.Chosen = r.Chosen[:most]
	r.Outputs[0].Amount = 1_000_000
	if _, err := selectCoins(r); !errors.Is(err, ErrTooHeavy) {
		t.Fatalf("no room for change: got %v", err)
	}
}

func TestSelectNeedsAWeight(t *testing.T) {
	r := testRequest(10_000, 50_000)
	r.InputWeight = 0
	if _, err := Select(r); !errors.Is(err, ErrInputWeight) {
		t.Fatalf("got %v", err)
	}
}
