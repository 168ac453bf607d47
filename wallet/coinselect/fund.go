package coinselect

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/btcsuite/btcd/txscript/v2"
)

const (
	// MaxTxWeight is the most weight nodes relay (Bitcoin Core's
	// MAX_STANDARD_TX_WEIGHT), in weight units.
	MaxTxWeight = 400_000
	// maxPkScript is the longest script that consensus executes, in bytes: an
	// output with a longer one can never be spent.
	maxPkScript = txscript.MaxScriptSize

	maxAmount = 21_000_000 * 100_000_000 // satoshis; Core's MAX_MONEY

	changeLower = 50_000    // satoshis; CHANGE_LOWER of Core
	changeUpper = 1_000_000 // satoshis; CHANGE_UPPER of Core

	// discardRate is the rate at which Core values future spending of change
	// (DEFAULT_DISCARD_FEE): 10 sat/vB, or the long-term rate if that is lower.
	discardRate FeeRate = 10_000

	// smallCount is how many inputs a one-byte count can state.
	smallCount = 252
)

// funding is what a request asks for, in numbers.
type funding struct {
	size     txSize
	rate     FeeRate
	longRate FeeRate
	pay      int64 // satoshis of all outputs asked for
	average  int64 // satoshis of one of them on average
	feeFrom  bool  // the fee is taken from the outputs

	changeFee    int64 // what a change output costs now
	costOfChange int64 // the same, and what spending it will cost
	minChange    int64 // change below this goes to the fee
}

// funded is one way to fund a request.
type funded struct {
	coins     []int // which coins
	change    int64
	all       int64 // what the output gets that takes all that is left
	fee       int64
	taken     int64 // what of the fee the outputs pay
	waste     int64
	algorithm string
}

// newFunding checks everything in the request but the coins.
func newFunding(r Request) (*funding, error) {
	f := &funding{rate: r.FeeRate, longRate: r.LongTermFeeRate}
	if f.longRate == 0 {
		f.longRate = DefaultLongTermFeeRate
	}
	for _, rate := range []FeeRate{f.rate, f.longRate} {
		if rate <= 0 || rate > MaxFeeRate {
			return nil, fmt.Errorf("%w: %v", ErrFeeRate, rate)
		}
	}
	if r.InputWeight <= 0 {
		return nil, ErrInputWeight
	}
	if len(r.Outputs) == 0 {
		return nil, ErrNoOutputs
	}
	if r.All < 0 || r.All > len(r.Outputs) {
		return nil, fmt.Errorf("%w: output %d is to get all that is left, of %d", ErrAmount, r.All, len(r.Outputs))
	}
	if err := CheckFeeFrom(r.FeeFrom, r.All, len(r.Outputs)); err != nil {
		return nil, err
	}
	f.feeFrom = len(r.FeeFrom) > 0
	f.size = txSize{input: r.InputWeight, count: len(r.Outputs)}
	for i, out := range r.Outputs {
		all := i+1 == r.All // what it gets is not known yet
		if len(out.PkScript) == 0 || len(out.PkScript) > maxPkScript {
			return nil, fmt.Errorf("%w: that of output %d has %d bytes", ErrScript, i, len(out.PkScript))
		}
		if all {
			f.size.outputs += outputSize(out.PkScript)
			continue
		}
		if out.Amount <= 0 || out.Amount > maxAmount-f.pay {
			return nil, fmt.Errorf("%w: output %d pays %d sat", ErrAmount, i, out.Amount)
		}
		if limit := DustLimit(out.PkScript, DustRelayFeeRate); out.Amount < limit {
			return nil, DustError{Output: i, Amount: out.Amount, Limit: limit}
		}
		f.pay += out.Amount
		f.size.outputs += outputSize(out.PkScript)
	}
	f.average = f.pay / int64(len(r.Outputs))
	if len(r.ChangeScript) == 0 || unspendable(r.ChangeScript) {
		return nil, fmt.Errorf("%w: change could never be spent", ErrScript)
	}
	f.size.change = outputSize(r.ChangeScript)
	if w := f.size.weight(1, false); w > MaxTxWeight {
		return nil, fmt.Errorf("%w: %d weight units with one input, %d allowed", ErrTooHeavy, w, MaxTxWeight)
	}

	// As Core does without an estimate for the far future, but never below
	// the rate nodes judge dust by.
	discard := max(min(f.longRate, discardRate), DustRelayFeeRate)
	spendChange := discard.Fee(vsizeOf(r.InputWeight))
	f.changeFee = partFee(f.rate, 4*f.size.change)
	f.costOfChange = f.changeFee + spendChange
	f.minChange = max(spendChange+1, DustLimit(r.ChangeScript, discard))
	return f, nil
}

// CheckFeeFrom refuses, with ErrAmount, to take a fee from outputs that are not there, from
// one twice, or from any beside one that gets all that is left.
func CheckFeeFrom(from []int, all, outputs int) error {
	for n, i := range from {
		if i < 1 || i > outputs || slices.Contains(from[:n], i) {
			return fmt.Errorf("%w: the fee is to be taken from output %d, of %d, or twice from one", ErrAmount, i, outputs)
		}
	}
	if all > 0 && len(from) > 0 {
		return fmt.Errorf("%w: who gets all that is left pays the fee", ErrAmount)
	}
	return nil
}

// verdict says whether a set of coins can fund the request.
type verdict int

const (
	enough verdict = iota
	tooLittle
	tooHeavy
)

// settle works out the exact fee and change for so many inputs worth value
// satoshis together.
func (f *funding) settle(inputs int, value int64) (w funded, v verdict) {
	weight := f.size.weight(inputs, false)
	fee := f.rate.Fee(vsizeOf(weight))
	beside := fee // what is paid beside the outputs
	if f.feeFrom {
		beside = 0
	}
	excess := value - f.pay - beside
	if excess < 0 {
		return funded{}, tooLittle
	}
	if weight > MaxTxWeight {
		return funded{}, tooHeavy
	}
	perInput := partFee(f.rate, f.size.input) - partFee(f.longRate, f.size.input)
	w = funded{fee: beside + excess, waste: int64(inputs)*perInput + excess}
	if w.fee < fee { // what is left over is not enough
		w.fee, w.taken = fee, fee-excess
	}

	weight = f.size.weight(inputs, true)
	fee = f.rate.Fee(vsizeOf(weight))
	change := value - f.pay
	if !f.feeFrom {
		change -= fee
	}
	if change < f.minChange {
		return w, enough
	}
	if weight > MaxTxWeight {
		// There is no room for the change, and it is too much to give away.
		return funded{}, tooHeavy
	}
	w.change, w.fee = change, fee
	if f.feeFrom {
		w.taken = fee
	}
	w.waste = int64(inputs)*perInput + f.costOfChange
	return w, enough
}

// fundAll spends all the coins.
func (f *funding) fundAll(coins []Coin) (funded, error) {
	value := int64(0)
	all := make([]int, len(coins))
	for i := range coins {
		all[i] = i
		value += coins[i].Amount
	}
	w, v := f.settle(len(coins), value)
	if v != enough {
		return funded{}, f.refuse(v, len(coins), value)
	}
	w.coins, w.algorithm = all, AlgorithmChosen
	return w, nil
}

// spendAll spends all the coins, and gives what is left to the output with a script.
func (f *funding) spendAll(coins []Coin, to []byte) (funded, error) {
	value := int64(0)
	out := funded{coins: make([]int, len(coins)), algorithm: AlgorithmAll}
	for i := range coins {
		out.coins[i] = i
		value += coins[i].Amount
	}
	weight := f.size.weight(len(coins), false)
	out.fee = f.rate.Fee(vsizeOf(weight))
	least := DustLimit(to, DustRelayFeeRate)
	if left := value - f.pay - out.fee; len(coins) == 0 || left <= 0 || left < least {
		return funded{}, ErrInsufficientFunds{Have: value, Need: f.pay + min(out.fee, math.MaxInt64-f.pay-least-1) + max(least, 1)}
	} else if weight > MaxTxWeight {
		return funded{}, fmt.Errorf("%w: %d weight units with all %d inputs, %d allowed", ErrTooHeavy, weight, len(coins), MaxTxWeight)
	} else {
		out.all = left
	}
	return out, nil
}

// refuse is the error for a set of coins that cannot fund the request.
func (f *funding) refuse(v verdict, inputs int, value int64) error {
	if v == tooHeavy {
		return fmt.Errorf("%w: %d weight units with the %d inputs needed and change, %d allowed",
			ErrTooHeavy, f.size.weight(inputs, true), inputs, MaxTxWeight)
	}
	fee := f.rate.Fee(vsizeOf(f.size.weight(inputs, false)))
	if f.feeFrom {
		fee = 0
	}
	return ErrInsufficientFunds{Have: value, Need: f.pay + min(fee, math.MaxInt64-f.pay)}
}

// fund picks from the coins, which are sorted by outpoint.
func (f *funding) fund(coins []Coin, rng *rand.Rand) (funded, error) {
	pool := f.pool(coins, rng)
	changeTarget := f.changeTarget(rng)
	// The count of inputs takes one byte up to 252 of them and three above.
	// Few inputs are tried first, so that neither is estimated.
	if w, ok := f.leastWaste(pool, coins, smallCount, changeTarget, rng); ok {
		return w, nil
	}
	if most := int(MaxTxWeight / f.size.input); most > smallCount && len(pool) > smallCount {
		if w, ok := f.leastWaste(pool, coins, most, changeTarget, rng); ok {
			return w, nil
		}
	}
	return f.largestFirst(pool, coins)
}

// pool gives the coins that bring more than their input costs, by falling
// worth, and those of equal worth in random order.
func (f *funding) pool(coins []Coin, rng *rand.Rand) []fundingCoin {
	fee := partFee(f.rate, f.size.input)
	longFee := partFee(f.longRate, f.size.input)
	pool := make([]fundingCoin, 0, len(coins))
	for i := range coins {
		worth := coins[i].Amount - fee
		if f.feeFrom {
			worth = coins[i].Amount // as in Core: what it costs others pay
		}
		if worth > 0 {
			pool = append(pool, fundingCoin{worth: worth, fee: fee, longFee: longFee, weight: f.size.input, index: i})
		}
	}
	rng.Shuffle(len(pool), func(i, j int) { pool[i], pool[j] = pool[j], pool[i] })
	slices.SortStableFunc(pool, func(a, b fundingCoin) int { return cmp.Compare(b.worth, a.worth) })
	return pool
}

// changeTarget is how large change should at least be, with the fee of its
// output: random, so that the smaller output of a transaction is not always
// the change (GenerateChangeTarget of Core).
func (f *funding) changeTarget(rng *rand.Rand) int64 {
	if f.average <= changeLower/2 {
		return f.changeFee + changeLower
	}
	// No overflow: the average is at most 21e14.
	upper := min(2*f.average, changeUpper)
	return f.changeFee + changeLower + rng.Int64N(upper-changeLower)
}

// leastWaste runs the algorithms for at most so many inputs and gives the
// answer with the least waste, and of equal ones the one with more inputs
// (ChooseSelectionResult of Core).
func (f *funding) leastWaste(pool []fundingCoin, coins []Coin, most int, changeTarget int64, rng *rand.Rand) (best funded, ok bool) {
	// All that is not an input. Three weight units stand for rounding the
	// whole up to a vbyte; input fees are rounded up one by one, so a set
	// worth target is always worth the exact fee.
	fixed := f.size.weight(most, false) - int64(most)*f.size.input
	target := f.pay + partFee(f.rate, fixed+3)
	if f.feeFrom {
		target = f.pay
	}
	room := min(MaxTxWeight-fixed, int64(most)*f.size.input)
	roomWithChange := min(MaxTxWeight-(f.size.weight(most, true)-int64(most)*f.size.input), int64(most)*f.size.input)
	if totalWorth(pool[:min(most, len(pool))]) < target {
		return funded{}, false // not even the largest are enough
	}

	consider := func(set []int, algorithm string) {
		if len(set) == 0 {
			return
		}
		w := f.settleSet(pool, coins, set)
		w.algorithm = algorithm
		if w.coins == nil {
			return
		}
		if !ok || w.waste < best.waste || w.waste == best.waste && len(w.coins) > len(best.coins) {
			best, ok = w, true
		}
	}
	consider(branchAndBound(pool, target, f.costOfChange, room), AlgorithmBranchAndBound)
	consider(knapsack(pool, target, changeTarget, roomWithChange, rng), AlgorithmKnapsack)
	if f.rate > 3*f.longRate {
		set, _ := coinGrinder(pool, target+changeTarget, roomWithChange)
		consider(set, AlgorithmCoinGrinder)
	}
	consider(singleRandomDraw(pool, target+changeLower+f.changeFee, roomWithChange, rng), AlgorithmRandomDraw)
	return best, ok
}

// settleSet works out a set of positions in the pool; its coins are nil where
// it cannot fund the request.
func (f *funding) settleSet(pool []fundingCoin, coins []Coin, set []int) funded {
	var value int64
	indexes := make([]int, len(set))
	for i, at := range set {
		indexes[i] = pool[at].index
		value += coins[pool[at].index].Amount
	}
	w, v := f.settle(len(set), value)
	if v != enough {
		return funded{}
	}
	w.coins = indexes
	return w
}

// largestFirst takes the fewest coins that are enough. As all inputs weigh the
// same, no other set of as many is worth more: where this fails the request
// cannot be funded (but for the price of a fraction of a vbyte, when a coin
// outside the pool happens to make the size come out even), and it says why.
func (f *funding) largestFirst(pool []fundingCoin, coins []Coin) (funded, error) {
	var value int64
	set := make([]int, 0, len(pool))
	heavy := -1
	for at := range pool {
		set = append(set, at)
		value += coins[pool[at].index].Amount
		w, v := f.settle(len(set), value)
		switch {
		case v == enough:
			w = f.settleSet(pool, coins, set)
			w.algorithm = AlgorithmLargestFirst
			return w, nil
		case v == tooHeavy && heavy < 0:
			heavy = len(set)
		}
	}
	if heavy >= 0 {
		return funded{}, f.refuse(tooHeavy, heavy, value)
	}
	return funded{}, f.refuse(tooLittle, len(pool), value)
}
