package wallet

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"
	"pgregory.net/rapid"
)

// testInputWeight is that of a 2-of-3 wsh input.
const testInputWeight = 418

func testCoin(n int, amount int64) Coin {
	c := Coin{Input{Amount: amount, Index: uint32(n)}}
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

func testRequest(amount int64, coins ...int64) SelectRequest {
	return SelectRequest{
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
func finalVSize(r SelectRequest, s Selection, inputWeight int64) int64 {
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
func checkSelection(t fatal, r SelectRequest, s Selection, inputWeight int64) {
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

func drawRequest(t *rapid.T, maxCoins int) SelectRequest {
	amount := rapid.OneOf(rapid.Int64Range(1, 5_000), rapid.Int64Range(1, 200_000),
		rapid.Int64Range(1, 50_000_000), rapid.SampledFrom([]int64{10_000, 100_000, 1_000_000}))
	r := SelectRequest{
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

func TestSelectCoinsProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawRequest(t, 300)
		weight := int64(rapid.SampledFrom([]int{270, testInputWeight, 416, 2200}).Draw(t, "weight"))
		before := slices.Clone(r.Coins)
		s, err := selectCoins(r, weight)
		if !slices.Equal(before, r.Coins) {
			t.Fatal("the coins of the caller were changed")
		}

		// The same again, in another order: the same answer.
		shuffled := r
		shuffled.Coins = rapid.Permutation(r.Coins).Draw(t, "order")
		shuffled.Chosen = rapid.Permutation(r.Chosen).Draw(t, "chosen order")
		s2, err2 := selectCoins(shuffled, weight)
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
func TestSelectCoinsComplete(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawRequest(t, 8)
		r.Chosen = nil
		f, err := newFunding(r, testInputWeight)
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
		s, err := selectCoins(r, testInputWeight)
		if (err == nil) != possible {
			t.Fatalf("possible is %v, but got %v, %v", possible, s, err)
		}
	})
}

func TestSelectCoinsAlgorithms(t *testing.T) {
	for _, c := range []struct {
		name      string
		r         SelectRequest
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
			s, err := selectCoins(c.r, testInputWeight)
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
func TestSelectCoinsRates(t *testing.T) {
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
			s, err := selectCoins(r, testInputWeight)
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
func TestSelectCoinsExactlyEnough(t *testing.T) {
	for n := range 300 {
		r := testRequest(0, slices.Repeat([]int64{10_000}, n+1)...)
		f := txSize{input: testInputWeight, outputs: 43, count: 1}
		fee := r.FeeRate.Fee(vsizeOf(f.weight(n+1, false)))
		r.Outputs[0].Amount = int64(n+1)*10_000 - fee
		s, err := selectCoins(r, testInputWeight)
		if err != nil {
			t.Fatalf("%d coins: %v", n+1, err)
		}
		checkSelection(t, r, s, testInputWeight)
		if s.Fee != fee || len(s.Coins) != n+1 {
			t.Fatalf("got %d coins, fee %d; want %d, %d", len(s.Coins), s.Fee, n+1, fee)
		}
		r.Outputs[0].Amount++
		var short ErrInsufficientFunds
		if _, err := selectCoins(r, testInputWeight); !errors.As(err, &short) || short.Need-short.Have != 1 {
			t.Fatalf("%d coins, one satoshi missing: %v", n+1, err)
		}
	}
}

// Change is made from exactly the amount at which spending it pays, and below
// that it goes to the fee.
func TestSelectCoinsLeastChange(t *testing.T) {
	r := testRequest(100_000, 0)
	// At 10 sat/vB, Core's discard rate: 105 vB to spend, and the dust limit
	// of a wsh output 110 vB.
	const least = 1100
	f := txSize{input: testInputWeight, outputs: 43, count: 1, change: 43}
	withChange := r.FeeRate.Fee(vsizeOf(f.weight(1, true)))
	for _, chosen := range []bool{false, true} {
		for _, c := range []struct{ over, change int64 }{{least - 1, 0}, {least, least}, {least + 1, least + 1}} {
			r.Coins = testCoins(100_000 + withChange + c.over)
			r.Chosen = nil
			if chosen {
				r.Chosen = []wire.OutPoint{r.Coins[0].OutPoint}
			}
			s, err := selectCoins(r, testInputWeight)
			if err != nil {
				t.Fatal(err)
			}
			checkSelection(t, r, s, testInputWeight)
			if s.Change != c.change {
				t.Errorf("chosen %v, %d above: change %d, want %d", chosen, c.over, s.Change, c.change)
			}
		}
	}
}

// The waste of an answer is that of Core's formula.
func TestSelectCoinsWaste(t *testing.T) {
	r := testRequest(100_000, 100_792)
	s, err := selectCoins(r, testInputWeight)
	// 104.5 vB at 5 sat/vB instead of 10, and two satoshis above the 158 vB.
	if want := int64(523 - 1045 + 2); err != nil || s.Waste != want {
		t.Errorf("without change: %d, %v; want %d", s.Waste, err, want)
	}
	r = testRequest(100_000, 120_000)
	s, err = selectCoins(r, testInputWeight)
	// Change costs 43 vB now and 105 later.
	if want := int64(523 - 1045 + 43*5 + 105*10); err != nil || s.Waste != want {
		t.Errorf("with change: %d, %v; want %d", s.Waste, err, want)
	}
}

// Coins that cost more than they bring are left alone, but spent when chosen.
func TestSelectCoinsUneconomical(t *testing.T) {
	r := testRequest(100_000, 100, 200, 522, 523, 500_000)
	s, err := selectCoins(r, testInputWeight)
	if err != nil || !slices.Equal(amounts(s.Coins), []int64{500_000}) {
		t.Fatalf("got %v, %v", s, err)
	}
	for _, c := range r.Coins {
		r.Chosen = append(r.Chosen, c.OutPoint)
	}
	s, err = selectCoins(r, testInputWeight)
	if err != nil {
		t.Fatal(err)
	}
	checkSelection(t, r, s, testInputWeight)
}

// Over 252 inputs their count takes two bytes more.
func TestSelectCoinsManyInputs(t *testing.T) {
	for _, n := range []int{252, 253, 254, 900} {
		r := testRequest(int64(n-1)*10_000, slices.Repeat([]int64{10_600}, n)...)
		r.FeeRate = 1000
		r.Outputs[0].Amount = int64(n)*10_600 - 105*int64(n) - 2000
		s, err := selectCoins(r, testInputWeight)
		if err != nil {
			t.Fatalf("%d coins: %v", n, err)
		}
		checkSelection(t, r, s, testInputWeight)
		if len(s.Coins) != n {
			t.Fatalf("%d coins used of %d", len(s.Coins), n)
		}
	}
}

func TestSelectCoinsSeed(t *testing.T) {
	r := testRequest(1_000_000, slices.Repeat([]int64{300_000}, 100)...)
	first, err := selectCoins(r, testInputWeight)
	if err != nil {
		t.Fatal(err)
	}
	for seed := range byte(20) {
		r.Seed[31] = seed
		s, err := selectCoins(r, testInputWeight)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(s.Coins, first.Coins) {
			return
		}
	}
	t.Fatal("twenty seeds chose the same of 100 equal coins: the seed is not used")
}

func TestSelectCoinsErrors(t *testing.T) {
	ok := func() SelectRequest { return testRequest(100_000, 200_000, 300_000) }
	for _, c := range []struct {
		name  string
		spoil func(*SelectRequest)
		want  error
		text  string
	}{
		{"nothing wrong", func(r *SelectRequest) {}, nil, ""},
		{"no outputs", func(r *SelectRequest) { r.Outputs = nil }, ErrNoOutputs, ""},
		{"zero amount", func(r *SelectRequest) { r.Outputs[0].Amount = 0 }, ErrAmount, "output 0 pays 0 sat"},
		{"negative amount", func(r *SelectRequest) { r.Outputs[0].Amount = -1 }, ErrAmount, "output 0"},
		{"zero to op_return", func(r *SelectRequest) { r.Outputs[0] = Output{PkScript: []byte{txscript.OP_RETURN}} }, ErrAmount, "output 0"},
		{"above all money", func(r *SelectRequest) { r.Outputs[0].Amount = maxAmount + 1 }, ErrAmount, "output 0"},
		{"outputs together above all money", func(r *SelectRequest) {
			r.Outputs = append(r.Outputs, Output{PkScript: wshScript(1), Amount: maxAmount - 99_999})
		}, ErrAmount, "output 1"},
		{"dust", func(r *SelectRequest) { r.Outputs = append(r.Outputs, Output{PkScript: wshScript(1), Amount: 329}) }, ErrDust, "output 1 pays 329 sat, at least 330"},
		{"just no dust", func(r *SelectRequest) { r.Outputs[0].Amount = 330 }, nil, ""},
		{"empty script", func(r *SelectRequest) { r.Outputs[0].PkScript = nil }, ErrScript, "output 0"},
		{"script too long", func(r *SelectRequest) { r.Outputs[0].PkScript = make([]byte, maxPkScript+1) }, ErrScript, "output 0"},
		{"no change script", func(r *SelectRequest) { r.ChangeScript = nil }, ErrScript, "change"},
		{"change to op_return", func(r *SelectRequest) { r.ChangeScript = []byte{txscript.OP_RETURN} }, ErrScript, "change"},
		{"no rate", func(r *SelectRequest) { r.FeeRate = 0 }, ErrFeeRate, ""},
		{"negative rate", func(r *SelectRequest) { r.FeeRate = -1 }, ErrFeeRate, ""},
		{"absurd rate", func(r *SelectRequest) { r.FeeRate = MaxFeeRate + 1 }, ErrFeeRate, ""},
		{"negative long-term rate", func(r *SelectRequest) { r.LongTermFeeRate = -1 }, ErrFeeRate, ""},
		{"absurd long-term rate", func(r *SelectRequest) { r.LongTermFeeRate = MaxFeeRate + 1 }, ErrFeeRate, ""},
		{"coin given twice", func(r *SelectRequest) { r.Coins = append(r.Coins, r.Coins[0]) }, ErrDuplicateCoin, ""},
		{"coin without value", func(r *SelectRequest) { r.Coins[1].Amount = 0 }, ErrAmount, "coin"},
		{"coin below zero", func(r *SelectRequest) { r.Coins[1].Amount = -5 }, ErrAmount, "coin"},
		{"coin above all money", func(r *SelectRequest) { r.Coins[1].Amount = maxAmount + 1 }, ErrAmount, "coin"},
		{"coins together above all money", func(r *SelectRequest) { r.Coins[1].Amount = maxAmount }, ErrAmount, "coin"},
		{"chosen twice", func(r *SelectRequest) {
			r.Chosen = []wire.OutPoint{r.Coins[1].OutPoint, r.Coins[1].OutPoint}
		}, ErrDuplicateCoin, ""},
		{"chosen unknown", func(r *SelectRequest) {
			r.Chosen = []wire.OutPoint{r.Coins[1].OutPoint, {Index: 7}}
		}, ErrChosenCoin, strings.Repeat("0", 64) + ":7"},
		{"outputs too heavy", func(r *SelectRequest) {
			r.Outputs = slices.Repeat([]Output{{PkScript: make([]byte, maxPkScript), Amount: 40_000}}, 10)
		}, ErrTooHeavy, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := ok()
			c.spoil(&r)
			s, err := selectCoins(r, testInputWeight)
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

func TestSelectCoinsNoDescriptor(t *testing.T) {
	if _, err := SelectCoins(testRequest(1000, 100_000)); !errors.Is(err, ErrNoDescriptor) {
		t.Fatalf("got %v", err)
	}
}

func TestSelectCoinsInsufficient(t *testing.T) {
	for _, c := range []struct {
		name       string
		r          SelectRequest
		have, need int64
	}{
		// 158 vB with one input, 53.5 with none.
		{"one coin", testRequest(100_000, 100_000), 100_000, 100_000 + 158*5},
		{"no coin", testRequest(100_000), 0, 100_000 + 54*5},
		{"only coins not worth their input", testRequest(1000, 523, 400), 0, 1000 + 54*5},
		{"all money needed", testRequest(maxAmount, 50_000), 50_000, maxAmount + 158*5},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := selectCoins(c.r, testInputWeight)
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
	if _, err := selectCoins(r, testInputWeight); !errors.As(err, &short) || short.Have != 50_000 {
		t.Fatalf("got %v", err)
	}
}

func TestSelectCoinsTooHeavy(t *testing.T) {
	// 956 inputs of 418 weight units are the most that fit with one output.
	r := testRequest(0, slices.Repeat([]int64{10_000}, 1200)...)
	r.FeeRate = 1000
	size := txSize{input: testInputWeight, outputs: 43, count: 1}
	most := 1
	for size.weight(most+1, false) <= MaxTxWeight {
		most++
	}
	r.Outputs[0].Amount = int64(most)*10_000 - r.FeeRate.Fee(vsizeOf(size.weight(most, false)))
	s, err := selectCoins(r, testInputWeight)
	if err != nil || len(s.Coins) != most {
		t.Fatalf("%d inputs fit: %v", most, err)
	}
	checkSelection(t, r, s, testInputWeight)
	r.Outputs[0].Amount++
	if _, err := selectCoins(r, testInputWeight); !errors.Is(err, ErrTooHeavy) {
		t.Fatalf("got %v", err)
	}
	for _, c := range r.Coins[:most+1] {
		r.Chosen = append(r.Chosen, c.OutPoint)
	}
	if _, err := selectCoins(r, testInputWeight); !errors.Is(err, ErrTooHeavy) {
		t.Fatalf("chosen: got %v", err)
	}
	// The inputs fit, but change that is too much to give away does not.
	r.Chosen = r.Chosen[:most]
	r.Outputs[0].Amount = 1_000_000
	if _, err := selectCoins(r, testInputWeight); !errors.Is(err, ErrTooHeavy) {
		t.Fatalf("no room for change: got %v", err)
	}
}

func BenchmarkSelect10000(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 2))
	var mixed, similar, small []int64
	for range 10_000 {
		mixed = append(mixed, 1000+int64(rng.ExpFloat64()*1_000_000))
		similar = append(similar, 100_000+rng.Int64N(5))
		small = append(small, 2000+rng.Int64N(500))
	}
	for _, c := range []struct {
		name string
		r    SelectRequest
		rate FeeRate
	}{
		{"mixed", testRequest(25_000_000, mixed...), 5000},
		{"mixed/dear", testRequest(25_000_000, mixed...), 50_000},
		{"similar", testRequest(30_000_000, similar...), 5000},
		{"similar/dear", testRequest(20_050_000, similar...), 50_000},
		{"many inputs", testRequest(60_000_000, similar...), 5000},
		{"too heavy", testRequest(5_000_000, small...), 1000},
		{"insufficient", testRequest(maxAmount/2, mixed...), 5000},
	} {
		b.Run(c.name, func(b *testing.B) {
			c.r.FeeRate = c.rate
			var s Selection
			var err error
			for i := 0; b.Loop(); i++ {
				c.r.Seed[0] = byte(i)
				s, err = selectCoins(c.r, testInputWeight)
			}
			if err == nil {
				checkSelection(b, c.r, s, testInputWeight)
			}
		})
	}
}
