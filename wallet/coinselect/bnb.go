package coinselect

// selectTries bounds each tree search (TOTAL_TRIES in Core).
const selectTries = 100_000

// fundingCoin is a coin as the search algorithms see it. Every pool of them is
// sorted by falling worth, and by rising weight where the worth is equal.
type fundingCoin struct {
	worth   int64 // satoshis it adds after the fee of its own input; above zero
	fee     int64 // satoshis that its input costs now
	longFee int64 // satoshis that its input would cost at the long-term rate
	weight  int64 // weight units of its input
	index   int   // which coin of the request it is
}

// totalWorth is what all coins of a pool add together.
func totalWorth(pool []fundingCoin) int64 {
	var sum int64
	for i := range pool {
		sum += pool[i].worth
	}
	return sum
}

// branchAndBound searches the pool for the set that needs no change: worth at
// least target and at most target+costOfChange, within maxWeight, with the
// least waste. It gives positions in the pool, nil where it found none. It is
// SelectCoinsBnB of Core (wallet/coinselection.cpp, by Murch): depth first,
// inclusion before omission, cut by a lookahead and, when inputs cost more
// than they would later, by the waste of the best set so far.
func branchAndBound(pool []fundingCoin, target, costOfChange, maxWeight int64) []int {
	available := totalWorth(pool)
	if len(pool) == 0 || available < target {
		return nil
	}
	var (
		selected       []int
		best           []int
		value, weight  int64
		waste          int64
		bestWaste      int64 = maxAmount
		inputsCostMore       = pool[0].fee > pool[0].longFee
	)
	for try, next := 0, 0; try < selectTries; try, next = try+1, next+1 {
		backtrack := false
		switch {
		case value+available < target, // the rest cannot reach it
			value > target+costOfChange,
			waste > bestWaste && inputsCostMore,
			weight > maxWeight:
			backtrack = true
		case value >= target:
			// A further coin could lower the waste when the rate is low, but
			// would be burnt to fees in whole, so stop here as Core does.
			if excess := value - target; waste+excess <= bestWaste {
				best = append(best[:0], selected...)
				bestWaste = waste + excess
			}
			backtrack = true
		}

		if backtrack {
			if len(selected) == 0 {
				break // every branch was walked
			}
			last := selected[len(selected)-1]
			for next--; next > last; next-- {
				available += pool[next].worth // the omitted ones can be had again
			}
			value -= pool[last].worth
			waste -= pool[last].fee - pool[last].longFee
			weight -= pool[last].weight
			selected = selected[:len(selected)-1]
			continue
		}

		coin := &pool[next]
		available -= coin.worth
		// Skip a coin equal to one just omitted: it leads to the same sets.
		if len(selected) == 0 || selected[len(selected)-1] == next-1 ||
			coin.worth != pool[next-1].worth || coin.fee != pool[next-1].fee {
			selected = append(selected, next)
			value += coin.worth
			waste += coin.fee - coin.longFee
			weight += coin.weight
		}
	}
	if len(best) == 0 {
		return nil
	}
	return best
}
