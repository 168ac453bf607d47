package explore

import (
	"flag"
	"testing"
	"testing/cryptotest"
	"time"

	"github.com/quorate/quorate/test/sim"
)

var states = flag.Int("states", 5000, "how many states TestEverySchedule walks of each group")

// small is a group that is walked, and what may happen in it.
type small struct {
	name  string
	k, n  int
	liar  bool
	apart bool
	left  left
}

func groups() []small {
	all := left{Propose: 2, Replace: 1, Reject: 1, Withdraw: 1, Crash: 1, Block: 2, Reorg: 1}
	lies := all
	lies.Fork = 1
	return []small{
		{name: "1 of 2", k: 1, n: 2, left: all},
		{name: "2 of 2", k: 2, n: 2, left: all},
		{name: "2 of 3", k: 2, n: 3, left: all},
		{name: "1 of 2, one lies", k: 1, n: 2, left: lies, liar: true},
		{name: "2 of 2, one lies", k: 2, n: 2, left: lies, liar: true},
		{name: "2 of 3, one lies", k: 2, n: 3, left: lies, liar: true},
		{name: "2 of 3, one forks", k: 2, n: 3, left: left{Propose: 1, Fork: 1}, liar: true},
		{name: "2 of 2, signers apart", k: 2, n: 2, left: all, apart: true},
	}
}

// has says whether a letter may happen in a group.
func (g small) has(l letter) bool {
	switch l {
	case replace:
		return g.left.Replace > 0
	case reject:
		return g.left.Reject > 0
	case withdraw:
		return g.left.Withdraw > 0
	case restart:
		return g.left.Crash > 0
	case mine:
		return g.left.Block > 0
	case reorg:
		return g.left.Reorg > 0
	case fork:
		return g.left.Fork > 0
	}
	return true
}

func (g small) begin(t *testing.T) *world {
	t.Helper()
	pool, err := sim.NewPool(func(s uint64) { cryptotest.SetGlobalRandom(t, s) })
	if err != nil {
		t.Fatal(err)
	}
	ready, err := pool.Ready(g.k, g.n)
	if err != nil {
		t.Fatal(err)
	}
	w, err := begin(&setting{Ready: ready, liar: g.liar, apart: g.apart}, g.left)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// TestEverySchedule walks all that can happen in small groups, breadth first.
func TestEverySchedule(t *testing.T) {
	for _, g := range groups() {
		t.Run(g.name, func(t *testing.T) {
			w := g.begin(t)
			begun := time.Now()
			r := walk(w, *states)
			t.Log(r)
			if r.broken != nil {
				t.Fatal("a rule is broken")
			}
			n, err := w.compare()
			if err != nil {
				t.Error(err)
			}
			t.Logf("%d of %d nodes that were taken for another took all that it took, in %d turns; %v", len(w.twins), w.merged, n, time.Since(begun).Round(time.Second))
			if r.states < *states && !r.whole {
				t.Errorf("%d states are too few", r.states)
			}
			for l := range letters {
				if r.depth > 5 && r.tried[l] == 0 && g.has(l) {
					t.Errorf("nobody did once: %v", l)
				}
			}
		})
	}
}
