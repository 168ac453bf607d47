package sim

import (
	"flag"
	"testing"
	"testing/cryptotest"
)

var (
	seeds = flag.Uint64("seeds", 20, "how many seeds are run")
	from  = flag.Uint64("from", 1, "the first seed")
	seed  = flag.Uint64("seed", 0, "the one seed that TestSeed replays")
)

func newPool(t *testing.T) *Pool {
	t.Helper()
	p, err := NewPool(func(s uint64) { cryptotest.SetGlobalRandom(t, s) })
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestSeeds(t *testing.T) {
	p := newPool(t)
	counts := map[string]int{}
	steps := 0
	for s := *from; s < *from+*seeds; s++ {
		r := p.Run(NewPlan(s))
		for k, v := range r.Counts {
			counts[k] += v
		}
		steps += r.Steps
		if len(r.Violations) > 0 {
			t.Errorf("seed %d (%d of %d, liars %v): %v", s, r.Plan.K, r.Plan.N, r.Plan.Byzantine, r.Violations[0])
		}
	}
	t.Logf("%d steps, %v", steps, counts)
}
