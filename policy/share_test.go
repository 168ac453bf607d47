package policy

import (
	"testing"

	"pgregory.net/rapid"
)

// The groups of the design's table: robots, k of n, tolerated; what r comes to.
func TestR(t *testing.T) {
	for _, c := range []struct{ n, k, robots, tolerate, want int }{
		{3, 2, 2, 0, 1}, {3, 2, 2, 2, 1}, {5, 3, 2, 2, 1}, {5, 3, 3, 3, 1}, {7, 4, 3, 3, 1}, {7, 5, 4, 4, 1},
		{3, 3, 3, 0, 3}, {3, 3, 3, 1, 2}, {3, 3, 3, 3, 1}, {5, 4, 4, 0, 3}, {5, 4, 4, 1, 2}, {2, 2, 1, 0, 1},
	} {
		p := &Policy{Robots: 1<<c.robots - 1, Tolerate: uint64(c.tolerate)}
		if got := p.R(c.n, c.k); got != c.want {
			t.Errorf("%d of %d with %d robots, %d tolerated: r is %d, want %d", c.k, c.n, c.robots, c.tolerate, got, c.want)
		}
	}
}

func TestShare(t *testing.T) {
	for _, c := range []struct {
		robots           Keys
		limit            int64
		pool             uint64
		r                int
		wantOwn, wantAll int64
	}{
		{3, 1000, 0, 1, 500, 0}, {3, 1000, 50, 1, 250, 500}, {3, 1000, 100, 1, 0, 1000}, {7, 1000, 0, 1, 333, 0},
		{7, 1000, 50, 1, 166, 500}, {7, 1000, 0, 2, 666, 0}, {7, 1000, 0, 3, 1000, 0}, {7, 1000, 0, 9, 1000, 0}, {7, 1000, 0, 0, 333, 0}, {1, 1000, 33, 1, 670, 330},
		{3, 999, 50, 1, 250, 499}, {1, 1, 50, 1, 1, 0}, {3, MaxAmount, 0, 1, MaxAmount / 2, 0},
		{3, MaxAmount + 1, 0, 1, 0, 0}, {0, 1000, 0, 1, 0, 0}, {3, -5, 0, 1, 0, 0}, {3, 1000, 101, 1, 0, 0},
	} {
		p := &Policy{Robots: c.robots}
		if own, all := p.Share(Meter{Limit: c.limit, Pool: c.pool}, c.r); own != c.wantOwn || all != c.wantAll {
			t.Errorf("of %d, pool %d %%, r %d, robots %b: %d and %d, want %d and %d", c.limit, c.pool, c.r, c.robots, own, all, c.wantOwn, c.wantAll)
		}
	}
}

// With no more bad robots than are tolerated, no more than the limit leaves.
func TestWorstCaseIsTheLimit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, MaxKeys).Draw(t, "n")
		k := rapid.IntRange(1, n).Draw(t, "k")
		robots := rapid.IntRange(1, n).Draw(t, "robots")
		p := &Policy{Robots: Keys(1)<<robots - 1, Tolerate: uint64(rapid.IntRange(0, robots).Draw(t, "tolerate"))}
		m := Meter{Limit: rapid.Int64Range(1, MaxAmount).Draw(t, "limit"), Pool: rapid.Uint64Range(0, 100).Draw(t, "pool")}
		p.Meters = []Meter{m}
		rows := p.WorstCase(n, k)
		if len(rows) != min(k, robots+1) {
			t.Fatalf("%d rows", len(rows))
		}
		for bad, w := range rows {
			if w.Bad != bad || w.Most < 0 || bad <= int(p.Tolerate) && w.Most > m.Limit {
				t.Fatalf("with %d bad of %d tolerated: %d of %d", bad, p.Tolerate, w.Most, m.Limit)
			}
			if bad == robots && w.Most != 0 {
				t.Fatalf("no honest robot signs %d", w.Most)
			}
			if w.Free != (n-robots+bad >= k) {
				t.Fatalf("%d humans and %d bad robots are free: %v", n-robots, bad, w.Free)
			}
		}
	})
}

// More bad robots than are tolerated pass the limit: the figure is told, not hidden.
func TestWorstCaseBeyondWhatIsTolerated(t *testing.T) {
	p := &Policy{Robots: 15, Meters: []Meter{{Limit: 1000}}}
	var got []int64
	for _, w := range p.WorstCase(4, 3) {
		got = append(got, w.Most)
	}
	if len(got) != 3 || got[0] != 1000 || got[1] != 1125 || got[2] != 1500 {
		t.Errorf("3 of 4 robots, none tolerated: %v, want 1000, 1125, 1500", got)
	}
}
