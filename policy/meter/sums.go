package meter

import (
	"encoding/binary"
	"iter"
	"math"

	"github.com/quorate/quorate/journal/pmap"
)

const (
	// Least is the shortest window: blocks' times are too rough for a shorter one.
	Least = 6 * 3600
	// Longest is the longest window, 366 days.
	Longest = 366 * 86400
	// Margin is how much longer than Longest Prune keeps what was buried, for a reorg: 14 days.
	Margin = 14 * 86400
)

// begin is the earliest time of a spend that counts.
func begin(window, now int64) int64 { return max(0, now-max(window, Least)) }

// sums are of one subject.
type sums struct {
	lies int64                     // on coins that are alive
	left pmap.Map[byBucket, int64] // by buried spends
}

// byBucket is level | begin: what left in a second, in an hour, in a day. A sum of everything
// since a time is read from seconds until the hour is full, from hours until the day is, and
// from days.
type byBucket string

// spans are how long buckets are, by level.
func spans() [3]int64 { return [...]int64{1, 3600, 86400} }

func bucket(level int, begin int64) byBucket {
	return byBucket(binary.BigEndian.AppendUint64([]byte{byte(level)}, uint64(begin)))
}

func (k byBucket) begin() int64 { return int64(binary.BigEndian.Uint64([]byte(k[1:]))) }

// lies adds to what lies on coins, or takes from it.
func (b Book) lies(t Take, sign int64) Book {
	x, _ := b.sums.Get(t.Subject)
	x.lies += sign * t.Amount
	return b.sum(t.Subject, x)
}

// left adds to what left by buried spends, or takes from it.
func (b Book) left(at int64, t Take, sign int64) Book {
	x, _ := b.sums.Get(t.Subject)
	for level, span := range spans() {
		k := bucket(level, at-at%span)
		n, _ := x.left.Get(k)
		if n += sign * t.Amount; n == 0 {
			x.left = x.left.Delete(k)
		} else {
			x.left = x.left.Set(k, n)
		}
	}
	return b.sum(t.Subject, x)
}

func (b Book) sum(s Subject, x sums) Book {
	if x.lies == 0 && x.left.Len() == 0 {
		b.sums = b.sums.Delete(s)
	} else {
		b.sums = b.sums.Set(s, x)
	}
	return b
}

// leftSince adds up what left at a time or later.
func (x sums) leftSince(from int64) int64 {
	var n int64
	for _, amount := range x.buckets(from) {
		n += amount
	}
	return n
}

// reached returns when what left since a time came to an amount.
func (x sums) reached(from, need int64) (int64, bool) {
	for k, amount := range x.buckets(from) {
		if need -= amount; need > 0 {
			continue
		}
		need += amount
		for level := int(k[0]) - 1; level >= 0; level-- {
			for inner, amount := range x.level(level, k.begin(), k.begin()+spans()[level+1]) {
				k = inner
				if need <= amount {
					break
				}
				need -= amount
			}
		}
		return k.begin(), true
	}
	return 0, false
}

// buckets yields the fewest buckets that together hold all that left since a time, in order.
func (x sums) buckets(from int64) iter.Seq2[byBucket, int64] {
	return func(yield func(byBucket, int64) bool) {
		s := spans()
		for level := range s {
			until := int64(math.MaxInt64)
			if level+1 < len(s) {
				until = (from + s[level+1] - 1) / s[level+1] * s[level+1]
			}
			for k, n := range x.level(level, from, until) {
				if !yield(k, n) {
					return
				}
			}
			from = until
		}
	}
}

// level yields the buckets of a level that begin at a time or later, and before another.
func (x sums) level(level int, from, until int64) iter.Seq2[byBucket, int64] {
	return func(yield func(byBucket, int64) bool) {
		end := bucket(level, until)
		for k, n := range x.left.From(bucket(level, from)) {
			if k >= end || !yield(k, n) {
				return
			}
		}
	}
}
