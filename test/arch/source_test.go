package arch

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// maxLines is where a file holds two things.
const maxLines = 500

// inspect returns the breaches of one file, named by its path from the root.
func inspect(t *testing.T, file, source string) []string {
	t.Helper()
	set := token.NewFileSet()
	f, err := parser.ParseFile(set, file, source, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	say := func(at token.Pos, format string, args ...any) {
		out = append(out, fmt.Sprintf("%s: %s", set.Position(at), fmt.Sprintf(format, args...)))
	}
	base := strings.TrimSuffix(strings.TrimSuffix(path.Base(file), ".go"), "_test")
	if slices.Contains([]string{"util", "utils", "common", "helper", "helpers", "types", "manager", "misc"}, base) {
		say(f.Package, "a file is named after what it holds")
	}
	if n := strings.Count(source, "\n"); n > maxLines {
		say(f.Package, "%d lines, at most %d", n, maxLines)
	}
	isTest := strings.HasSuffix(file, "_test.go")
	names := map[string]string{} // in this file -> import path
	for _, i := range f.Imports {
		imported, err := strconv.Unquote(i.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		name := path.Base(imported)
		if i.Name != nil {
			name = i.Name.Name
		}
		if name == "." {
			say(i.Pos(), "%s is imported without a name, which hides what is used of it", imported)
		}
		names[name] = imported
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch x := n.(type) {
		case *ast.FuncDecl:
			if x.Recv == nil && x.Name.Name == "init" {
				say(x.Pos(), "init runs on import: pass what it makes instead")
			}
		case *ast.SelectorExpr:
			id, ok := x.X.(*ast.Ident)
			if !ok {
				return true
			}
			switch from, what := names[id.Name], x.Sel.Name; {
			case from == "log" && strings.HasPrefix(what, "Fatal"), from == "os" && what == "Exit", from == "runtime" && what == "Goexit":
				// A test's own process may end itself, to play one that is killed.
				if !isTest && !command(file) {
					say(x.Pos(), "%s.%s ends the process: only a command may", id.Name, what)
				}
			case from == "time" && what == "Sleep":
				if isTest || support(path.Join(module, path.Dir(file))) {
					say(x.Pos(), "a test that sleeps is slow, and fails on a slow machine: wait for what it waits for")
				}
			}
		}
		return true
	})
	return out
}

// Each rule, broken once.
func TestSourceRulesAreHeld(t *testing.T) {
	for _, c := range []struct {
		file, source string
		want         int
	}{
		{"wallet/a.go", "package wallet\n\nfunc f() {}\n", 0},
		{"wallet/a.go", "package wallet\n\nfunc init() {}\n", 1},
		{"wallet/a_test.go", "package wallet\n\nfunc init() {}\n", 1},
		{"wallet/a.go", "package wallet\n\ntype t int\n\nfunc (t) init() {}\n", 0},
		{"app/a.go", "package app\n\nimport \"os\"\n\nfunc f() { os.Exit(1) }\n", 1},
		{"app/a.go", "package app\n\nimport sys \"os\"\n\nfunc f() { sys.Exit(1) }\n", 1},
		{"app/a.go", "package app\n\nimport \"os\"\n\nvar f = os.Exit\n", 1},
		{"app/a.go", "package app\n\nimport . \"os\"\n\nfunc f() { Exit(1) }\n", 1},
		{"app/a.go", "package app\n\nimport \"os\"\n\nfunc f() { os.Remove(\"x\") }\n", 0},
		{"cmd/node/main.go", "package main\n\nimport \"os\"\n\nfunc main() { os.Exit(0) }\n", 0},
		{"test/cost/probe/main.go", "package main\n\nimport \"os\"\n\nfunc main() { os.Exit(0) }\n", 0},
		{"test/cost/a.go", "package cost\n\nimport \"os\"\n\nfunc f() { os.Exit(0) }\n", 1},
		{"store/a_test.go", "package store\n\nimport \"os\"\n\nfunc f() { os.Exit(0) }\n", 0},
		{"app/a.go", "package app\n\nimport \"log\"\n\nfunc f() { log.Fatalf(\"x\") }\n", 1},
		{"app/a.go", "package app\n\nimport \"log\"\n\nfunc f() { log.Fatal(\"x\") }\n", 1},
		{"app/a.go", "package app\n\nimport \"log\"\n\nfunc f() { log.Println(\"x\") }\n", 0},
		{"p2p/a_test.go", "package p2p\n\nimport \"time\"\n\nfunc f() { time.Sleep(1) }\n", 1},
		{"p2p/a_test.go", "package p2p\n\nimport clock \"time\"\n\nfunc f() { clock.Sleep(1) }\n", 1},
		{"p2p/a_test.go", "package p2p\n\nimport \"time\"\n\nfunc f() { go time.Sleep(1) }\n", 1},
		{"p2p/p2ptest/a.go", "package p2ptest\n\nimport \"time\"\n\nfunc f() { time.Sleep(1) }\n", 1},
		{"p2p/a.go", "package p2p\n\nimport \"time\"\n\nfunc f() { time.Sleep(1) }\n", 0},
		{"p2p/a_test.go", "package p2p\n\n// time.Sleep is not used.\nconst s = \"time.Sleep(1)\"\n", 0},
		{"p2p/util.go", "package p2p\n", 1},
		{"p2p/helpers_test.go", "package p2p\n", 1},
		{"p2p/a.go", "package p2p\n" + strings.Repeat("\n", maxLines-1), 0},
		{"p2p/a.go", "package p2p\n" + strings.Repeat("\n", maxLines), 1},
	} {
		if got := inspect(t, c.file, c.source); len(got) != c.want {
			t.Errorf("%s: %d breaches %q, want %d in:\n%.200s", c.file, len(got), got, c.want, c.source)
		}
	}
}

// command says whether a file is of a program: the project's own, or one that a
// test builds and runs.
func command(file string) bool {
	return strings.HasPrefix(file, "cmd/") || strings.HasPrefix(file, "test/cost/probe/")
}
