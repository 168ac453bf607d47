package sim

import (
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var broken = flag.Bool("broken", false, "break rules of the product one by one, and see that each is found")

// edit is a change of a source file, in a copy that only one build sees.
type edit struct{ file, was, then string }

// breach is a rule of the product that is broken.
type breach struct {
	name string
	// small says that it shows among two or three nodes, with the alphabet of
	// test/explore, which finds it, too.
	small bool
	// robots says that the runs of robots find it.
	robots bool
	// by is the package and the test that finds it, where the seeds do not.
	by, test string
	edits    []edit
}

const costTest = "TestAStepCostsWhatItsInputCosts"

func breaches() []breach {
	one := func(name, file, was, then string) breach {
		return breach{name: name, edits: []edit{{file, was, then}}}
	}
	small := func(b breach) breach {
		b.small = true
		return b
	}
	cost := func(kind string, b breach) breach {
		b.by, b.test = "./test/cost", "^"+costTest+"$/^"+kind+"$"
		return b
	}
	return []breach{
		small(one("sign guard off", "coordinator/guard.go",
			"if !slices.Contains(out, tx) && !g.buried", "if false && !slices.Contains(out, tx) && !g.buried")),
		small(one("effects before the commit", "coordinator/turn.go",
			"	if b := t.batch; ", "	for _, e := range t.effects {\n		execute(e)\n	}\n	t.effects = nil\n	if b := t.batch; ")),
		small(one("status stored", "coordinator/step_status.go",
			"now := s.m.State.StatusOf(s.m.View, s.now(), p, q)",
			"now := s.m.State.StatusOf(s.m.View, s.now(), p, q)\nif known && !was.status.Live() && was.status != \"\" { now = was.status }")),
		small(one("quorum == k", "wallet/progress.go",
			"{ return p.Missing() == 0 }", "{ return p.Completed() == p.d.threshold }")),
		one("signatures of other amounts count", "coordinator/group/proposal.go",
			"return sha256.Sum256(b)", "return sha256.Sum256(nil)"),
		one("author not bound to key", "journal/entry.go",
			"if !verifyStrict(e.header.Author, e.id[:], e.raw[len(e.raw)-signatureSize:]) {", "if len(e.raw) == 0 {"),
		// Whoever spoils epochs is written under for ever, and is answered so often only.
		{name: "spoiled epochs written under", edits: []edit{
			{"coordinator/group/epochs_weigh.go", "if out.spoiled < MaxSpoiled {", "if true {"},
			{"coordinator/group/stanza.go", "if d.Node != (epochNode{}) && s.obeyed(d.Node) {", "if d.Node != (epochNode{}) && s.obeyed(d.Node) && s.failures.Len() < MaxSpoiled {"},
			{"coordinator/group/stanza.go", "if !s.lacks(d.Epoch) || ", "if !s.lacks(d.Epoch) || s.failures.Len() >= MaxSpoiled || "},
		}},
		one("epochs sealed again by nobody", "coordinator/group/stanza.go",
			"return ep, s.counted(id) || s.affords(id, who, 2*MaxStanzas+1)", "return ep, false"),
		cost("epochs in a chain", one("a walk over the epochs in each step", "coordinator/group/epochs.go",
			"	if e, ok := s.Fitting(); ok {\n		return e, true",
			"	for _, e := range s.epochs.All() {\n		for ok := true; ok && e.Number > 0; {\n			e, ok = s.epochs.Get(mapkey.Of(e.Parent))\n		}\n	}\n"+
				"	if e, ok := s.Fitting(); ok {\n		return e, true")),
		cost("copies and a fork", one("a walk over copies in each step", "coordinator/step_status.go",
			"	s.forked = len(s.m.State.Chains().Forks()) > 0\n",
			"	if s.forked = len(s.m.State.Chains().Forks()) > 0; s.forked {\n		for p := range s.m.State.AllProposals {\n			s.m.State.Alive(p)\n		}\n	}\n")),
		one("replacements unchecked", "coordinator/group/fold.go",
			"if s.active != nil && !s.CheckSuccession(f.Body) {", "if false {"),
		one("cuts read late change nothing", "coordinator/group/fold.go",
			"		s.book.waiting = s.book.waiting.Delete(waitingKey(e))\n		s = s.fold(e)\n", "		s.book.waiting = s.book.waiting.Delete(waitingKey(e))\n		due, reline := s.retainted, s.relineDue\n		s = s.fold(e)\n		s.retainted, s.relineDue = due, reline\n"),
		small(one("leases start scans", "coordinator/lookback.go",
			"		s.lateAddresses(was, again)\n", "		_, from = was, v.Birthday()\n")),
		one("one claim vouches", "coordinator/entries.go",
			"	need := max(1, m.State.Genesis().Threshold-1)\n	if need > m.State.Genesis().Cosigners-2 {", "	need := 1\n	if false {"),
		one("entries of another wallet taken", "coordinator/entries.go",
			"	case h.Group != st.Group():\n", "	case false:\n"),
		one("restored node signs a rival", "coordinator/bound.go",
			"if m.restored == nil && m.bound == nil || m.sinceRestore(q.Ref.Chain) {", "if true {"),
		one("signatures past a fork kept back", "coordinator/group/carry.go",
			"	var out []Strayed\n	for i := range p.Body.Inputs {", "	var out []Strayed\n	if p != nil {\n		return nil\n	}\n	for i := range p.Body.Inputs {"),
		one("frozen coins signed", "coordinator/rules.go",
			"	if slices.Contains(allow, refusal.CoinFrozen) {\n		return nil\n	}\n	for _, in", "	if true {\n		return nil\n	}\n	for _, in"),
		one("change anywhere", "coordinator/rules.go",
			"if o.Change != nil && *o.Change >= v.Used(wallet.BranchChange)+ledger.ChangeGap {", "if false {"),
	}
}

// overlay writes the changed sources of a breach to dir, and returns where, by
// the source.
func (b breach) overlay(t *testing.T, root, dir string) map[string]string {
	t.Helper()
	changed := map[string]string{}
	for _, e := range b.edits {
		path := filepath.Join(root, e.file)
		source, err := os.ReadFile(cmp.Or(changed[path], path))
		if err != nil {
			t.Fatal(err)
		}
		if strings.Count(string(source), e.was) != 1 {
			t.Fatalf("%s does not hold %q once", e.file, e.was)
		}
		changed[path] = filepath.Join(dir, strings.ReplaceAll(e.file, "/", "_"))
		write(t, changed[path], []byte(strings.Replace(string(source), e.was, e.then, 1)))
	}
	return changed
}

// tree returns a copy of the module with the changed sources of a breach: what
// is built with -cover is not built from an overlay.
func (b breach) tree(t *testing.T, root string) string {
	t.Helper()
	dir := t.TempDir()
	for _, of := range []string{"coordinator", "journal", "wallet", "display", "filetext", "test/cost"} {
		if err := os.CopyFS(filepath.Join(dir, of), os.DirFS(filepath.Join(root, of))); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"go.mod", "go.sum"} {
		raw, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, name), raw)
	}
	for path, changed := range b.overlay(t, root, t.TempDir()) {
		raw, err := os.ReadFile(changed)
		if err != nil {
			t.Fatal(err)
		}
		at, err := filepath.Rel(root, path)
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, at), raw)
	}
	return dir
}

// found runs the test that finds a breach, and returns what it says, "" for nothing.
func (b breach) found(t *testing.T, root string) string {
	t.Helper()
	args := []string{"test", "-count=1", "-vet=off", "-timeout", "30m", "-v"}
	if b.by != "" {
		c := exec.CommandContext(t.Context(), "go", append(args, "-run", b.test, b.by)...)
		c.Dir = b.tree(t, root)
		return told(t, c, `cost_test\.go:\d+: (.* visits with .*)`)
	}
	seeds := []string{"-run", "^TestSeeds$", "./test/sim", "-seeds=1000", "-first"}
	if b.robots {
		seeds = []string{"-run", "^TestRobotSeeds$", "./test/sim", "-robots=1000", "-first"}
	}
	return told(t, b.over(t, root, append(args, seeds...)), `seed \d+: .* \(replay`)
}

// over is a run of the go command with a breach laid over the source.
func (b breach) over(t *testing.T, root string, args []string) *exec.Cmd {
	t.Helper()
	dir := t.TempDir()
	overlay, err := json.Marshal(map[string]any{"Replace": b.overlay(t, root, dir)})
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "overlay.json"), overlay)
	c := exec.CommandContext(t.Context(), "go", args...)
	c.Dir = root
	// The environment has it, since a test may build the product once more.
	c.Env = append(os.Environ(), "GOFLAGS="+strings.TrimSpace(os.Getenv("GOFLAGS")+" -overlay="+filepath.Join(dir, "overlay.json")))
	return c
}

// told runs a test that fails, and returns the line that says of what.
func told(t *testing.T, c *exec.Cmd, what string) string {
	t.Helper()
	out, err := c.CombinedOutput()
	found := regexp.MustCompile(what).Find(out)
	if err == nil || found == nil {
		t.Fatalf("nothing was found (%v):\n%s", err, tail(out))
	}
	return string(found)
}

// Rules of the product are broken, each in a build of its own, and the test that
// is clean otherwise must find each: the seeds within a thousand.
func TestBrokenRulesAreFound(t *testing.T) {
	if !*broken {
		t.Skip("builds the product once for each rule: -broken runs it")
	}
	root := root(t)
	for _, b := range append(breaches(), robotBreaches()...) {
		t.Run(b.name, func(t *testing.T) {
			t.Logf("found: %s", b.found(t, root))
		})
	}
}

// Every rule that is to be broken is where it is said to be.
func TestBrokenRulesApply(t *testing.T) {
	all := slices.Concat(breaches(), smallBreaches(), robotBreaches())
	if len(all) < 12 {
		t.Errorf("%d rules are broken only", len(all))
	}
	for _, b := range all {
		t.Run(b.name, func(t *testing.T) { b.overlay(t, root(t), t.TempDir()) })
	}
}

func root(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return root
}

func write(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(fmt.Errorf("write: %w", err))
	}
}
