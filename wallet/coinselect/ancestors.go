package coinselect

import "slices"

// Ancestor is a transaction in no block, on which another rests.
type Ancestor struct {
	Fee     int64 // satoshis
	VSize   int64 // virtual bytes (BIP141)
	Parents []int // which of the others it spends
}

// Deficit is what a child has to pay, in satoshis, beside its own fee, so that miners who
// choose by a rate take its ancestors as well: what is lacking of those that they would
// not take without it. An ancestor that pays for its own ancestors lacks nothing, and
// what it pays more is of no use to others (MiniMiner of Bitcoin Core, node/mini_miner.cpp,
// for one child).
func Deficit(rate FeeRate, all []Ancestor) int64 {
	left := make(map[int]bool, len(all))
	for i := range all {
		left[i] = true
	}
	for len(left) > 0 {
		// Miners take what pays best, with all that it rests on.
		var best []int
		var bestFee, bestSize int64
		for i := range all {
			if !left[i] {
				continue
			}
			own := restingOn(all, i, left)
			var fee, size int64
			for _, k := range own {
				fee, size = fee+all[k].Fee, size+all[k].VSize
			}
			if best == nil || fee*bestSize > bestFee*size {
				best, bestFee, bestSize = own, fee, size
			}
		}
		if bestFee < rate.Fee(bestSize) {
			break
		}
		for _, k := range best {
			delete(left, k)
		}
	}
	var fee, size int64
	for i := range left {
		fee, size = fee+all[i].Fee, size+all[i].VSize
	}
	return max(0, rate.Fee(size)-fee)
}

// restingOn are an ancestor and those of its own ancestors that are left.
func restingOn(all []Ancestor, i int, left map[int]bool) []int {
	out := []int{i}
	for n := 0; n < len(out); n++ {
		for _, k := range all[out[n]].Parents {
			if k >= 0 && k < len(all) && left[k] && !slices.Contains(out, k) {
				out = append(out, k)
			}
		}
	}
	return out
}
