package arch

import (
	"flag"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

var unreached = flag.Bool("unreached", false, "look for functions that nothing calls, which takes a while")

// kept is what no program of the project reaches and stays: functions of one
// package, and why.
type kept struct {
	pkg, why string
	funcs    []string
}

// keptFuncs are for tests alone, or for nobody by intent. What is for tests and
// in a package for tests needs no entry.
func keptFuncs() []kept {
	return []kept{
		{"api", "for programs of others, which send a request again; the command line does not", []string{"WithKey"}},
		{"app/keystore", "a secret that is printed by a slip does not show: nobody is to call these",
			[]string{"Content.Format", "Content.LogValue", "Content.MarshalJSON"}},
		{"app/keystore", "tests of other rooms open keystores, and the real cost would take them minutes", []string{"LightWork"}},
		{"coordinator", "a notice of the chain that is of no stream: the simulator and tests have no other", []string{"ChainIn.run"}},
		{"coordinator/port", "tests of the rooms above see no events, and go through all outcomes", []string{"AccountHash", "Outcomes"}},
		{"wallet/formats", "tests go through every format", []string{"All"}},
		{"wallet/psbt", "the combiner of BIP174 and 370: properties and fuzz tests hold the codec with it", []string{
			"Combine", "combine", "sameTransaction", "merge", "mapKind.mergeValue", "mapKind.mayDiffer", "fields.mergeModifiable",
			"modifiableOf", "conflict", "Packet.checkCombined", "ConflictError.Error", "ConflictError.Unwrap", "Input.signed", "combineModifiable",
		}},
	}
}

// What nothing reaches is removed or used: nothing that even tests do not reach
// stays, and what no program reaches is named above or is for tests. scripts/test
// runs this by itself.
func TestUnreached(t *testing.T) {
	if !*unreached {
		t.Skip("it takes a while: see the flag -unreached")
	}
	root := repository(t)
	for _, f := range deadcode(t, root, "-test", "./...") {
		t.Errorf("%s: not even a test reaches it", f)
	}
	for _, wrong := range unkept(deadcode(t, root, "./cmd/..."), keptFuncs()) {
		t.Error(wrong)
	}
	for _, wrong := range unlinked(links(t, root)) {
		t.Error(wrong)
	}
}

// deadcode lists functions that the main functions of packages do not reach,
// each as "package function".
func deadcode(t *testing.T, root string, args ...string) []string {
	t.Helper()
	args = append([]string{"tool", "deadcode", "-f", `{{$p := .Path}}{{range .Funcs}}{{println $p .Name}}{{end}}`}, args...)
	cmd := exec.Command("go", args...)
	cmd.Dir = root
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go %s: %v: %s", strings.Join(args, " "), err, stderr.String())
	}
	var found []string
	for line := range strings.Lines(string(out)) {
		if line = strings.TrimSpace(line); line != "" {
			found = append(found, strings.TrimPrefix(line, module+"/"))
		}
	}
	return found
}

// unkept compares what was found with the list, in both directions.
func unkept(found []string, list []kept) []string {
	var out []string
	known := map[string]bool{}
	for _, k := range list {
		for _, f := range k.funcs {
			name := k.pkg + " " + f
			if known[name] {
				out = append(out, fmt.Sprintf("%s: listed twice", name))
			}
			known[name] = true
			if !slices.Contains(found, name) {
				out = append(out, fmt.Sprintf("%s: listed as unreached, and it is reached or gone", name))
			}
		}
		if k.why == "" {
			out = append(out, fmt.Sprintf("%s: listed without a reason", k.pkg))
		}
	}
	for _, f := range found {
		pkg, _, _ := strings.Cut(f, " ")
		if !known[f] && !forTests(module+"/"+pkg) {
			out = append(out, fmt.Sprintf("%s: no program reaches it: remove it, use it, or say in test/arch why it stays", f))
		}
	}
	return out
}

// unlinked are packages that no program has, and that are not for tests.
func unlinked(pkgs []pkg) []string {
	has := map[string]bool{}
	for _, p := range pkgs {
		if p.room() == "cmd" {
			has[p.ImportPath] = true
			for _, d := range p.Deps {
				has[d] = true
			}
		}
	}
	var out []string
	for _, p := range pkgs {
		if !has[p.ImportPath] && !forTests(p.ImportPath) {
			out = append(out, fmt.Sprintf("%s: no program has it", p.ImportPath))
		}
	}
	return out
}

func forTests(importPath string) bool { return support(importPath) || twin(importPath) }

// Each rule, broken once.
func TestUnreachedIsHeld(t *testing.T) {
	list := []kept{{"api", "why", []string{"A", "T.B"}}}
	for _, c := range []struct {
		name  string
		found []string
		list  []kept
		want  int
	}{
		{"as listed", []string{"api A", "api T.B"}, list, 0},
		{"for tests", []string{"api A", "api T.B", "store/memstore Store.Walk", "test/sim f"}, list, 0},
		{"a new one", []string{"api A", "api T.B", "api C"}, list, 1},
		{"one of the same name elsewhere", []string{"api A", "api T.B", "app A"}, list, 1},
		{"one that is reached", []string{"api A"}, list, 1},
		{"twice", []string{"api A", "api T.B"}, append(list, kept{"api", "why", []string{"A"}}), 1},
		{"without a reason", []string{"api A"}, []kept{{"api", "", []string{"A"}}}, 1},
	} {
		if got := unkept(c.found, c.list); len(got) != c.want {
			t.Errorf("%s: %q, want %d", c.name, got, c.want)
		}
	}
	q := func(s string) string { return module + "/" + s }
	pkgs := []pkg{
		{ImportPath: q("cmd/node"), Deps: []string{"fmt", q("app")}}, {ImportPath: q("app")},
		{ImportPath: q("attic")}, {ImportPath: q("store/memstore")}, {ImportPath: q("test/e2e")},
	}
	if got := unlinked(pkgs); len(got) != 1 || !strings.HasPrefix(got[0], q("attic")) {
		t.Errorf("packages that no program has: %q", got)
	}
}
