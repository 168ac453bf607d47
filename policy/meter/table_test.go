package meter

import "testing"

// The figures of the design: what leaves at most where each robot has the whole limit and they
// are kept apart, and by shares and pools of 100, 50 and 0 percent. Humans who collude sign
// everything, each payment goes to as many robots as it needs, and the worst of some seeds is
// taken.
func TestFigures(t *testing.T) {
	if testing.Short() {
		t.Skip("the figures are of many seeds")
	}
	const limit = 1000
	for _, c := range []struct {
		name                 string
		k, robots, colluding int
		r                    int
		apart                int64 // at least, where each has the limit
		all, half, none      int64 // at least, by shares and pools
	}{
		{name: "2 of 3", k: 2, robots: 2, colluding: 1, r: 1, apart: 1900, all: 950, half: 900, none: 950},
		{name: "3 of 5", k: 3, robots: 2, colluding: 1, r: 2, apart: 950, all: 950, half: 900, none: 950},
		{name: "3 of 5, three robots", k: 3, robots: 3, colluding: 2, r: 1, apart: 2800, all: 950, half: 900, none: 900},
		{name: "4 of 7", k: 4, robots: 3, colluding: 3, r: 1, apart: 2800, all: 950, half: 900, none: 900},
		{name: "5 of 7", k: 5, robots: 4, colluding: 3, r: 2, apart: 1500, all: 950, half: 700, none: 700},
	} {
		needs := c.k - c.colluding
		if got := mostOut(c.robots, needs, limit, 0); got < c.apart || got > limit*int64(c.robots)/int64(needs) {
			t.Errorf("%s: each has the limit: %d, want at least %d", c.name, got, c.apart)
		} else {
			t.Logf("%s: each has the limit: %d", c.name, got)
		}
		for _, x := range []struct{ percent, least int64 }{{100, c.all}, {50, c.half}, {0, c.none}} {
			pool := limit * x.percent / 100
			share := (limit - pool) * int64(min(c.r, c.robots)) / int64(c.robots)
			got := mostOut(c.robots, needs, share, pool)
			if got > limit || got < x.least {
				t.Errorf("%s: a pool of %d %%: %d, want %d to %d", c.name, x.percent, got, x.least, limit)
			}
			t.Logf("%s: a pool of %d %%: %d", c.name, x.percent, got)
		}
	}
	// Where honest humans approve too, a payment needs one robot, and r by all keys is too much.
	for _, c := range []struct {
		name           string
		robots, byKeys int
		most           int64
	}{{"3 of 5", 2, 2, 2000}, {"4 of 7", 3, 3, 3000}} {
		wrongly, rightly := mostOut(c.robots, 1, limit*int64(c.byKeys)/int64(c.robots), 0), mostOut(c.robots, 1, limit/int64(c.robots), 0)
		if wrongly < c.most*9/10 || rightly > limit || rightly < limit*9/10 {
			t.Errorf("%s: by all keys %d, by robots' %d", c.name, wrongly, rightly)
		}
		t.Logf("%s, and honest humans approve: by all keys %d, by robots' %d", c.name, wrongly, rightly)
	}
}

// mostOut is the most that leaves by payments that need some robots each, of 100 seeds with 200
// payments.
func mostOut(robots, needs int, share, pool int64) int64 {
	const window, now = 86400, 1e9
	var most int64
	for n := range uint64(100) {
		d, out := seed(n), int64(0)
		books, pools := make([]Book, robots), make([]Pool, robots)
		for tx := range 200 {
			s := Signed{txOf(tx), []Coin{coinOf(tx)}, []Take{{All, int64(1 + d.IntN(1+d.IntN(200)))}}, now}
			r := Reservation{Signed: s}
			copy(r.ID[:], s.Tx[:])
			signed := 0
			for _, at := range d.Perm(robots)[:needs] {
				switch fits := books[at].Used(All, window, now)+books[at].Charge(s.Coins, s.Takes[0]) <= share; {
				case fits:
					books[at] = books[at].Sign(s)
					signed++
				case all(pools, func(p Pool) bool { return p.MayGrant(r, pool, window, now) }):
					for i := range pools {
						pools[i] = pools[i].Grant(r)
					}
					signed++
				}
			}
			if signed == needs {
				out += s.Takes[0].Amount
			}
		}
		most = max(most, out)
	}
	return most
}

func all[T any](of []T, is func(T) bool) bool {
	for _, x := range of {
		if !is(x) {
			return false
		}
	}
	return true
}
