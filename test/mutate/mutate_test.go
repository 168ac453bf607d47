package mutate

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

var (
	files  = flag.String("files", "", "files that are changed, as patterns from the root of the module, separated by commas")
	tests  = flag.String("tests", "", "packages whose tests are to find it, as ./path from the root, separated by commas")
	only   = flag.String("only", "", "mutants whose names have this in them")
	atOnce = flag.Int("at-once", 2, "mutants that are tried at a time")
)

// fate is what became of a mutant.
type fate string

const (
	found    fate = "found"
	broken   fate = "broken" // it does not compile
	survived fate = "survived"
)

// Every change of the files is found by the tests of the packages, or is listed as one that
// changes nothing.
func TestMutants(t *testing.T) {
	if *files == "" || *tests == "" {
		t.Skip("it takes minutes: see the flags -files and -tests")
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	list, err := equivalents(read(t, "equivalent.txt"))
	if err != nil {
		t.Fatalf("read equivalent.txt: %v", err)
	}
	source := map[string]string{}
	var all []*tried
	for _, f := range sources(t, root) {
		source[f] = read(t, filepath.Join(root, f))
		of, err := mutants(f, source[f])
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range of {
			all = append(all, &tried{mutant: m, file: f, number: len(all) + 1})
		}
		for name := range list {
			if strings.HasPrefix(name, f+":") && !slices.ContainsFunc(of, func(m mutant) bool { return m.name == name }) {
				t.Errorf("%s is listed, and is no mutant", name)
			}
		}
	}
	programs := buildAll(t, root, source, all)
	if f, out := programs.run(root, 0); f != survived {
		t.Fatalf("the tests fail without any change: %s", out)
	}
	var mu sync.Mutex
	count, next := map[fate]int{}, make(chan *tried)
	var wg sync.WaitGroup
	for range *atOnce {
		dir := t.TempDir()
		wg.Go(func() {
			for m := range next {
				if m.fate == "" && m.switched {
					m.fate, _ = programs.run(root, m.number)
				} else if m.fate == "" {
					m.fate = alone(root, dir, source[m.file], m)
				}
				mu.Lock()
				count[m.fate]++
				switch why, listed := list[m.name]; {
				case m.fate == survived && !listed:
					t.Errorf("survived: %s (line %d)", m.name, m.line)
				case m.fate != survived && listed:
					t.Errorf("%s, and listed (%s): %s", m.fate, why, m.name)
				}
				mu.Unlock()
			}
		})
	}
	for i, m := range all {
		if i%50 == 0 {
			t.Logf("%d of %d", i, len(all))
		}
		if strings.Contains(m.name, *only) {
			next <- m
		}
	}
	close(next)
	wg.Wait()
	t.Logf("%v of %d mutants; %d are listed", count, len(all), len(list))
}

// built are the tests of each package, as programs.
type built map[string]string

// buildAll builds the tests with all mutants that compile, each under its number.
func buildAll(t *testing.T, root string, source map[string]string, all []*tried) built {
	t.Helper()
	dir, programs := t.TempDir(), built{}
	for {
		overlay := map[string]string{}
		for f, s := range source {
			text, pkg, err := switched(f, s, all)
			if err != nil {
				t.Fatal(err)
			}
			at := filepath.Join(root, filepath.FromSlash(f))
			overlay[at] = "//line " + at + ":1\n" + text // what is wrong is said of this file
			overlay[filepath.Join(root, filepath.FromSlash(path.Dir(f)), "mutant_number.go")] = number(pkg)
		}
		out, ok := "", true
		for i, p := range strings.Split(*tests, ",") {
			programs[p] = filepath.Join(dir, fmt.Sprintf("tests%d.exe", i))
			if out, ok = build(root, dir, programs[p], p, overlay); !ok {
				break
			}
		}
		if ok {
			return programs
		}
		wrong := 0
		for _, m := range all {
			if m.fate == "" && m.switched && fails(out, m) {
				m.fate = broken
				wrong++
			}
		}
		if wrong == 0 {
			t.Fatalf("the tests do not compile: %s", out)
		}
	}
}

// fails says whether a compiler's complaints are about the copy of a mutant.
func fails(out string, m *tried) bool {
	for l := range strings.Lines(out) {
		file, rest, ok := strings.Cut(filepath.ToSlash(l), ".go:")
		number, _, _ := strings.Cut(rest, ":")
		if n, err := strconv.Atoi(number); ok && err == nil && strings.HasSuffix(file+".go", m.file) && n >= m.first && n <= m.last {
			return true
		}
	}
	return false
}

// build builds the tests of a package with other text in place of some files.
func build(root, dir, program, p string, files map[string]string) (string, bool) {
	replace, n := map[string]string{}, 0
	for f, text := range files {
		n++
		replace[f] = filepath.Join(dir, fmt.Sprintf("%d.go", n))
		if err := os.WriteFile(replace[f], []byte(text), 0o600); err != nil {
			return err.Error(), false
		}
	}
	b, err := json.Marshal(map[string]map[string]string{"Replace": replace})
	if err != nil {
		return err.Error(), false
	}
	over := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(over, b, 0o600); err != nil {
		return err.Error(), false
	}
	out, err := run(root, nil, "go", "test", "-c", "-gcflags=./...=-e", "-overlay", over, "-o", program, p)
	return out, err == nil
}

// run runs the tests with one mutant, or none.
func (b built) run(root string, mutant int) (fate, string) {
	for p, program := range b {
		if out, err := run(filepath.Join(root, p), []string{fmt.Sprintf("MUTANT=%d", mutant)}, program, "-test.short", "-test.failfast", "-test.timeout", "60s"); err != nil {
			return found, out
		}
	}
	return survived, ""
}

// alone builds and runs the tests with one mutant that cannot be chosen in a program.
func alone(root, dir, source string, m *tried) fate {
	b := built{}
	for p := range strings.SplitSeq(*tests, ",") {
		b[p] = filepath.Join(dir, "alone.exe")
		changed := map[string]string{filepath.Join(root, filepath.FromSlash(m.file)): source[:m.from] + m.text + source[m.to:]}
		if _, ok := build(root, dir, b[p], p, changed); !ok {
			return broken
		}
		if f, _ := (built{p: b[p]}).run(root, 0); f == found {
			return found
		}
	}
	return survived
}

func run(dir string, env []string, name string, args ...string) (string, error) {
	var out bytes.Buffer
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &out, &out
	cmd.Env = append(os.Environ(), "RAPID_NOFAILFILE=1", "RAPID_SHRINKTIME=10ms")
	cmd.Env = append(cmd.Env, env...)
	err := cmd.Run()
	if err != nil {
		err = fmt.Errorf("run %s: %w", name, err)
	}
	return out.String(), err
}

// sources are the files that are changed, from the root, with slashes.
func sources(t *testing.T, root string) []string {
	t.Helper()
	var out []string
	for p := range strings.SplitSeq(*files, ",") {
		found, err := filepath.Glob(filepath.Join(root, p))
		if err != nil || len(found) == 0 {
			t.Fatalf("no file is like %s: %v", p, err)
		}
		for _, f := range found {
			rel, err := filepath.Rel(root, f)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasSuffix(rel, "_test.go") {
				out = append(out, filepath.ToSlash(rel))
			}
		}
	}
	return out
}

func read(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestMutantsOfSource(t *testing.T) {
	const source = `package p

import "a1"

const n = 3

func (x *t) f(a, b int) bool {
	if a < b && !g(min(a, 1)) {
		a += b
		return true
	}
	for {
		break
	}
	return a-b == 0
}
`
	all, err := mutants("p/a.go", source)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range all {
		got = append(got, strings.TrimPrefix(m.name, "p/a.go:"))
		if !strings.Contains(m.name, source[m.from:m.to]) || strings.Count(source[:m.from], "\n") != m.line-1 {
			t.Errorf("%s is at %q in line %d", m.name, source[m.from:m.to], m.line)
		}
	}
	want := []string{
		"-:3 to 4", "-:3 to (2)",
		"t.f:&& to ||", "t.f:< to <=", "t.f:< to >=", "t.f:! to ", "t.f:min to max", "t.f:1 to 2", "t.f:1 to (0)",
		"t.f:+= to -=", "t.f:true to false", "t.f:break to continue", "t.f:== to !=", "t.f:- to +", "t.f:0 to 1", "t.f:0 to (-1)",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q\nwant %q", got, want)
	}
	if _, err := mutants("p/a.go", "package"); err == nil {
		t.Error("what is no source has mutants")
	}
}

// One program has all mutants of functions, and takes the one whose number it is told.
func TestSwitched(t *testing.T) {
	const source = "package p\n\nconst n = 3\n\nfunc (x *t) f(a int, b ...int) bool {\n\treturn a < len(b)\n}\n\nfunc g(_ int) { h(1) }\n\nfunc h(a int) { a++ }\n"
	of, err := mutants("p/a.go", source)
	if err != nil {
		t.Fatal(err)
	}
	var all []*tried
	for i, m := range of {
		all = append(all, &tried{mutant: m, file: "p/a.go", number: i + 1})
	}
	text, pkg, err := switched("p/a.go", source, all)
	if err != nil || pkg != "p" {
		t.Fatal(pkg, err)
	}
	for _, m := range all {
		lines := strings.Split(text, "\n")
		if copied := strings.Contains(m.name, ":t.f:") || strings.Contains(m.name, ":h:"); m.switched != copied {
			t.Errorf("%s is a copy: %v", m.name, m.switched)
		} else if copied && (!strings.Contains(lines[m.first-1], fmt.Sprintf("_%d(", m.number)) || !strings.HasSuffix(lines[m.last-1], "}")) {
			t.Errorf("%s is not in lines %d to %d of\n%s", m.name, m.first, m.last, text)
		}
	}
	for _, want := range []string{"{ switch mutantNumber { case 3: return x.f_3(a, b...); case 4:", "func h(a int) { switch mutantNumber { case 7: h_7(a); return; };"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	m := all[2]
	for out, want := range map[string]bool{
		fmt.Sprintf("# p\np/a.go:%d:3: wrong", m.first): true, fmt.Sprintf("p/a.go:%d:3: wrong", m.last+1): false, fmt.Sprintf("p/b.go:%d:3: wrong", m.first): false,
	} {
		if fails(out, m) != want {
			t.Errorf("%q is about it: %v", out, !want)
		}
	}
}

func TestEquivalents(t *testing.T) {
	got, err := equivalents("# why\n\na.go:f:< to <=:it is never equal: see g\na.go:f:< to <= #2:the same\n")
	if err != nil || len(got) != 2 || got["a.go:f:< to <="] != "it is never equal: see g" {
		t.Errorf("%v %v", got, err)
	}
	for _, text := range []string{"a.go:f:<", "a.go:f:<:", "a.go:f:<:why\na.go:f:<:why"} {
		if _, err := equivalents(text); err == nil {
			t.Errorf("%q is read", text)
		}
	}
}
