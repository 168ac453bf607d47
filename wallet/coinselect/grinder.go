package coinselect

import "math"

// coinGrinder searches the pool for the lightest set worth at least target,
// and among equally light ones for the one that ties up least. It gives
// positions in the pool, nil where it found none, and the number of sets it
// looked at. It is CoinGrinder of Core (wallet/coinselection.cpp), meant for
// times when inputs are dear: the caller puts the wish for change into target.
//
// After each added coin it goes on in one of three ways: explore (add the
// next), shift (omit the last added, take the one after it) or cut (give up
// the last and shift the one before it).
func coinGrinder(pool []fundingCoin, target, maxWeight int64) (best []int, tries int) {
	n := len(pool)
	// For each position: the worth of all after it, the least weight among
	// them, and the first of them with another worth (n where none has).
	lookahead := make([]int64, n)
	minTail := make([]int64, n)
	nextOther := make([]int, n)
	total, least := int64(0), int64(math.MaxInt64)
	for i := n - 1; i >= 0; i-- {
		lookahead[i], minTail[i] = total, least
		total += pool[i].worth
		least = min(least, pool[i].weight)
		nextOther[i] = i + 1
		if i+1 < n && pool[i+1].worth == pool[i].worth {
			nextOther[i] = nextOther[i+1]
		}
	}
	if n == 0 || total < target {
		return nil, 0
	}

	var (
		selected      []int
		value, weight int64
		bestWeight          = maxWeight
		bestValue     int64 = maxAmount
		next          int
	)
	deselect := func() int {
		last := selected[len(selected)-1]
		value -= pool[last].worth
		weight -= pool[last].weight
		selected = selected[:len(selected)-1]
		return last
	}
	for {
		coin := &pool[next]
		tail := next
		selected = append(selected, next)
		value += coin.worth
		weight += coin.weight
		next++
		tries++

		shift, cut := false, false
		// Another coin in the place of this one can only help if it is lighter.
		lightest := coin.weight <= minTail[tail]
		switch {
		case value+lookahead[tail] < target:
			cut = true
		case weight > bestWeight:
			cut, shift = lightest, !lightest
		case value >= target:
			shift = true
			if weight < bestWeight || value < bestValue {
				best = append(best[:0], selected...)
				bestWeight, bestValue = weight, value
			}
		case len(best) > 0 && weight+minTail[tail]*ceilDiv(target-value, coin.worth) > bestWeight:
			// What is missing needs at least that many more coins, each no
			// larger than this and no lighter than the lightest left.
			cut, shift = lightest, !lightest
		}
		if tries >= selectTries {
			break
		}
		if next == n {
			cut = true
		}
		if cut {
			deselect()
			shift = true
		}
		if !shift {
			continue
		}
		for {
			if len(selected) == 0 {
				return best, tries // everything was walked
			}
			// A coin of equal worth is no lighter, so its sets are no better.
			if next = nextOther[deselect()]; next < n {
				break
			}
		}
	}
	return best, tries
}

// ceilDiv divides two positive numbers, rounding up.
func ceilDiv(a, b int64) int64 { return (a + b - 1) / b }
