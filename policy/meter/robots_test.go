package meter

import (
	"flag"
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

var seeds = flag.Uint64("seeds", 1500, "how many walks look for more than a limit")

// walks are how many walks are made.
func walks() uint64 {
	if testing.Short() {
		return min(*seeds, 100)
	}
	return *seeds
}

// wrong is what is planted in the robots of the model; the zero value is as the design says.
type wrong struct {
	naive     bool // each robot has all of the limit
	rByKeys   bool // r is k less the bad keys, as if no human ever signed
	noLeave   bool // what is reserved is signed without the others' leave
	forgets   bool // a granter forgets what it granted when it is restarted
	after     bool // what is signed by is released all the same
	signsGone bool // what was released is signed by
	alone     bool // a granter looks at each grant alone
	window    bool // a window counts from signing
	replaces  bool // a replacement is charged by its difference
	withdrawn bool // what is withdrawn is charged no more
}

// group is k of n keys, some of them of robots, and what each robot may do of one meter. All
// humans are hostile, and so are some robots: they sign and grant anything.
type group struct {
	*world
	k, humans, m, bad, tolerate int
	limit, window               int64
	share, pool                 int64
	honest                      []*robot
	reserved                    []*asked
	wrong                       wrong
}

// robot is an honest one; bad ones have no state.
type robot struct {
	own     counter
	pool    Pool
	view    int // how many final blocks it knows
	told    map[int]int64
	signed  map[int]bool
	restart []func(Pool) Pool // what a robot that forgets still knows
}

// asked is a reservation, and who granted it, and who heard of its release.
type asked struct {
	Reservation
	tx, by   int
	granted  map[int]bool
	released bool
	heard    map[int]bool
	used     bool
}

// newGroup draws a group; one half of all use the pool alone, and are honest.
func newGroup(d drawer, wr wrong) *group {
	g := &group{world: newWorld(d, 8+d.n("coins", 5)), wrong: wr}
	g.m = 1 + d.n("robots", 4)
	g.humans = d.n("humans", 5)
	g.k = 1 + d.n("k", g.m+g.humans)
	g.tolerate = d.n("tolerate", g.m+1)
	g.bad = d.n("bad", min(g.tolerate, g.m-1)+1)
	g.limit, g.window = int64(20+d.n("limit", 140)), pick[int64](d, "window", 6, 7, 24)*3600
	g.pool = g.limit * int64(d.n("pool", 5)) / 4
	if d.n("all by the pool", 2) == 0 {
		g.m, g.bad, g.pool = 3, 0, g.limit
		g.k = g.humans + 1
	}
	g.rest()
	g.hints = []int64{g.share, g.pool, g.pool / 2, g.pool/2 + 1, g.share/2 + 1}
	return g
}

// rest works out the shares, and makes the honest robots.
func (g *group) rest() {
	r := max(1, max(1, g.k-g.humans)-g.tolerate)
	if g.wrong.rByKeys {
		r = max(1, g.k-g.bad)
	}
	g.share = (g.limit - g.pool) * int64(min(r, g.m)) / int64(g.m)
	if g.wrong.naive {
		g.share = g.limit
	}
	for range g.m - g.bad {
		b := &robot{view: depth - 1, told: map[int]int64{}, signed: map[int]bool{}}
		b.own = &bookkeeper{coins: func(tx int) []Coin { return g.spends[tx].coins() }}
		f := &faulty{w: g.world, buried: map[int]int64{}, charge: inFull, ended: untilBuried}
		if g.wrong.window {
			f.ended, b.own = sinceSigned, f
		}
		if g.wrong.replaces {
			f.charge, b.own = byDifference, f
		}
		if g.wrong.withdrawn {
			b.own = f
		}
		g.honest = append(g.honest, b)
	}
}

// needs is how many honest robots' signatures a payment has that holds one.
func (g *group) needs() int { return max(1, g.k-g.humans-g.bad) }

func (g *group) spendable(tx int) bool {
	n := 0
	for _, b := range g.honest {
		if b.signed[tx] {
			n++
		}
	}
	return n >= g.needs()
}

func (g *group) now(b *robot) int64 { return g.chain[b.view-1].mtp }

func (g *group) step() {
	at := g.d.n("robot", len(g.honest))
	b := g.honest[at]
	switch g.d.n("step", 17) {
	case 0, 1, 2, 3:
		tx := g.d.n("again", len(g.spends)+4)
		if tx >= len(g.spends) {
			if len(g.spends) >= 14 {
				return
			}
			tx = g.propose()
		}
		for i := range g.honest {
			if i == at || g.d.n("to another", 2) == 0 {
				g.ask(i, tx)
			}
		}
	case 4:
		if len(g.reserved) > 0 {
			a := g.reserved[len(g.reserved)-1-g.d.n("newest", min(3, len(g.reserved)))]
			for i := range g.honest {
				g.hear(i, a)
			}
			g.finish(a)
		}
	case 5:
		// One robot gets all that it needs for a payment of its own coin.
		if g.fresh() {
			g.ask(at, len(g.spends)-1)
			if n := len(g.reserved); n > 0 {
				for i := range g.honest {
					g.hear(i, g.reserved[n-1])
				}
				g.finish(g.reserved[n-1])
			}
		}
	case 6:
		for i := range g.honest {
			if len(g.reserved) > 0 && g.d.n("hears", 3) > 0 {
				g.hear(i, g.reserved[g.d.n("reserved", len(g.reserved))])
			}
		}
	case 7:
		if len(g.reserved) > 0 {
			g.finish(g.reserved[g.d.n("reserved", len(g.reserved))])
		}
	case 8:
		if len(g.reserved) > 0 {
			g.release(g.reserved[g.d.n("reserved", len(g.reserved))])
		}
	case 9, 10, 11:
		g.block()
	case 12, 13:
		b.view = min(g.final(), b.view+1+g.d.n("blocks", 4))
		b.told = g.tell(b.told, b.view, func(tx int, at int64) {
			coins := g.spends[tx].coins()
			b.own.bury(tx, coins, at)
			b.know(func(p Pool) Pool { return p.Bury(txOf(tx), coins, at) })
		}, func(int) {})
	case 14:
		g.chain = g.chain[:len(g.chain)-1] // another block takes the place of the last
		g.block()
	case 15, 16:
		if f, ok := b.own.(*faulty); ok && g.wrong.withdrawn && len(f.signed) > 0 {
			i := g.d.n("withdrawn", len(f.signed))
			f.signed = slices.Delete(f.signed, i, i+1)
		}
		for _, b := range g.honest {
			if g.wrong.forgets && g.d.n("restart", 3) > 0 {
				b.pool = Pool{}
				for _, fact := range b.restart {
					b.pool = fact(b.pool)
				}
			}
		}
	}
}

// block adds a block with some of what can be in it, and of what others made.
func (g *group) block() {
	var in []int
	for tx := range g.spends {
		if g.spendable(tx) && g.d.n("confirms", 4) == 0 {
			in = append(in, tx)
		}
	}
	if g.d.n("foreign", 8) == 0 {
		in = append(in, g.propose())
	}
	g.mine(g.chain[len(g.chain)-1].mtp+pick(g.d, "later", 0, 1, 600, g.window/2, g.window, g.window+1), in)
}

// know tells a robot's pool what it knows after each restart.
func (b *robot) know(fact func(Pool) Pool) {
	b.restart = append(b.restart, fact)
	b.pool = fact(b.pool)
}

// ask shows a transaction to an honest robot, which signs by its share or reserves.
func (g *group) ask(at, tx int) {
	b, coins := g.honest[at], g.spends[tx].coins()
	if _, left := b.told[tx]; left || b.signed[tx] {
		return
	}
	if t := (Take{All, g.takes[tx]}); b.own.fits(tx, t, g.window, g.now(b), g.share) {
		b.own.sign(tx, coins, t, g.now(b))
		b.signed[tx] = true
		return
	}
	r := Reservation{idOf(len(g.reserved)), Signed{txOf(tx), coins, []Take{{All, g.takes[tx]}}, g.now(b)}}
	if b.pool.MayGrant(r, g.pool, g.window, g.now(b)) && len(g.reserved) < 40 {
		b.know(func(p Pool) Pool { return p.Reserve(r) })
		g.reserved = append(g.reserved, &asked{Reservation: r, tx: tx, by: at, granted: map[int]bool{at: true}, heard: map[int]bool{}})
	}
}

// hear brings a reservation, or its release, to an honest robot.
func (g *group) hear(at int, a *asked) {
	b := g.honest[at]
	switch {
	case a.released:
		a.heard[at] = true
		b.pool = b.pool.Release(a.ID)
	case at != a.by && !a.granted[at]:
		if g.wrong.alone {
			a.granted[at] = a.Takes[0].Amount <= g.pool
		} else if b.pool.MayGrant(a.Reservation, g.pool, g.window, g.now(b)) {
			b.pool, a.granted[at] = b.pool.Grant(a.Reservation), true
		}
	}
}

// finish signs by a reservation that every honest robot granted; the others grant anything.
func (g *group) finish(a *asked) {
	b := g.honest[a.by]
	if _, left := b.told[a.tx]; left || a.released && !g.wrong.signsGone {
		return
	}
	if len(a.granted) == len(g.honest) || g.wrong.noLeave {
		if !g.wrong.after {
			b.know(func(p Pool) Pool { return p.Use(a.ID) })
		}
		b.signed[a.tx], a.used = true, true
	}
}

func (g *group) release(a *asked) {
	if b := g.honest[a.by]; !a.used || g.wrong.after {
		a.released = true
		b.know(func(p Pool) Pool { return p.Release(a.ID) })
	}
}

// over says whether more than the limit left through honest robots in some window, or can.
func (g *group) over() bool { return g.worst(len(g.chain)) > g.limit || g.worst(g.final()) > g.limit }

func (g *group) worst(height int) int64 {
	at, tip := g.times(height), g.chain[height-1].mtp
	var free []int
	for tx := range g.spends {
		if _, left := at[tx]; !left && g.spendable(tx) {
			free = append(free, tx)
		}
	}
	takes := func(tx int) int64 { return g.takes[tx] }
	next := g.most(free, g.spent(height), takes)
	most := next
	for _, end := range append(slices.Sorted(maps.Values(at)), tip) {
		sum := int64(0)
		for tx, t := range at {
			if g.spendable(tx) && t <= end && t >= end-g.window {
				sum += g.takes[tx]
			}
		}
		if end == tip {
			sum += next
		}
		most = max(most, sum)
	}
	return most
}

// leaves says whether a walk lets more than the limit leave.
func (g *group) leaves() bool {
	for range 80 {
		if g.step(); g.over() {
			return true
		}
	}
	return false
}

// Whoever delays what, and whichever robots are bad that the policy tolerates: through honest
// robots no more than the limit leaves in a window.
func TestLimitOfManyHolds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := newGroup(rapidly{t}, wrong{})
		for range rapid.IntRange(20, 60).Draw(t, "steps") {
			if g.step(); g.over() {
				t.Fatalf("more than %d can leave in a window", g.limit)
			}
		}
	})
}

// Each fault that is planted in the robots is found by the walk that finds none without.
func TestFaultsOfManyAreFound(t *testing.T) {
	faults := map[string]wrong{
		"none": {}, "a limit for each": {naive: true}, "r by all keys": {rByKeys: true},
		"no leave": {noLeave: true}, "grants are forgotten": {forgets: true}, "released after it was signed": {after: true},
		"signed by what was released": {signsGone: true}, "grants are looked at alone": {alone: true},
		"a window since signing": {window: true}, "by what is replaced": {replaces: true}, "withdrawn": {withdrawn: true},
	}
	for name, f := range faults {
		if testing.Short() && f != (wrong{}) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			used := 0
			for n := range walks() {
				g := newGroup(seed(n), f)
				if g.leaves() {
					if f == (wrong{}) || newGroup(seed(n), wrong{}).leaves() {
						t.Fatalf("seed %d: more than %d can leave in a window: %s", n, g.limit, fmt.Sprintf("%+v", g))
					}
					t.Logf("found by seed %d", n)
					return
				}
				for _, a := range g.reserved {
					if a.used {
						used++
					}
				}
			}
			if f != (wrong{}) {
				t.Errorf("not found in %d seeds", walks())
			}
			t.Logf("%d signatures by the pool", used)
		})
	}
}
