// Package arch holds the arrows between the rooms of the project (see
// docs/architecture.md) and a few rules of its source, by reading it. Each rule
// is broken once here, with made-up packages and files.
package arch

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// module is the import path before every package of the project.
const module = "github.com/quorate/quorate"

// The import rules, over every file whatever its build tags, and over the
// packages that are linked in by way of others.
func TestArrows(t *testing.T) {
	root := repository(t)
	pkgs := packages(t, root)
	for name := range rooms() {
		if !slices.ContainsFunc(pkgs, func(p pkg) bool { return p.room() == name }) {
			t.Errorf("room %s has no package: this test looks at the wrong tree", name)
		}
	}
	for _, b := range arrows(pkgs) {
		t.Error(b)
	}
	linked := 0
	for _, p := range links(t, root) {
		linked += len(p.Deps)
		for _, b := range p.linked() {
			t.Error(b)
		}
	}
	if linked == 0 {
		t.Error("no package links another: this test looks at nothing")
	}
}

// The rules of single files.
func TestSource(t *testing.T) {
	root := repository(t)
	files := 0
	for _, f := range sources(t, root) {
		b, err := os.ReadFile(filepath.Join(root, f))
		if err != nil {
			t.Fatal(err)
		}
		files++
		for _, wrong := range inspect(t, f, string(b)) {
			t.Error(wrong)
		}
	}
	if files < 100 {
		t.Errorf("only %d files were found: this test looks at the wrong tree", files)
	}
}

// repository is the root of the module.
func repository(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		up := filepath.Dir(dir)
		if up == dir {
			t.Fatal("no go.mod above the test")
		}
		dir = up
	}
}

// sources are all Go files of the module, with slashes, relative to its root.
func sources(t *testing.T, root string) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() && p != root && (name == "testdata" || name == "vendor" || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_")) {
			return fs.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(name, ".go") {
			return nil
		}
		rel, err := filepath.Rel(root, p)
		out = append(out, filepath.ToSlash(rel))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// packages reads the imports of every file.
func packages(t *testing.T, root string) []pkg {
	t.Helper()
	by := map[string]*pkg{}
	for _, f := range sources(t, root) {
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, f), nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		at := path.Join(module, path.Dir(f))
		p := by[at]
		if p == nil {
			p = &pkg{ImportPath: at}
			by[at] = p
		}
		for _, i := range file.Imports {
			imported, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasSuffix(f, "_test.go") {
				p.TestImports = append(p.TestImports, imported)
			} else {
				p.Imports = append(p.Imports, imported)
			}
		}
	}
	var out []pkg
	for _, p := range by {
		slices.Sort(p.Imports)
		slices.Sort(p.TestImports)
		p.Imports, p.TestImports = slices.Compact(p.Imports), slices.Compact(p.TestImports)
		out = append(out, *p)
	}
	slices.SortFunc(out, func(a, b pkg) int { return strings.Compare(a.ImportPath, b.ImportPath) })
	return out
}

// links asks the go command what each package is linked with.
func links(t *testing.T, root string) []pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Deps", "./...")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			err = fmt.Errorf("%w: %s", err, exit.Stderr)
		}
		t.Fatalf("go list: %v", err)
	}
	var pkgs []pkg
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		err := dec.Decode(&p)
		if errors.Is(err, io.EOF) {
			return pkgs
		}
		if err != nil {
			t.Fatalf("read go list: %v", err)
		}
		pkgs = append(pkgs, p)
	}
}

// largestFile bounds what is kept in the repository: source, not what is built from it.
const largestFile = 640 << 10

// No executable or other large file is committed by a slip.
func TestNothingBuiltIsKept(t *testing.T) {
	root := repository(t)
	if !inGit(root) {
		t.Skip("not a git checkout: nobody can say which files are kept")
	}
	out, err := exec.Command("git", "-C", root, "ls-files", "-z").Output()
	if err != nil {
		t.Fatal(err)
	}
	names := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
	if len(names) < 100 {
		t.Errorf("only %d files are kept: this test looks at the wrong tree", len(names))
	}
	for _, wrong := range tooLarge(root, names) {
		t.Error(wrong)
	}
	big := t.TempDir()
	if err := os.WriteFile(filepath.Join(big, "node"), make([]byte, largestFile+1), 0o700); err != nil {
		t.Fatal(err)
	}
	if len(tooLarge(big, []string{"node"})) != 1 {
		t.Error("a large file is not found")
	}
}

func inGit(root string) bool {
	_, err := os.Stat(filepath.Join(root, ".git"))
	return err == nil
}

func tooLarge(root string, names []string) []string {
	var out []string
	for _, n := range names {
		if info, err := os.Lstat(filepath.Join(root, n)); err == nil && info.Size() > largestFile {
			out = append(out, fmt.Sprintf("%s has %d bytes, at most %d", n, info.Size(), largestFile))
		}
	}
	return out
}
