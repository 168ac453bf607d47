package arch

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// graph is which files of a package use what which others declare.
type graph map[string]map[string]bool

// knot is how a package hangs together: its files, how many arrows lead from one
// to another, and how many of them are in the largest circle.
type knot struct {
	files, arrows, circle int
}

func (k knot) perFile() float64 { return float64(k.arrows) / float64(k.files) }

// mostInCircle bounds how many files of one package refer to each other in a
// circle. A room that grows beyond opens another one.
const mostInCircle = 12

// mostArrows bounds how many other files one refers to, on average, where what is
// decided stands: it was a knot once.
const mostArrows = 5.0

// TestCircles: no package is a knot. It counts from go/types, and prints.
func TestCircles(t *testing.T) {
	graphs, err := fileGraphs()
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range slices.Sorted(maps.Keys(graphs)) {
		k := graphs[path].knot()
		if k.files == 0 {
			continue // tests alone
		}
		t.Logf("%-28s %3d files, %4.1f arrows a file, %3d in a circle", path, k.files, k.perFile(), k.circle)
		if k.circle > mostInCircle {
			t.Errorf("%s: %d files refer to each other in a circle, %d at most", path, k.circle, mostInCircle)
		}
		if in := path == "coordinator" || strings.HasPrefix(path, "coordinator/"); in && k.perFile() > mostArrows {
			t.Errorf("%s: a file refers to %.1f others, %.1f at most", path, k.perFile(), mostArrows)
		}
	}
	if graphs["coordinator/group"].knot().arrows == 0 {
		t.Error("no arrow in coordinator/group: this test looks at nothing")
	}
}

// fileGraphs typechecks each package of the module.
func fileGraphs() (map[string]graph, error) {
	type listed struct {
		ImportPath, Dir, Export string
		GoFiles                 []string
	}
	c := exec.Command("go", "list", "-export", "-deps", "-json=ImportPath,Dir,Export,GoFiles", "./...")
	c.Dir = "../.."
	c.Stderr = os.Stderr
	raw, err := c.Output()
	if err != nil {
		return nil, fmt.Errorf("list packages: %w", err)
	}
	exports := map[string]string{}
	var ours []listed
	for d := json.NewDecoder(bytes.NewReader(raw)); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, fmt.Errorf("list packages: %w", err)
		}
		exports[p.ImportPath] = p.Export
		if strings.HasPrefix(p.ImportPath, module+"/") {
			ours = append(ours, p)
		}
	}
	out := map[string]graph{}
	for _, p := range ours {
		fset := token.NewFileSet()
		find := func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) }
		g, err := fileGraph(fset, importer.ForCompiler(fset, "gc", find), p.ImportPath, p.Dir, p.GoFiles)
		if err != nil {
			return nil, err
		}
		out[strings.TrimPrefix(p.ImportPath, module+"/")] = g
	}
	return out, nil
}

func fileGraph(fset *token.FileSet, from types.Importer, path, dir string, names []string) (graph, error) {
	g := graph{}
	var files []*ast.File
	for _, name := range names {
		f, err := parser.ParseFile(fset, filepath.Join(dir, name), nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, fmt.Errorf("parse %s: %w", name, err)
		}
		files = append(files, f)
		g[name] = map[string]bool{}
	}
	info := &types.Info{Uses: map[*ast.Ident]types.Object{}}
	conf := types.Config{Importer: from}
	pkg, err := conf.Check(path, fset, files, info)
	if err != nil {
		return nil, fmt.Errorf("check %s: %w", path, err)
	}
	file := func(p token.Pos) string { return filepath.Base(fset.Position(p).Filename) }
	for id, o := range info.Uses {
		if o.Pkg() != pkg || !o.Pos().IsValid() {
			continue
		}
		if a, b := file(id.Pos()), file(o.Pos()); a != b {
			g[a][b] = true
		}
	}
	return g, nil
}

// knot counts.
func (g graph) knot() knot {
	k := knot{files: len(g)}
	for _, to := range g {
		k.arrows += len(to)
	}
	for _, c := range g.circles() {
		if len(c) > 1 {
			k.circle = max(k.circle, len(c))
		}
	}
	return k
}

// circles returns the strongly connected parts of a graph (Tarjan 1972).
func (g graph) circles() [][]string {
	var out [][]string
	var stack []string
	index, low, on := map[string]int{}, map[string]int{}, map[string]bool{}
	var visit func(string)
	visit = func(a string) {
		index[a] = len(index) + 1
		low[a] = index[a]
		stack = append(stack, a)
		on[a] = true
		for b := range g[a] {
			if index[b] == 0 {
				visit(b)
				low[a] = min(low[a], low[b])
			} else if on[b] {
				low[a] = min(low[a], index[b])
			}
		}
		if low[a] != index[a] {
			return
		}
		at := slices.Index(stack, a)
		out = append(out, slices.Clone(stack[at:]))
		for _, b := range stack[at:] {
			on[b] = false
		}
		stack = stack[:at]
	}
	for _, a := range slices.Sorted(maps.Keys(g)) {
		if index[a] == 0 {
			visit(a)
		}
	}
	return out
}

func TestCirclesAreCounted(t *testing.T) {
	g := graph{"a": {"b": true, "d": true}, "b": {"c": true}, "c": {"a": true}, "d": {}, "e": {"a": true}}
	if k := g.knot(); k != (knot{files: 5, arrows: 5, circle: 3}) {
		t.Errorf("counted %+v", k)
	}
	if k := (graph{"a": {"b": true}, "b": {}}).knot(); k.circle != 0 {
		t.Errorf("a circle of %d without one", k.circle)
	}
}
