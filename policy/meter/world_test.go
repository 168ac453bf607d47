package meter

import (
	"encoding/binary"
	"maps"
	"math/bits"
	"math/rand/v2"
	"slices"
)

// drawer draws numbers: of rapid, or of a seed.
type drawer interface {
	n(name string, below int) int
}

// seeded draws from a seed.
type seeded struct{ *rand.Rand }

func seed(n uint64) seeded { return seeded{rand.New(rand.NewPCG(n, 7))} }

func (s seeded) n(_ string, below int) int { return s.IntN(below) }

func pick[T any](d drawer, name string, from ...T) T { return from[d.n(name, len(from))] }

// set is a set of coins, a bit for each.
type set uint32

func (s set) coins() []Coin {
	var out []Coin
	for c := s; c != 0; c &= c - 1 {
		out = append(out, coinOf(bits.TrailingZeros32(uint32(c))))
	}
	return out
}

func coinOf(n int) Coin {
	var c Coin
	binary.BigEndian.PutUint32(c[:], uint32(n)+1)
	return c
}

func txOf(n int) TxID {
	var t TxID
	binary.BigEndian.PutUint32(t[28:], uint32(n)+1)
	return t
}

// depth is how deep what is buried is, in the models: two blocks are enough for reorgs of
// what is not yet, and of what is.
const depth = 2

// block is a block of the model.
type block struct {
	id  int
	mtp int64
	txs []int
}

// world is a wallet's coins, all transactions that anybody made of them, and a chain.
type world struct {
	d      drawer
	values []int64
	spends []set   // by transaction: its coins
	takes  []int64 // by transaction: what it takes
	hints  []int64 // amounts that are tried more often
	chain  []block
	void   set
	blocks int // that ever were
}

func newWorld(d drawer, coins int) *world {
	w := &world{d: d, chain: make([]block, depth)}
	for i := range w.chain {
		w.chain[i].mtp = 1_000_000_000
	}
	for range coins {
		w.values = append(w.values, int64(1+d.n("value", 100)))
	}
	return w
}

func (w *world) worth(s set) int64 {
	var n int64
	for i, v := range w.values {
		if s&(1<<i) != 0 {
			n += v
		}
	}
	return n
}

// propose makes a transaction: of any coins, or one that shares some with an earlier one.
func (w *world) propose() int {
	var s set
	for range 1 + w.d.n("more coins", 3) {
		s |= 1 << w.d.n("coin", len(w.values))
	}
	take := int64(1 + w.d.n("take", int(w.worth(s))))
	if len(w.hints) > 0 && w.d.n("hint", 2) == 0 {
		take = min(w.worth(s), pick(w.d, "by hint", w.hints...))
	}
	if n := len(w.spends); n > 0 && w.d.n("replaces", 2) > 0 {
		old := w.d.n("old", n)
		for keep := w.spends[old]; keep != 0; keep &= keep - 1 {
			if w.d.n("keep", 3) > 0 {
				s |= keep & -keep
			}
		}
		take = min(w.worth(s), w.takes[old]+int64(w.d.n("raise", 5)))
	}
	w.spends, w.takes = append(w.spends, s), append(w.takes, max(1, take))
	return len(w.spends) - 1
}

// fresh makes a payment of a coin that no other spends, of an amount that is tried often.
func (w *world) fresh() bool {
	var spent set
	for _, s := range w.spends {
		spent |= s
	}
	for c, v := range w.values {
		if take := pick(w.d, "fresh", w.hints...); len(w.spends) < 14 && spent&(1<<c) == 0 && take > 0 && take <= v {
			w.spends, w.takes = append(w.spends, 1<<c), append(w.takes, take)
			return true
		}
	}
	return false
}

// spent are the coins that the first blocks spend.
func (w *world) spent(height int) set {
	var s set
	for _, b := range w.chain[:height] {
		for _, t := range b.txs {
			s |= w.spends[t]
		}
	}
	return s
}

// mine adds a block, with what may be in it and can.
func (w *world) mine(mtp int64, txs []int) {
	w.blocks++
	b, gone := block{id: w.blocks, mtp: mtp}, w.spent(len(w.chain))|w.void
	for _, t := range txs {
		if w.spends[t]&gone == 0 {
			b.txs, gone = append(b.txs, t), gone|w.spends[t]
		}
	}
	w.chain = append(w.chain, b)
}

// final is the height up to which blocks are final.
func (w *world) final() int { return len(w.chain) - depth + 1 }

// now is the median time past of the newest final block.
func (w *world) now() int64 { return w.chain[w.final()-1].mtp }

// times are when the transactions of the first blocks confirmed.
func (w *world) times(height int) map[int]int64 {
	out := map[int]int64{}
	for _, b := range w.chain[:height] {
		for _, t := range b.txs {
			out[t] = b.mtp
		}
	}
	return out
}

// most is the most that any of these transactions, no two of which share a coin, take.
func (w *world) most(of []int, gone set, takes func(int) int64) int64 {
	if len(of) == 0 {
		return 0
	}
	best := w.most(of[1:], gone, takes)
	if t := of[0]; w.spends[t]&gone == 0 {
		best = max(best, takes(t)+w.most(of[1:], gone|w.spends[t], takes))
	}
	return best
}

// tell tells a book of what the first blocks bury, or bury no more, in any order.
func (w *world) tell(had map[int]int64, height int, bury func(tx int, at int64), unbury func(tx int)) map[int]int64 {
	is := w.times(height)
	type step struct{ tx, sign int }
	var steps []step
	for _, tx := range slices.Sorted(maps.Keys(had)) {
		if at, ok := is[tx]; !ok || at != had[tx] {
			steps = append(steps, step{tx, -1})
		}
	}
	for _, tx := range slices.Sorted(maps.Keys(is)) {
		if at, ok := had[tx]; !ok || at != is[tx] {
			steps = append(steps, step{tx, 1})
		}
	}
	for len(steps) > 0 {
		i := w.d.n("told", len(steps))
		// A new burial of the same spend is told after the end of the old one.
		if s := steps[i]; s.sign < 0 {
			unbury(s.tx)
		} else if j := slices.Index(steps, step{s.tx, -1}); j >= 0 {
			i = j
			unbury(s.tx)
		} else {
			bury(s.tx, is[s.tx])
		}
		steps = slices.Delete(steps, i, i+1)
	}
	return is
}
