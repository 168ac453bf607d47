package coinselect

import (
	"math/rand/v2"
	"sort"
)

const (
	// knapsackRounds is how often Core tries a random subset.
	knapsackRounds = 1000
	// knapsackSteps bounds coins times rounds, where Core has no bound: a
	// pool of 10,000 gets 100 rounds, so that a large wallet answers in
	// milliseconds. Up to 1000 coins nothing differs.
	knapsackSteps = 1_000_000
)

// knapsack searches the pool for a set worth exactly target, else one worth a
// little more than target+changeTarget, so that change is worth having, else
// the least single coin that is enough. It gives positions in the pool, nil
// where it found none within maxWeight. It is KnapsackSolver of Core
// (wallet/coinselection.cpp), without coins that cost more than they bring.
func knapsack(pool []fundingCoin, target, changeTarget, maxWeight int64, rng *rand.Rand) []int {
	for i := range pool {
		if pool[i].worth == target && pool[i].weight <= maxWeight {
			return []int{i}
		}
	}
	// The pool falls in worth: all from split on are below what one coin
	// needs to pay target and change, and the one before it is the least above.
	split := sort.Search(len(pool), func(i int) bool { return pool[i].worth < target+changeTarget })
	lower := pool[split:]
	var larger []int
	if split > 0 && pool[split-1].weight <= maxWeight {
		larger = []int{split - 1}
	}
	total := totalWorth(lower)
	if total < target || len(lower) == 0 {
		return larger
	}

	best, bestWorth := approximateSubset(lower, total, target, maxWeight, rng)
	if bestWorth != target && total >= target+changeTarget {
		best, bestWorth = approximateSubset(lower, total, target+changeTarget, maxWeight, rng)
	}
	missed := bestWorth != target && bestWorth < target+changeTarget
	if larger != nil && (missed || pool[split-1].worth <= bestWorth) {
		return larger
	}
	var weight int64
	set := make([]int, 0, len(lower))
	for i, in := range best {
		if in {
			set = append(set, split+i)
			weight += lower[i].weight
		}
	}
	if weight > maxWeight {
		return larger
	}
	return set
}

// approximateSubset looks for the set of coins worth at least target and as
// little above it as possible, by random inclusion and then filling up
// (ApproximateBestSubset of Core). The worst answer is all coins, which are
// worth total.
func approximateSubset(coins []fundingCoin, total, target, maxWeight int64, rng *rand.Rand) ([]bool, int64) {
	best := make([]bool, len(coins))
	for i := range best {
		best[i] = true
	}
	bestWorth := total
	included := make([]bool, len(coins))
	rounds := min(knapsackRounds, 1+knapsackSteps/len(coins))
	for round := 0; round < rounds && bestWorth != target; round++ {
		clear(included)
		var worth, weight int64
		reached := false
		for pass := 0; pass < 2 && !reached; pass++ {
			var toss uint64
			for i := range coins {
				if pass == 0 {
					if i%64 == 0 {
						toss = rng.Uint64()
					}
					in := toss&1 == 1
					toss >>= 1
					if !in {
						continue
					}
				} else if included[i] {
					continue
				}
				worth += coins[i].worth
				weight += coins[i].weight
				included[i] = true
				if worth < target || weight > maxWeight {
					continue
				}
				reached = true
				if worth < bestWorth {
					bestWorth = worth
					copy(best, included)
				}
				// Go on without this coin: a smaller one may come closer.
				worth -= coins[i].worth
				weight -= coins[i].weight
				included[i] = false
			}
		}
	}
	return best, bestWorth
}
