package e2e_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/ops"
	"github.com/quorate/quorate/test/nodes"
)

// The demo shows the main job for groups of all sizes, and leaves nothing behind.
func TestDemoOfAllSizes(t *testing.T) {
	for _, size := range []struct{ threshold, cosigners, spends int }{{1, 2, 2}, {2, 2, 1}, {2, 3, 3}, {3, 5, 1}, {11, 15, 1}} {
		t.Run(fmt.Sprintf("%d-of-%d", size.threshold, size.cosigners), func(t *testing.T) {
			n := world.At(t, nodes.Config{Name: "demo", Dir: t.TempDir()})
			tmp := t.TempDir()
			cmd := n.Command("--json", "demo", "--threshold", fmt.Sprint(size.threshold), "--cosigners", fmt.Sprint(size.cosigners), "--spends", fmt.Sprint(size.spends))
			cmd.Env = append(cmd.Env, "TMPDIR="+tmp)
			a := n.Finish(cmd, "")
			r := read[ops.DemoResult](t, a)
			if a.Err != "" {
				t.Errorf("standard error of a pipe: %q", a.Err)
			}
			if r.Network != "regtest" || r.Threshold != size.threshold || r.Cosigners != size.cosigners || len(strings.Fields(r.Words)) != 6 {
				t.Errorf("result: %+v", r)
			}
			seen := map[string]bool{}
			for _, x := range r.Nodes {
				if x.Name == "" || x.PeerID == nil || x.Key == nil || seen[*x.PeerID] {
					t.Errorf("nodes: %+v", r.Nodes)
				}
				seen[*x.PeerID] = true
			}
			if len(r.Nodes) != size.cosigners || len(r.Spends) != size.spends {
				t.Errorf("%d nodes and %d spends", len(r.Nodes), len(r.Spends))
			}
			for _, s := range r.Spends {
				if !s.Identical || !s.Confirmed || len(s.TxID) != 2*len(journal.EntryID{}) || len(s.WTxID) != len(s.TxID) || seen[s.TxID] {
					t.Errorf("spend: %+v", s)
				}
				seen[s.TxID] = true
				if l := s.Latency; l.Propose <= 0 || l.FinalEverywhere < l.Propose || l.Confirmed <= 0 {
					t.Errorf("latency: %+v", l)
				}
			}
			holdsFields(t, a.Out)
			if left, err := os.ReadDir(tmp); err != nil || len(left) > 0 {
				t.Errorf("the demo left %v behind (%v)", left, err)
			}
		})
	}
}

// holdsFields holds the answer to the field names that scripts rely on.
func holdsFields(t testing.TB, out []byte) {
	t.Helper()
	var r struct {
		Spends []map[string]json.RawMessage
	}
	if err := json.Unmarshal(out, &r); err != nil {
		t.Fatal(err)
	}
	for _, s := range r.Spends {
		var latency map[string]float64
		if err := json.Unmarshal(s["latency_ms"], &latency); err != nil {
			t.Fatal(err)
		}
		for _, f := range []string{"txid", "wtxid", "identical", "confirmed"} {
			if s[f] == nil {
				t.Errorf("a spend has no %s", f)
			}
		}
		for _, f := range []string{"propose", "approve", "final_everywhere", "confirmed"} {
			if _, ok := latency[f]; !ok {
				t.Errorf("latency_ms has no %s", f)
			}
		}
	}
}
