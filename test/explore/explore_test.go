package explore

import (
	"flag"
	"testing"
	"testing/cryptotest"

	"github.com/quorate/quorate/test/sim"
)

var states = flag.Int("states", 5000, "how many states TestEverySchedule walks of each group")

// group is one that is walked, and what may happen in it.
type group struct {
	name string
	k, n int
	liar bool
	left left
}

func groups() []group {
	return []group{
		{"1 of 2", 1, 2, false, left{Propose: 2, Replace: 1, Reject: 1, Withdraw: 1, Crash: 1, Block: 2, Reorg: 1}},
		{"2 of 2", 2, 2, false, left{Propose: 2, Replace: 1, Reject: 1, Withdraw: 1, Crash: 1, Block: 2, Reorg: 1}},
		{"2 of 3", 2, 3, false, left{Propose: 2, Replace: 1, Reject: 1, Crash: 1, Block: 1, Reorg: 1}},
		{"2 of 2, one lies", 2, 2, true, left{Propose: 2, Replace: 1, Withdraw: 1, Block: 1, Fork: 1}},
		{"2 of 3, one lies", 2, 3, true, left{Propose: 2, Replace: 1, Reject: 1, Block: 1, Fork: 1}},
	}
}

func (g group) begin(t *testing.T) world {
	t.Helper()
	pool, err := sim.NewPool(func(s uint64) { cryptotest.SetGlobalRandom(t, s) })
	if err != nil {
		t.Fatal(err)
	}
	ready, err := pool.Ready(g.k, g.n)
	if err != nil {
		t.Fatal(err)
	}
	w, err := begin(&setting{Ready: ready, liar: g.liar}, g.left)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// TestEverySchedule walks all that can happen in small groups, breadth first.
func TestEverySchedule(t *testing.T) {
	for _, g := range groups() {
		t.Run(g.name, func(t *testing.T) {
			r := walk(g.begin(t), *states, 2)
			t.Log(r)
			if r.broken != nil {
				t.Error("a rule is broken")
			}
			if r.states < min(*states, 100) {
				t.Errorf("%d states are nothing", r.states)
			}
		})
	}
}
