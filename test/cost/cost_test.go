package cost

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

var (
	few   = flag.Int("few", 300, "how many entries there are the first time")
	many  = flag.Int("many", 1200, "and how many the second time; the allowance lets in 32768")
	table = flag.Bool("table", false, "print what was measured")
)

// What may be dearer when more is held: trees are deeper, and tables of things
// that are bounded fill up. It is far less than one visit for each entry.
const (
	slack  = 250  // visits
	factor = 1.25 // of what it cost with few
)

type measurement struct {
	Kind    string
	N       int
	What    string
	Visits  uint64
	Seconds float64
	Error   string
}

// build builds the probe, with counters in the packages that are looked at.
func build(t *testing.T) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "probe")
	const module = "github.com/quorate/quorate/"
	c := exec.CommandContext(t.Context(), "go", "build", "-cover", "-covermode=atomic",
		"-coverpkg="+module+"test/cost/probe,"+module+"coordinator/...,"+module+"journal/...", "-o", bin, "./probe")
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("build the probe: %v\n%s", err, out)
	}
	return bin
}

func probe(t *testing.T, bin string, args ...string) []byte {
	t.Helper()
	c := exec.CommandContext(t.Context(), bin, args...)
	c.Env = append(os.Environ(), "GOCOVERDIR="+t.TempDir())
	var errs bytes.Buffer
	c.Stderr = &errs
	out, err := c.Output()
	if err != nil {
		t.Fatalf("probe: %v\n%s", err, errs.String())
	}
	return out
}

// TestAStepCostsWhatItsInputCosts lets a member write many entries of each kind,
// and compares what the next steps and readers cost with what they cost when
// there were a quarter of them.
func TestAStepCostsWhatItsInputCosts(t *testing.T) {
	bin := build(t)
	kinds := strings.Split(strings.TrimSpace(string(probe(t, bin))), "\n")
	if len(kinds) < 25 {
		t.Fatalf("the probe knows %d kinds only", len(kinds))
	}
	for _, k := range kinds {
		t.Run(k, func(t *testing.T) {
			t.Parallel()
			out := probe(t, bin, k, strconv.Itoa(*few), strconv.Itoa(*many))
			seen := map[string]measurement{}
			compared := 0
			for s := bufio.NewScanner(bytes.NewReader(out)); s.Scan(); {
				var m measurement
				if err := json.Unmarshal(s.Bytes(), &m); err != nil {
					t.Fatal(err)
				}
				first, again := seen[m.What]
				if !again {
					seen[m.What] = m
					continue
				}
				compared++
				compare(t, first, m)
			}
			if compared < 10 {
				t.Fatalf("%d calls were compared only", compared)
			}
		})
	}
}

func compare(t *testing.T, x, y measurement) {
	t.Helper()
	if x.Error != y.Error {
		t.Errorf("%s: %q with %d entries, and %q with %d", x.What, x.Error, x.N, y.Error, y.N)
	}
	a, b := float64(x.Visits), float64(y.Visits)
	if x.What == "all of them" {
		a, b = a/float64(x.N), b/float64(y.N)
	}
	if *table {
		t.Logf("%-26s %10.0f %10.0f visits   %.6f %.6f s", x.What, a, b, x.Seconds, y.Seconds)
	}
	if b > a*factor+slack {
		t.Errorf("%s: %.0f visits with %d entries held, and %.0f with %d", x.What, a, x.N, b, y.N)
	}
}
