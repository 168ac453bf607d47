package coinselect

import (
	"container/heap"
	"math/rand/v2"
)

// singleRandomDraw takes coins of the pool in random order until they are
// worth target, dropping the least when they get heavier than maxWeight. It
// gives positions in the pool, nil where all coins were not enough. It is
// SelectCoinsSRD of Core (wallet/coinselection.cpp); the caller puts the least
// change and its fee into target.
func singleRandomDraw(pool []fundingCoin, target, maxWeight int64, rng *rand.Rand) []int {
	var (
		drawn         leastFirst
		value, weight int64
	)
	for _, i := range rng.Perm(len(pool)) {
		heap.Push(&drawn, i)
		value += pool[i].worth
		weight += pool[i].weight
		for weight > maxWeight && len(drawn) > 0 {
			least := heap.Pop(&drawn).(int)
			value -= pool[least].worth
			weight -= pool[least].weight
		}
		if len(drawn) > 0 && value >= target {
			return drawn
		}
	}
	return nil
}

// leastFirst is a heap of positions in a pool. The pool is sorted by falling
// worth, so the highest position is the coin worth least.
type leastFirst []int

func (h leastFirst) Len() int           { return len(h) }
func (h leastFirst) Less(i, j int) bool { return h[i] > h[j] }
func (h leastFirst) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *leastFirst) Push(x any)        { *h = append(*h, x.(int)) }
func (h *leastFirst) Pop() any {
	last := len(*h) - 1
	x := (*h)[last]
	*h = (*h)[:last]
	return x
}
