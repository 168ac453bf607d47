package meter

import (
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

type rapidly struct{ *rapid.T }

func (r rapidly) n(name string, below int) int { return rapid.IntRange(0, below-1).Draw(r.T, name) }

// counter is how a robot counts: a Book, or something that is wrong.
type counter interface {
	fits(tx int, t Take, window, now, limit int64) bool
	sign(tx int, coins []Coin, t Take, now int64)
	bury(tx int, coins []Coin, at int64)
	unbury(tx int)
	voided(c Coin, is bool)
}

// bookkeeper is the real one.
type bookkeeper struct {
	b     Book
	coins func(tx int) []Coin
}

func (k *bookkeeper) fits(tx int, t Take, window, now, limit int64) bool {
	return k.b.Used(t.Subject, window, now)+k.b.Charge(k.coins(tx), t) <= limit
}

func (k *bookkeeper) sign(tx int, coins []Coin, t Take, now int64) {
	k.b = k.b.Sign(Signed{txOf(tx), coins, []Take{t}, now})
}
func (k *bookkeeper) bury(tx int, coins []Coin, at int64) { k.b = k.b.Bury(txOf(tx), coins, at) }
func (k *bookkeeper) unbury(tx int)                       { k.b = k.b.Unbury(txOf(tx)) }
func (k *bookkeeper) voided(c Coin, is bool) {
	if k.b = k.b.Revive(c); is {
		k.b = k.b.Void(c)
	}
}

// moment is what one signature was given by.
type moment struct {
	tx     int
	final  int // the newest final block
	now    int64
	buried map[int]int64
	void   set
}

// meterOf is one limit of the model, and what was signed by it.
type meterOf struct {
	subject       Subject
	limit, window int64
	signed        []moment
}

// limits is one robot that signs, by several meters, whatever it is shown and fits.
type limits struct {
	*world
	counter
	meters []*meterOf
	told   map[int]int64
	byTip  bool // a fault: time is the tip's
}

func newLimits(d drawer, of func(*world) counter) *limits {
	w := newWorld(d, 8+d.n("coins", 5))
	l := &limits{world: w, counter: of(w), told: map[int]int64{}}
	for _, s := range []Subject{All, "i1", "i2"} {
		l.meters = append(l.meters, &meterOf{
			subject: s,
			limit:   int64(20 + d.n("limit", 100)),
			window:  pick[int64](d, "window", 3, 6, 7, 24) * 3600,
		})
	}
	return l
}

func (l *limits) time() int64 {
	if l.byTip {
		return l.chain[len(l.chain)-1].mtp
	}
	return l.now()
}

// step does anything; it returns what went over a limit, or "".
func (l *limits) step() {
	switch l.d.n("step", 10) {
	case 0, 1, 2, 3, 4:
		tx := l.d.n("again", len(l.spends)+6)
		if tx >= len(l.spends) && len(l.spends) < 14 {
			tx = l.propose()
		}
		if tx < len(l.spends) {
			l.ask(tx, l.meters[1+l.d.n("initiator", 2)])
		}
	case 5, 6, 7:
		l.mineSome()
	case 8:
		// The last blocks are replaced: mostly those that are not final.
		undo := 1
		if l.d.n("deep", 3) == 0 {
			undo += l.d.n("undo", 3)
		}
		l.chain = l.chain[:max(depth, len(l.chain)-undo)]
		l.mineSome()
	case 9:
		c := l.d.n("void", len(l.values))
		if l.void ^= 1 << c; l.spent(len(l.chain))&(1<<c) != 0 {
			l.void &^= 1 << c // it exists: something spends it
		}
		l.counter.voided(coinOf(c), l.void&(1<<c) != 0)
	}
	l.told = l.tell(l.told, l.final(), func(tx int, at int64) { l.bury(tx, l.spends[tx].coins(), at) }, l.unbury)
}

// mineSome adds a block with some of what the robot signed, and of what others did without it.
func (l *limits) mineSome() {
	var in []int
	for range l.d.n("confirm", 3) {
		if n := len(l.meters[0].signed); n > 0 {
			in = append(in, l.meters[0].signed[l.d.n("which", n)].tx)
		}
	}
	if l.d.n("foreign", 6) == 0 {
		in = append(in, l.propose())
	}
	w := l.meters[l.d.n("by window", 3)].window
	l.mine(l.chain[len(l.chain)-1].mtp+pick(l.d, "later", 0, 1, 600, w/2, w-1, w, w+1, max(w, Least), max(w, Least)+1), in)
}

// ask shows the robot a transaction of an initiator. What left already is not signed again.
func (l *limits) ask(tx int, by *meterOf) {
	if _, left := l.told[tx]; left {
		return
	}
	to := []*meterOf{l.meters[0], by}
	for _, m := range to {
		if !l.fits(tx, Take{m.subject, l.takes[tx]}, m.window, l.time(), m.limit) {
			return
		}
	}
	for _, m := range to {
		l.sign(tx, l.spends[tx].coins(), Take{m.subject, l.takes[tx]}, l.time())
		if !slices.ContainsFunc(m.signed, func(s moment) bool { return s.tx == tx }) {
			m.signed = append(m.signed, moment{tx, l.chain[l.final()-1].id, l.time(), maps.Clone(l.told), l.void})
		}
	}
}

// over says whether more than a limit left in some window, or can: with the chain as it is,
// and with only what is final of it.
func (l *limits) over() bool {
	for _, m := range l.meters {
		for i := range m.signed {
			if l.worst(m, i, len(l.chain)) > m.limit || l.worst(m, i, l.final()) > m.limit {
				return true
			}
		}
	}
	return false
}

// worst is the most that leaves in a window of a meter by transactions of which the last was
// signed at a moment, if what was buried then stayed so: those of the first blocks, and any
// that can confirm next.
func (l *limits) worst(m *meterOf, last, height int) int64 {
	at, tip := l.times(height), l.chain[height-1].mtp
	when := func(tx int) int64 {
		if t, ok := at[tx]; ok {
			return t
		}
		return tip
	}
	z, takes := m.signed[last], func(tx int) int64 { return l.takes[tx] }
	gone := l.spent(height) | l.void
	if _, left := at[z.tx]; !l.stayed(z.tx, z, at, when) || !left && l.spends[z.tx]&gone != 0 {
		return 0
	}
	var most int64
	for _, end := range append(slices.Sorted(maps.Values(at)), tip) {
		if when(z.tx) > end || when(z.tx) < end-m.window {
			continue
		}
		sum, gone := l.takes[z.tx], gone|l.spends[z.tx]
		var free []int
		for _, s := range m.signed[:last] {
			if t, left := at[s.tx]; !l.stayed(s.tx, z, at, when) {
				continue
			} else if left && t <= end && t >= end-m.window {
				sum += l.takes[s.tx]
			} else if !left && end == tip {
				free = append(free, s.tx)
			}
		}
		most = max(most, sum+l.world.most(free, gone, takes))
	}
	return most
}

// stayed says whether what was known of the coins of a transaction when another was signed
// is so in a chain that has it. All of it is, but for a reorg of final blocks.
func (l *limits) stayed(tx int, z moment, at map[int]int64, when func(int) int64) bool {
	if l.spends[tx]&z.void != 0 {
		return false
	}
	went := !slices.ContainsFunc(l.chain, func(b block) bool { return b.id == z.final })
	for other, t := range z.buried {
		switch {
		case other != tx && l.spends[other]&l.spends[tx] != 0:
			return false
		case other == tx && went && (at[tx] != t || when(z.tx) < z.now):
			return false
		}
	}
	return true
}

// Whatever is signed, replaced, held back, confirmed, or taken back by a reorg: in no window
// more leaves than the limit.
func TestLimitHolds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := newLimits(rapidly{t}, func(w *world) counter {
			return &bookkeeper{coins: func(tx int) []Coin { return w.spends[tx].coins() }}
		})
		for range rapid.IntRange(20, 60).Draw(t, "steps") {
			if l.step(); l.over() {
				t.Fatalf("more than a limit can leave in a window: %+v, of %+v", l.meters, l.world)
			}
		}
	})
}
