package arch

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Every program is built for these systems (scripts/release). What one of them lacks is
// found here, without compiling hundreds of packages for each.
var systems = []string{"linux/amd64", "linux/arm64", "darwin/amd64", "darwin/arm64", "windows/amd64"}

// TestEverySystemHasAllNames checks the types of the project's own packages as each system
// builds them, and of nothing else, for names that no file declares there.
func TestEverySystemHasAllNames(t *testing.T) {
	for _, system := range systems {
		t.Run(system, func(t *testing.T) {
			t.Parallel()
			pkgs, err := listFor(system)
			if err != nil {
				t.Fatal(err)
			}
			if len(pkgs) < 30 {
				t.Fatalf("%d packages are listed only", len(pkgs))
			}
			for _, name := range lackingIn(pkgs) {
				t.Error(name)
			}
		})
	}
}

// sourcesOf is a package as one system builds it.
type sourcesOf struct {
	ImportPath, Dir, Name string
	GoFiles               []string
}

func (s sourcesOf) ours() bool {
	return s.ImportPath == module || strings.HasPrefix(s.ImportPath, module+"/") || strings.HasPrefix(s.ImportPath, "x/")
}

func listFor(system string) ([]sourcesOf, error) {
	goos, arch, _ := strings.Cut(system, "/")
	c := exec.Command("go", "list", "-deps", "-json=ImportPath,Dir,Name,GoFiles", "./...")
	c.Dir = "../.."
	c.Env = append(os.Environ(), "GOOS="+goos, "GOARCH="+arch, "CGO_ENABLED=0")
	c.Stderr = os.Stderr
	raw, err := c.Output()
	if err != nil {
		return nil, fmt.Errorf("list packages: %w", err)
	}
	var out []sourcesOf
	for d := json.NewDecoder(strings.NewReader(string(raw))); ; {
		var p sourcesOf
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return out, nil
		} else if err != nil {
			return nil, fmt.Errorf("list packages: %w", err)
		}
		if len(p.GoFiles) > 0 {
			out = append(out, p)
		}
	}
}

// own imports the packages of the project from their sources, and no others: what is
// taken from those is not looked at.
type own struct {
	of   map[string]sourcesOf
	done map[string]*types.Package
	fset *token.FileSet
	// foreign are the names of packages from elsewhere.
	foreign map[string]bool
	bad     []string
}

func (o *own) Import(path string) (*types.Package, error) {
	if p, ok := o.done[path]; ok {
		return p, nil
	}
	src, ok := o.of[path]
	if !ok || !src.ours() { // by its name alone, which its path does not tell
		p := types.NewPackage(path, cmp.Or(src.Name, filepath.Base(path)))
		p.MarkComplete()
		o.done[path], o.foreign[p.Name()] = p, true
		return p, nil
	}
	var files []*ast.File
	for _, name := range src.GoFiles {
		f, err := parser.ParseFile(o.fset, filepath.Join(src.Dir, name), nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, fmt.Errorf("parse %s: %w", name, err)
		}
		for _, i := range f.Imports {
			if to := strings.Trim(i.Path.Value, `"`); i.Name != nil && !o.of[to].ours() {
				o.foreign[i.Name.Name] = true
			}
		}
		files = append(files, f)
	}
	conf := types.Config{Importer: o, Error: func(err error) {
		if _, name, is := strings.Cut(err.Error(), "undefined: "); is {
			if of, _, qualified := strings.Cut(name, "."); qualified && o.foreign[of] {
				return
			}
			o.bad = append(o.bad, err.Error())
		}
	}}
	p, _ := conf.Check(path, o.fset, files, nil) // what it cannot know is no fault
	o.done[path] = p
	return p, nil
}

func lackingIn(pkgs []sourcesOf) []string {
	o := &own{of: map[string]sourcesOf{}, done: map[string]*types.Package{}, fset: token.NewFileSet(), foreign: map[string]bool{}}
	for _, p := range pkgs {
		o.of[p.ImportPath] = p
	}
	for _, p := range pkgs {
		if !p.ours() {
			continue
		}
		if _, err := o.Import(p.ImportPath); err != nil {
			o.bad = append(o.bad, err.Error())
		}
	}
	slices.Sort(o.bad)
	return slices.Compact(o.bad)
}

// A name that one file of a package uses and none declares is found, and one of another
// package of the project; what comes from elsewhere is not asked for.
func TestNamesThatASystemLacksAreFound(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"a.go": "package a\n\nimport \"os\"\n\nvar X = os.Nothing(lockName) + there\n\nvar there = 1\n",
		"b.go": "package b\n\nimport \"x/a\"\n\nvar Y = a.X + a.Z\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got := strings.Join(lackingIn([]sourcesOf{{"x/a", dir, "a", []string{"a.go"}}, {"x/b", dir, "b", []string{"b.go"}}}), "\n")
	if strings.Count(got, "undefined: ") != 2 || !strings.Contains(got, "undefined: lockName") || !strings.Contains(got, "undefined: a.Z") {
		t.Errorf("found\n%s", got)
	}
}
