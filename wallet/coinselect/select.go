package coinselect

import (
	"bytes"
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/btcsuite/btcd/wire/v2"
)

// Coin is a coin that may be spent.
type Coin struct {
	OutPoint wire.OutPoint
	Amount   int64 // satoshis
}

// Output is a payment.
type Output struct {
	PkScript []byte
	Amount   int64 // satoshis
}

// Request asks Select to fund Outputs. The same request, with its coins in any
// order, always gives the same answer.
type Request struct {
	// InputWeight is what one input weighs at its worst, with its witness, in
	// weight units. All inputs weigh the same.
	InputWeight int64
	Coins       []Coin // what may be spent
	// Chosen, where not empty, names the coins to spend: all of them and
	// nothing else. Each must be among Coins.
	Chosen  []wire.OutPoint
	Outputs []Output // what is paid; none may be dust
	// All, where not 0, is the number, counted from 1, of the output that gets all that
	// is left when the others and the fee are paid; its Amount is not looked at. Every
	// coin is spent then that brings more than its input costs, or those Chosen, and
	// there is no change.
	All int
	// FeeFrom are the numbers, counted from 1, of outputs that the fee is taken from, in
	// equal parts, in place of being paid beside them; what an odd part leaves is taken
	// from the first, as in Core. It does not go with All.
	FeeFrom      []int
	ChangeScript []byte  // where change goes
	FeeRate      FeeRate // what the transaction pays
	// LongTermFeeRate is the rate at which coins are expected to be spendable
	// some day; above it few inputs are better, below it many. Zero means
	// DefaultLongTermFeeRate.
	LongTermFeeRate FeeRate
	Seed            [32]byte // source of all randomness
}

// Selection is what Select decided: the sum of Coins is exactly the sum
// of the outputs asked for, Change, All and Fee.
type Selection struct {
	Coins  []Coin // to be the inputs, in this order, which is random
	Change int64  // satoshis to pay to ChangeScript; 0 means no change output
	All    int64  // satoshis of the output that gets all that is left; 0 without one
	// Taken is what each output gets less, in satoshis, with FeeFrom; nil without.
	Taken     []int64
	Fee       int64  // satoshis
	Algorithm string // one of the Algorithm constants
	Waste     int64  // Core's waste metric in satoshis; lower is better, may be negative
}

// How a Selection was found.
const (
	AlgorithmChosen         = "chosen"      // the request named the coins
	AlgorithmBranchAndBound = "bnb"         // a set that needs no change
	AlgorithmKnapsack       = "knapsack"    // a subset close to the payment and change of a good size
	AlgorithmCoinGrinder    = "coingrinder" // the fewest inputs, while they are dear
	AlgorithmRandomDraw     = "srd"         // single random draw
	AlgorithmLargestFirst   = "largest"     // where the others find nothing, but the funds are just enough
	AlgorithmAll            = "all"         // all there is
)

// DefaultLongTermFeeRate is Core's DEFAULT_CONSOLIDATE_FEERATE: 10 sat/vB.
const DefaultLongTermFeeRate FeeRate = 10_000

// Select picks the coins that pay for the request the way Bitcoin Core
// does (wallet/spend.cpp, wallet/coinselection.cpp): by branch and bound, by
// knapsack, by CoinGrinder where the rate is above three times the long-term
// rate, and by single random draw; the answer with the least waste wins. Fee
// is at least FeeRate times the worst-case size of the final transaction, and
// exactly that where there is change. What would be change below dust, or
// cost more to spend than it is worth, goes to the fee.
//
// The errors are ErrInputWeight, ErrFeeRate, ErrNoOutputs, ErrAmount,
// ErrScript, ErrDust (a DustError), ErrDuplicateCoin, ErrChosenCoin, ErrTooHeavy
// and ErrInsufficientFunds.
func Select(r Request) (Selection, error) {
	s, err := selectCoins(r)
	if err != nil {
		return Selection{}, fmt.Errorf("select coins: %w", err)
	}
	return s, nil
}

func selectCoins(r Request) (Selection, error) {
	f, err := newFunding(r)
	if err != nil {
		return Selection{}, err
	}
	if r.All > 0 && len(r.Chosen) == 0 {
		fee := partFee(f.rate, f.size.input)
		r.Coins = slices.DeleteFunc(slices.Clone(r.Coins), func(c Coin) bool { return c.Amount > 0 && c.Amount <= fee })
	}
	coins, err := sortedCoins(r.Coins)
	if err != nil {
		return Selection{}, err
	}
	if len(r.Chosen) > 0 {
		coins, err = chosenCoins(coins, r.Chosen)
		if err != nil {
			return Selection{}, err
		}
	}
	rng := rand.New(rand.NewChaCha8(r.Seed))
	var won funded
	switch {
	case r.All > 0:
		won, err = f.spendAll(coins, r.Outputs[r.All-1].PkScript)
	case len(r.Chosen) > 0:
		won, err = f.fundAll(coins)
	default:
		won, err = f.fund(coins, rng)
	}
	if err != nil {
		return Selection{}, err
	}
	s := Selection{Change: won.change, All: won.all, Fee: won.fee, Algorithm: won.algorithm, Waste: won.waste}
	if len(r.FeeFrom) > 0 {
		if s.Taken, err = takenFrom(r, won.taken); err != nil {
			return Selection{}, err
		}
	}
	s.Coins = make([]Coin, len(won.coins))
	slices.Sort(won.coins)
	for i, index := range won.coins {
		s.Coins[i] = coins[index]
	}
	// Random, as in Core: a sorted order would mark the transaction as ours.
	rng.Shuffle(len(s.Coins), func(i, j int) { s.Coins[i], s.Coins[j] = s.Coins[j], s.Coins[i] })
	return s, nil
}

// takenFrom shares the fee among the outputs that pay it.
func takenFrom(r Request, fee int64) ([]int64, error) {
	out := make([]int64, len(r.Outputs))
	each := fee / int64(len(r.FeeFrom))
	for n, i := range slices.Sorted(slices.Values(r.FeeFrom)) {
		part := each
		if n == 0 {
			part += fee % int64(len(r.FeeFrom))
		}
		out[i-1] = part
		o := r.Outputs[i-1]
		if limit := DustLimit(o.PkScript, DustRelayFeeRate); o.Amount-part < max(limit, 1) {
			return nil, DustError{Output: i - 1, Amount: o.Amount - part, Limit: max(limit, 1)}
		}
	}
	return out, nil
}

// sortedCoins gives the coins by outpoint, so that nothing depends on the
// order they were given in, and checks their amounts.
func sortedCoins(in []Coin) ([]Coin, error) {
	coins := slices.Clone(in)
	slices.SortFunc(coins, func(a, b Coin) int { return compareOutPoints(a.OutPoint, b.OutPoint) })
	var sum int64
	for i := range coins {
		c := &coins[i]
		if i > 0 && c.OutPoint == coins[i-1].OutPoint {
			return nil, fmt.Errorf("%w: %v", ErrDuplicateCoin, c.OutPoint)
		}
		if c.Amount <= 0 || c.Amount > maxAmount-sum {
			return nil, fmt.Errorf("%w: coin %v of %d sat, beside %d sat in others", ErrAmount, c.OutPoint, c.Amount, sum)
		}
		sum += c.Amount
	}
	return coins, nil
}

// chosenCoins picks those named from the sorted coins, and keeps their order.
func chosenCoins(coins []Coin, chosen []wire.OutPoint) ([]Coin, error) {
	chosen = slices.Clone(chosen)
	slices.SortFunc(chosen, compareOutPoints)
	picked := make([]Coin, 0, len(chosen))
	for i, op := range chosen {
		if i > 0 && op == chosen[i-1] {
			return nil, fmt.Errorf("%w: %v", ErrDuplicateCoin, op)
		}
		at, found := slices.BinarySearchFunc(coins, op, func(c Coin, op wire.OutPoint) int {
			return compareOutPoints(c.OutPoint, op)
		})
		if !found {
			return nil, fmt.Errorf("%w: %v is not among the spendable coins", ErrChosenCoin, op)
		}
		picked = append(picked, coins[at])
	}
	return picked, nil
}

func compareOutPoints(a, b wire.OutPoint) int {
	if c := bytes.Compare(a.Hash[:], b.Hash[:]); c != 0 {
		return c
	}
	return cmp.Compare(a.Index, b.Index)
}
