package coinselect

import (
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func drawRequest(t *rapid.T, maxCoins int) Request {
	amount := rapid.OneOf(rapid.Int64Range(1, 5_000), rapid.Int64Range(1, 200_000),
		rapid.Int64Range(1, 50_000_000), rapid.SampledFrom([]int64{10_000, 100_000, 1_000_000}))
	r := Request{
		InputWeight:     testInputWeight,
		Coins:           testCoins(rapid.SliceOfN(amount, 0, maxCoins).Draw(t, "coins")...),
		ChangeScript:    rapid.SampledFrom([][]byte{wshScript(2), append([]byte{0xa9, 20}, make([]byte, 21)...)}).Draw(t, "change"),
		FeeRate:         FeeRate(rapid.OneOf(rapid.Int64Range(1, 3000), rapid.Int64Range(1000, 200_000)).Draw(t, "rate")),
		LongTermFeeRate: FeeRate(rapid.SampledFrom([]int64{0, 1, 1000, 10_000, 50_000}).Draw(t, "long")),
	}
	copy(r.Seed[:], rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(t, "seed"))
	for range rapid.OneOf(rapid.IntRange(1, 3), rapid.IntRange(250, 254)).Draw(t, "outputs") {
		script := wshScript(1)[:rapid.SampledFrom([]int{22, 34}).Draw(t, "script")]
		script[1] = byte(len(script) - 2)
		r.Outputs = append(r.Outputs, Output{PkScript: script, Amount: rapid.Int64Range(330, 300_000).Draw(t, "pay")})
	}
	if len(r.Coins) > 0 && rapid.IntRange(0, 3).Draw(t, "choose") == 0 {
		for _, i := range rapid.SliceOfNDistinct(rapid.IntRange(0, len(r.Coins)-1), 1, -1, rapid.ID[int]).Draw(t, "chosen") {
			r.Chosen = append(r.Chosen, r.Coins[i].OutPoint)
		}
	}
	return r
}

func TestSelectProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawRequest(t, 300)
		weight := int64(rapid.SampledFrom([]int{270, testInputWeight, 416, 2200}).Draw(t, "weight"))
		r.InputWeight = weight
		before := slices.Clone(r.Coins)
		s, err := selectCoins(r)
		if !slices.Equal(before, r.Coins) {
			t.Fatal("the coins of the caller were changed")
		}

		// The same again, in another order: the same answer.
		shuffled := r
		shuffled.Coins = rapid.Permutation(r.Coins).Draw(t, "order")
		shuffled.Chosen = rapid.Permutation(r.Chosen).Draw(t, "chosen order")
		s2, err2 := selectCoins(shuffled)
		if fmt.Sprint(s, err) != fmt.Sprint(s2, err2) {
			t.Fatalf("another order, another answer:\n%v %v\n%v %v", s, err, s2, err2)
		}

		var short ErrInsufficientFunds
		switch {
		case err == nil:
			checkSelection(t, r, s, weight)
		case errors.As(err, &short):
			if short.Have >= short.Need {
				t.Fatalf("refused with enough: %v", err)
			}
		case !errors.Is(err, ErrTooHeavy):
			t.Fatal(err)
		}
	})
}

// Against every subset of a few coins: what can be funded is funded, and what
// cannot be is refused.
func TestSelectComplete(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawRequest(t, 8)
		r.Chosen = nil
		f, err := newFunding(r)
		if err != nil {
			t.Fatal(err)
		}
		// A coin within a vbyte of its own input's fee may go either way.
		for _, c := range r.Coins {
			if fee := partFee(r.FeeRate, testInputWeight); c.Amount >= fee-int64(r.FeeRate)/1000-1 && c.Amount <= fee {
				t.Skip("a coin worth nothing to a fraction of a vbyte")
			}
		}
		possible := false
		for set := range 1 << len(r.Coins) {
			var value int64
			n := 0
			for i, c := range r.Coins {
				if set>>i&1 == 1 {
					value += c.Amount
					n++
				}
			}
			if _, v := f.settle(n, value); v == enough {
				possible = true
			}
		}
		s, err := selectCoins(r)
		if (err == nil) != possible {
			t.Fatalf("possible is %v, but got %v, %v", possible, s, err)
		}
	})
}

// Where inputs cost more than later, branch and bound finds the least waste of
// all sets in range, and CoinGrinder always the lightest: both against every
// subset of a few coins.
func TestSearchesAreOptimal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var pool []fundingCoin
		for range rapid.IntRange(1, 10).Draw(t, "coins") {
			weight := rapid.Int64Range(1, 5).Draw(t, "weight")
			pool = append(pool, fundingCoin{
				worth: rapid.Int64Range(1, 30).Draw(t, "worth"), weight: weight, fee: 3 * weight, longFee: weight,
			})
		}
		pool = sortPool(pool)
		target := rapid.Int64Range(1, 60).Draw(t, "target")
		cost := rapid.Int64Range(0, 20).Draw(t, "cost of change")
		limit := rapid.Int64Range(1, 30).Draw(t, "limit")

		measure := func(set uint) (worth, weight, waste int64) {
			for ; set != 0; set &= set - 1 {
				c := pool[bits.TrailingZeros(set)]
				worth, weight, waste = worth+c.worth, weight+c.weight, waste+c.fee-c.longFee
			}
			return worth, weight, waste + worth - target
		}
		pack := func(set []int) (packed uint) {
			for _, i := range set {
				packed |= 1 << i
			}
			return packed
		}
		leastWaste, leastWeight, leastWorth := int64(-1), int64(-1), int64(-1)
		for set := uint(1); set < 1<<len(pool); set++ {
			worth, weight, waste := measure(set)
			if worth < target || weight > limit {
				continue
			}
			if worth <= target+cost && (leastWaste < 0 || waste < leastWaste) {
				leastWaste = waste
			}
			if leastWeight < 0 || weight < leastWeight || weight == leastWeight && worth < leastWorth {
				leastWeight, leastWorth = weight, worth
			}
		}

		bnb, got := branchAndBound(pool, target, cost, limit), int64(-1)
		if bnb != nil {
			_, _, got = measure(pack(bnb))
		}
		if got != leastWaste {
			t.Fatalf("branch and bound wastes %d, the least is %d", got, leastWaste)
		}
		cg, _ := coinGrinder(pool, target, limit)
		gotWeight, gotWorth := int64(-1), int64(-1)
		if cg != nil {
			gotWorth, gotWeight, _ = measure(pack(cg))
		}
		if gotWeight != leastWeight || gotWorth != leastWorth {
			t.Fatalf("CoinGrinder weighs %d for %d, the least is %d for %d", gotWeight, gotWorth, leastWeight, leastWorth)
		}
	})
}
