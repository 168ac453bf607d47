package coinselect

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/btcsuite/btcd/wire/v2"
)

// testInputWeight is that of a 2-of-3 wsh input.
const testInputWeight = 418

func testCoin(n int, amount int64) Coin {
	c := Coin{Amount: amount}
	// Outpoints in another order than the numbers, as in life.
	binary.LittleEndian.PutUint64(c.OutPoint.Hash[:], uint64(n)*0x9e3779b97f4a7c15)
	c.OutPoint.Index = uint32(n % 3)
	return c
}

func testCoins(amounts ...int64) []Coin {
	var coins []Coin
	for i, a := range amounts {
		coins = append(coins, testCoin(i, a))
	}
	return coins
}

// wshScript is a witness script hash output, of 43 bytes.
func wshScript(fill byte) []byte {
	return append([]byte{0, 32}, bytes.Repeat([]byte{fill}, 32)...)
}

func testRequest(amount int64, coins ...int64) Request {
	return Request{
		InputWeight:  testInputWeight,
		Coins:        testCoins(coins...),
		Outputs:      []Output{{PkScript: wshScript(1), Amount: amount}},
		ChangeScript: wshScript(2),
		FeeRate:      5000,
	}
}

func amounts(coins []Coin) []int64 {
	var out []int64
	for _, c := range coins {
		out = append(out, c.Amount)
	}
	slices.Sort(out)
	return out
}

// finalVSize builds the transaction with as many witness bytes as its inputs
// may need and measures it, with nothing of the arithmetic under test.
func finalVSize(r Request, s Selection, inputWeight int64) int64 {
	tx := wire.NewMsgTx(2)
	for _, c := range s.Coins {
		// 41 bytes of input; the rest is witness: the count of the stack, the
		// size of an item and the item.
		item := int(inputWeight) - 41*4 - 1 - 1
		if item >= 0xfd {
			item -= 2
		}
		tx.AddTxIn(wire.NewTxIn(&c.OutPoint, nil, [][]byte{make([]byte, item)}))
	}
	for _, o := range r.Outputs {
		tx.AddTxOut(wire.NewTxOut(o.Amount, o.PkScript))
	}
	if s.Change > 0 {
		tx.AddTxOut(wire.NewTxOut(s.Change, r.ChangeScript))
	}
	weight := int64(tx.SerializeSizeStripped()*3 + tx.SerializeSize())
	return (weight + 3) / 4
}

// fatal is what checkSelection needs of testing.T and rapid.T.
type fatal interface {
	Helper()
	Fatalf(string, ...any)
}

// checkSelection holds an answer against everything promised of one.
func checkSelection(t fatal, r Request, s Selection, inputWeight int64) {
	t.Helper()
	offered := map[wire.OutPoint]Coin{}
	for _, c := range r.Coins {
		offered[c.OutPoint] = c
	}
	var in, out int64
	used := map[wire.OutPoint]bool{}
	for _, c := range s.Coins {
		if offered[c.OutPoint] != c {
			t.Fatalf("coin %v was not offered so", c.OutPoint)
		}
		if used[c.OutPoint] {
			t.Fatalf("coin %v is used twice", c.OutPoint)
		}
		used[c.OutPoint] = true
		in += c.Amount
	}
	for _, o := range r.Outputs {
		out += o.Amount
	}
	if in != out+s.Change+s.Fee {
		t.Fatalf("%d in, but %d + %d change + %d fee out", in, out, s.Change, s.Fee)
	}
	vsize := finalVSize(r, s, inputWeight)
	required := r.FeeRate.Fee(vsize)
	if s.Fee < required {
		t.Fatalf("fee %d for %d vB is below %d", s.Fee, vsize, required)
	}
	if (vsize-1)*4 >= MaxTxWeight {
		t.Fatalf("%d vB is too heavy", vsize)
	}
	switch limit := DustLimit(r.ChangeScript, DustRelayFeeRate); {
	case s.Change < 0 || s.Change > 0 && s.Change < limit:
		t.Fatalf("change of %d is dust", s.Change)
	case s.Change > 0 && s.Fee != required:
		t.Fatalf("fee %d with change must be exactly %d", s.Fee, required)
	case s.Change == 0:
		// At most what a change output would have cost now, and what spending
		// it would cost at 10 sat/vB, or its dust limit there.
		changeCost := r.FeeRate.Fee(outputSize(r.ChangeScript)+2) + 1
		spendCost := FeeRate(10_000).Fee((inputWeight+3)/4) + 1
		if most := required + changeCost + max(spendCost, DustLimit(r.ChangeScript, 10_000)); s.Fee > most {
			t.Fatalf("fee %d where %d were required, at most %d justified", s.Fee, required, most)
		}
	}
	if len(r.Chosen) > 0 {
		if len(s.Coins) != len(r.Chosen) || s.Algorithm != AlgorithmChosen {
			t.Fatalf("%d coins used by %s, %d chosen", len(s.Coins), s.Algorithm, len(r.Chosen))
		}
		for _, op := range r.Chosen {
			if !used[op] {
				t.Fatalf("chosen coin %v not used", op)
			}
		}
	}
}

func TestSelectAlgorithms(t *testing.T) {
	for _, c := range []struct {
		name      string
		r         Request
		rate      FeeRate
		algorithm string
		coins     []int64
		change    bool
	}{
		// 10.5 + 43 vB for the transaction, 104.5 for the input: 158 vB.
		{"no change", testRequest(100_000, 100_795, 500_000, 700_000), 5000, AlgorithmBranchAndBound, []int64{100_795}, false},
		{"excess below the cost of change", testRequest(100_000, 101_900, 500_000, 700_000), 5000, AlgorithmBranchAndBound, []int64{101_900}, false},
		{"a single coin pays itself out", testRequest(99_210, 100_000), 5000, AlgorithmLargestFirst, []int64{100_000}, false},
		{"too little for good change", testRequest(100_000, 120_000), 5000, AlgorithmKnapsack, []int64{120_000}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.r.FeeRate = c.rate
			s, err := selectCoins(c.r)
			if err != nil {
				t.Fatal(err)
			}
			checkSelection(t, c.r, s, testInputWeight)
			if s.Algorithm != c.algorithm || !slices.Equal(amounts(s.Coins), c.coins) || s.Change > 0 != c.change {
				t.Fatalf("got %+v", s)
			}
		})
	}
}

// CoinGrinder competes above three times the long-term rate and only there,
// and then takes fewer inputs than chance does.
func TestSelectRates(t *testing.T) {
	// Whole millions, and half a one to pay: nothing comes out without change.
	var values []int64
	for i := range int64(60) {
		values = append(values, (1+i)*1_000_000)
	}
	for _, c := range []struct {
		rate      FeeRate
		algorithm string
		possible  bool
	}{
		{3000, AlgorithmRandomDraw, true},
		{30_000, AlgorithmCoinGrinder, false},
		{30_001, AlgorithmCoinGrinder, true},
	} {
		won := 0
		for seed := range byte(50) {
			r := testRequest(500_500_000, values...)
			r.FeeRate, r.Seed[0] = c.rate, seed
			s, err := selectCoins(r)
			if err != nil {
				t.Fatal(err)
			}
			checkSelection(t, r, s, testInputWeight)
			if s.Algorithm == c.algorithm {
				won++
			}
		}
		if won > 0 != c.possible {
			t.Errorf("at %v %s won %d of 50", c.rate, c.algorithm, won)
		}
	}
}

// Exactly enough, and one satoshi less: the last resort finds the first.
func TestSelectExactlyEnough(t *testing.T) {
	for n := range 300 {
		r := testRequest(0, slices.Repeat([]int64{10_000}, n+1)...)
		f := txSize{input: testInputWeight, outputs: 43, count: 1}
		fee := r.FeeRate.Fee(vsizeOf(f.weight(n+1, false)))
		r.Outputs[0].Amount = int64(n+1)*10_000 - fee
		s, err := selectCoins(r)
		if err != nil {
			t.Fatalf("%d coins: %v", n+1, err)
		}
		checkSelection(t, r, s, testInputWeight)
		if s.Fee != fee || len(s.Coins) != n+1 {
			t.Fatalf("got %d coins, fee %d; want %d, %d", len(s.Coins), s.Fee, n+1, fee)
		}
		r.Outputs[0].Amount++
		var short ErrInsufficientFunds
		if _, err := selectCoins(r); !errors.As(err, &short) || short.Need-short.Have != 1 {
			t.Fatalf("%d coins, one satoshi missing: %v", n+1, err)
		}
	}
}

// Change is made from exactly the amount at which spending it pays, and below
// that it goes to the fee. What spending costs is judged at the long-term
// rate, at most 10 sat/vB, at least that for dust.
func TestSelectLeastChange(t *testing.T) {
	f := txSize{input: testInputWeight, outputs: 43, count: 1, change: 43}
	for _, c := range []struct {
		long  FeeRate
		least int64
	}{
		{0, 1100}, {10_000, 1100}, {50_000, 1100}, // the dust limit of 110 vB; to spend it takes 105
		{5000, 550}, {1000, 330},
	} {
		for _, chosen := range []bool{false, true} {
			for _, over := range []int64{c.least - 1, c.least, c.least + 1} {
				r := testRequest(100_000, 100_000+FeeRate(5000).Fee(vsizeOf(f.weight(1, true)))+over)
				r.LongTermFeeRate = c.long
				if chosen {
					r.Chosen = []wire.OutPoint{r.Coins[0].OutPoint}
				}
				s, err := selectCoins(r)
				if err != nil {
					t.Fatal(err)
				}
				checkSelection(t, r, s, testInputWeight)
				want := over
				if over < c.least {
					want = 0
				}
				if s.Change != want {
					t.Errorf("long-term %v, chosen %v, %d above: change %d, want %d", c.long, chosen, over, s.Change, want)
				}
			}
		}
	}
}

// With many keys the cost of spending change is above its dust limit.
func TestSelectHeavyInputChange(t *testing.T) {
	r := testRequest(100_000, 130_000)
	const weight = 2200 // 550 vB, 5500 sat to spend at 10 sat/vB
	r.InputWeight = weight
	f := txSize{input: weight, outputs: 43, count: 1, change: 43}
	for _, over := range []int64{5500, 5501} {
		r.Coins[0].Amount = 100_000 + r.FeeRate.Fee(vsizeOf(f.weight(1, true))) + over
		s, err := selectCoins(r)
		if err != nil {
			t.Fatal(err)
		}
		checkSelection(t, r, s, weight)
		if s.Change > 0 != (over > 5500) {
			t.Errorf("%d above: change %d", over, s.Change)
		}
	}
}

// The change output may be the one that makes the count of outputs longer.
func TestSelectManyOutputs(t *testing.T) {
	for _, n := range []int{251, 252, 253} {
		r := testRequest(0, 10_000_000)
		r.Outputs = slices.Repeat([]Output{{PkScript: wshScript(1), Amount: 10_000}}, n)
		s, err := selectCoins(r)
		if err != nil || s.Change == 0 {
			t.Fatalf("%d outputs: %+v, %v", n, s, err)
		}
		checkSelection(t, r, s, testInputWeight)
	}
}

// The change aimed at is 50,000 sat up to twice the average payment, at most
// a million, above the fee of its output.
func TestChangeTarget(t *testing.T) {
	for _, c := range []struct{ pay, lower, upper int64 }{
		{1000, 50_000, 50_000}, {25_000, 50_000, 50_000}, {25_001, 50_000, 50_001},
		{100_000, 50_000, 199_999}, {5_000_000, 50_000, 999_999}, {maxAmount, 50_000, 999_999},
	} {
		f, err := newFunding(testRequest(c.pay))
		if err != nil {
			t.Fatal(err)
		}
		least, most := int64(maxAmount), int64(0)
		for seed := range byte(100) {
			target := f.changeTarget(testRand(seed)) - 43*5
			least, most = min(least, target), max(most, target)
		}
		if least < c.lower || most > c.upper {
			t.Errorf("paying %d: change aimed at is %d to %d", c.pay, least, most)
		}
		if c.upper > c.lower && least == most {
			t.Errorf("paying %d: change aimed at is always %d", c.pay, least)
		}
	}
}

// The waste of an answer is that of Core's formula.
func TestSelectWaste(t *testing.T) {
	r := testRequest(100_000, 100_792)
	s, err := selectCoins(r)
	// 104.5 vB at 5 sat/vB instead of 10, and two satoshis above the 158 vB.
	if want := int64(523 - 1045 + 2); err != nil || s.Waste != want {
		t.Errorf("without change: %d, %v; want %d", s.Waste, err, want)
	}
	r = testRequest(100_000, 120_000)
	s, err = selectCoins(r)
	// Change costs 43 vB now and 105 later.
	if want := int64(523 - 1045 + 43*5 + 105*10); err != nil || s.Waste != want {
		t.Errorf("with change: %d, %v; want %d", s.Waste, err, want)
	}
}

// Coins that cost more than they bring are left alone, but spent when chosen.
func TestSelectUneconomical(t *testing.T) {
	r := testRequest(100_000, 100, 200, 522, 523, 500_000)
	s, err := selectCoins(r)
	if err != nil || !slices.Equal(amounts(s.Coins), []int64{500_000}) {
		t.Fatalf("got %v, %v", s, err)
	}
	for _, c := range r.Coins {
		r.Chosen = append(r.Chosen, c.OutPoint)
	}
	s, err = selectCoins(r)
	if err != nil {
		t.Fatal(err)
	}
	checkSelection(t, r, s, testInputWeight)
}

// Over 252 inputs their count takes two bytes more.
func TestSelectManyInputs(t *testing.T) {
	for _, n := range []int{252, 253, 254, 900} {
		r := testRequest(int64(n-1)*10_000, slices.Repeat([]int64{10_600}, n)...)
		r.FeeRate = 1000
		r.Outputs[0].Amount = int64(n)*10_600 - 105*int64(n) - 2000
		s, err := selectCoins(r)
		if err != nil {
			t.Fatalf("%d coins: %v", n, err)
		}
		checkSelection(t, r, s, testInputWeight)
		if len(s.Coins) != n {
			t.Fatalf("%d coins used of %d", len(s.Coins), n)
		}
	}
}

// Which of equal coins are spent follows from the seed, for one and for many.
func TestSelectSeed(t *testing.T) {
	for _, pay := range []int64{20_000, 1_000_000} {
		r := testRequest(pay, slices.Repeat([]int64{300_000}, 100)...)
		different := map[string]bool{}
		for seed := range byte(20) {
			r.Seed[31] = seed
			s, err := selectCoins(r)
			if err != nil {
				t.Fatal(err)
			}
			different[fmt.Sprint(s.Coins)] = true
		}
		if len(different) < 10 {
			t.Errorf("paying %d, twenty seeds chose %d sets of 100 equal coins", pay, len(different))
		}
	}
}
