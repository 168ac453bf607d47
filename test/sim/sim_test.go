package sim

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/cryptotest"
)

var (
	seeds = flag.Uint64("seeds", 25, "how many seeds TestSeeds runs")
	from  = flag.Uint64("from", 1, "the first of them")
	seed  = flag.Uint64("seed", 0, "the one seed that TestSeed replays")
	trace = flag.String("traces", "", "where TestSeeds writes what each seed made durable, as hashes: equal for two versions that behave alike")
	quick = flag.Bool("first", false, "stop at the first seed that fails, and do not shorten it")
)

// shard is how many seeds one process runs; many run in several processes,
// because the randomness of a process can be restarted for one run at a time.
const shard = 250

func newPool(t *testing.T) *Pool {
	t.Helper()
	p, err := NewPool(func(s uint64) { cryptotest.SetGlobalRandom(t, s) })
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// summary is what came of many seeds.
type summary struct {
	Seeds, Steps int
	Counts       map[string]int
	Failed       map[uint64]string
	Traces       map[uint64]string
}

func newSummary() summary {
	return summary{Counts: map[string]int{}, Failed: map[uint64]string{}, Traces: map[uint64]string{}}
}

func (s *summary) add(o summary) {
	s.Seeds += o.Seeds
	s.Steps += o.Steps
	for k, v := range o.Counts {
		s.Counts[k] += v
	}
	maps.Copy(s.Failed, o.Failed)
	maps.Copy(s.Traces, o.Traces)
}

func (s *summary) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d seeds, %d steps", s.Seeds, s.Steps)
	for _, k := range slices.Sorted(maps.Keys(s.Counts)) {
		fmt.Fprintf(&b, "\n  %8d %s", s.Counts[k], k)
	}
	return b.String()
}

func runSeeds(p *Pool, from, n uint64) summary { return runEach(from, n, NewPlan, p.Run) }

func runEach(from, n uint64, plan func(uint64) Plan, run func(Plan) Report) summary {
	s := newSummary()
	for at := from; at < from+n; at++ {
		r := run(plan(at))
		s.add(summary{Seeds: 1, Steps: r.Steps, Counts: r.Counts, Traces: map[uint64]string{at: fmt.Sprintf("%x", r.Trace)}})
		if len(r.Violations) > 0 {
			s.Failed[at] = r.Violations[0]
			if *quick {
				break
			}
		}
	}
	return s
}

// TestSeeds runs groups that everything happens to, each made from its seed.
func TestSeeds(t *testing.T) {
	var all summary
	if *seeds <= shard {
		all = runSeeds(newPool(t), *from, *seeds)
	} else {
		all = shards(t, "TestSeeds", "seeds", *seeds)
	}
	if toParent(t, all) {
		return
	}
	t.Log(all.String())
	if *trace != "" {
		var b strings.Builder
		for _, at := range slices.Sorted(maps.Keys(all.Traces)) {
			fmt.Fprintf(&b, "%d %s\n", at, all.Traces[at])
		}
		if err := os.WriteFile(*trace, []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for n, at := range slices.Sorted(maps.Keys(all.Failed)) {
		t.Errorf("seed %d: %s (replay: go test ./test/sim -run TestSeed$ -seed %d)", at, all.Failed[at], at)
		if n == 0 && !*quick {
			t.Logf("the shortest history found:\n%s", newPool(t).Shrink(NewPlan(at), 400))
		}
	}
}

// toParent hands a summary to the process that asked for it, where one did.
func toParent(t *testing.T, all summary) bool {
	t.Helper()
	out := os.Getenv("SIM_SUMMARY")
	if out == "" {
		return false
	}
	b, err := json.Marshal(all)
	if err == nil {
		err = os.WriteFile(out, b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return true
}

// shards runs many seeds in other processes of a test, to which a flag says how many.
func shards(t *testing.T, test, name string, seeds uint64) summary {
	t.Helper()
	all := newSummary()
	workers := 1
	if f := flag.Lookup("test.parallel"); f != nil {
		if n, ok := f.Value.(flag.Getter).Get().(int); ok {
			workers = n
		}
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	next := *from
	end := *from + seeds
	for range workers {
		wg.Go(func() {
			for {
				mu.Lock()
				at := next
				next += shard
				stop := at >= end || (*quick && len(all.Failed) > 0)
				mu.Unlock()
				if stop {
					return
				}
				s, err := runShard(t, test, name, at, min(shard, end-at))
				mu.Lock()
				if err != nil {
					t.Error(err)
				}
				all.add(s)
				t.Logf("%d seeds, the last from %d on; failed: %v", all.Seeds, at, slices.Sorted(maps.Keys(all.Failed)))
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return all
}

func runShard(t *testing.T, test, name string, from, n uint64) (summary, error) {
	out, err := os.CreateTemp(t.TempDir(), "summary")
	if err != nil {
		return summary{}, err
	}
	if err := out.Close(); err != nil {
		return summary{}, err
	}
	args := []string{"-test.run=^" + test + "$", "-test.timeout=0", fmt.Sprint("-from=", from), fmt.Sprint("-", name, "=", n)}
	if *quick {
		args = append(args, "-first")
	}
	c := exec.CommandContext(t.Context(), os.Args[0], args...)
	c.Env = append(os.Environ(), "SIM_SUMMARY="+out.Name(), "GOMAXPROCS=1")
	if text, err := c.CombinedOutput(); err != nil {
		return summary{}, fmt.Errorf("seeds %d to %d: %w\n%s", from, from+n-1, err, tail(text))
	}
	var s summary
	b, err := os.ReadFile(out.Name())
	if err != nil {
		return s, err
	}
	return s, json.Unmarshal(b, &s)
}

func tail(b []byte) string {
	var lines []string
	for s := bufio.NewScanner(bytes.NewReader(b)); s.Scan(); {
		lines = append(lines, s.Text())
	}
	return strings.Join(lines[max(0, len(lines)-40):], "\n")
}

// TestSeed replays one seed and tells its history.
func TestSeed(t *testing.T) {
	if *seed == 0 {
		t.Skip("-seed names none")
	}
	p := newPool(t)
	r := p.Run(NewPlan(*seed))
	if len(r.Violations) == 0 {
		t.Logf("nothing is broken:\n%s", r)
		return
	}
	t.Errorf("%s", r)
	t.Logf("the shortest history found:\n%s", p.Shrink(NewPlan(*seed), 400))
}

// A seed replays exactly, in this process and after others.
func TestASeedReplaysExactly(t *testing.T) {
	one, two := newPool(t), newPool(t)
	for _, s := range []uint64{1, 2, 3, 5, 8} {
		a := one.Run(NewPlan(s))
		two.Run(NewPlan(s + 100))
		b := two.Run(NewPlan(s))
		if a.Steps != b.Steps || a.Trace != b.Trace || !maps.Equal(a.Counts, b.Counts) {
			t.Errorf("seed %d: %d steps and trace %x, then %d and %x", s, a.Steps, a.Trace[:4], b.Steps, b.Trace[:4])
		}
	}
}
