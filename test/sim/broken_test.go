package sim

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var broken = flag.Bool("broken", false, "break rules of the product one by one, and see that each is found")

// breach is a rule of the product that is broken by a change of its source, in
// a copy that only one build sees.
type breach struct {
	name      string
	file      string
	was, then string
}

func breaches() []breach {
	return []breach{
		{"sign guard off", "coordinator/guard.go",
			"if tx == p.TxID || slices.Contains", "if true || slices.Contains"},
		{"persist after publish", "coordinator/machine.go",
			"return append([]Effect{Persist{s.batch}}, s.effects...)", "return append(s.effects, Persist{s.batch})"},
		{"status stored", "coordinator/settle.go",
			"now := Derive(s.m.State, s.m.View, s.now(), p)",
			"now := Derive(s.m.State, s.m.View, s.now(), p)\nif known && !was.Live() && was != \"\" { now = was }"},
		{"quorum == k", "coordinator/signatures.go",
			"return full >= s.genesis.Threshold", "return full == s.genesis.Threshold"},
		{"author not bound to key", "journal/entry.go",
			"if !verifyStrict(e.header.Author, e.id[:], e.raw[len(e.raw)-signatureSize:]) {", "if len(e.raw) == 0 {"},
	}
}

// Rules of the product are broken, each in a build of its own, and the same
// seeds that are clean otherwise must find each within a thousand.
func TestBrokenRulesAreFound(t *testing.T) {
	if !*broken {
		t.Skip("builds the product five times: -broken runs it")
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range breaches() {
		t.Run(b.name, func(t *testing.T) {
			path := filepath.Join(root, b.file)
			source, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Count(string(source), b.was) != 1 {
				t.Fatalf("%s does not hold %q once", b.file, b.was)
			}
			dir := t.TempDir()
			changed := filepath.Join(dir, "changed.go")
			overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{path: changed}})
			if err != nil {
				t.Fatal(err)
			}
			write(t, changed, []byte(strings.Replace(string(source), b.was, b.then, 1)))
			write(t, filepath.Join(dir, "overlay.json"), overlay)
			c := exec.CommandContext(t.Context(), "go", "test", "-count=1", "-vet=off", "-overlay", filepath.Join(dir, "overlay.json"),
				"-timeout", "30m", "-run", "^TestSeeds$", "./test/sim", "-v", "-seeds=1000", "-first")
			c.Dir = root
			out, err := c.CombinedOutput()
			found := regexp.MustCompile(`seed (\d+): (.*) \(replay`).FindStringSubmatch(string(out))
			if err == nil || found == nil {
				t.Fatalf("nothing was found (%v):\n%s", err, tail(out))
			}
			t.Logf("found by seed %s: %s", found[1], found[2])
		})
	}
}

func write(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(fmt.Errorf("write: %w", err))
	}
}
