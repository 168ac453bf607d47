package service_test

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/coordinator/refusal"
)

var updateCodes = flag.Bool("update", false, "write api/codes.go anew")

// calls makes an error of the API; the first argument of each is its code.
var calls = []string{"Fail", "Misuse", "Missing", "Refuse", "Unreachable", "TimedOut"}

// files are the parsed files of a folder, without its tests.
func files(t *testing.T, dir string) []*ast.File {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(names) == 0 {
		t.Fatalf("%s: %v, %v", dir, names, err)
	}
	var out []*ast.File
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, f)
	}
	return out
}

// codesIn are the codes that a folder's code gives to errors.
func codesIn(t *testing.T, dir string, to map[string]bool) {
	t.Helper()
	for _, f := range files(t, dir) {
		ast.Inspect(f, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) == 0 {
				return true
			}
			name := ""
			switch x := call.Fun.(type) {
			case *ast.SelectorExpr:
				name = x.Sel.Name
			case *ast.Ident:
				name = x.Name
			}
			if lit, ok := call.Args[0].(*ast.BasicLit); ok && lit.Kind == token.STRING && slices.Contains(calls, name) {
				code, err := strconv.Unquote(lit.Value)
				if err != nil {
					t.Fatal(err)
				}
				if !strings.HasSuffix(code, "_") {
					to[code] = true
				}
			}
			return true
		})
	}
}

// constantsIn are the strings of the constants of a folder whose names begin so.
func constantsIn(t *testing.T, dir, prefix string) []string {
	t.Helper()
	found := map[string]bool{}
	for _, f := range files(t, dir) {
		for _, d := range f.Decls {
			gen, ok := d.(*ast.GenDecl)
			if !ok || gen.Tok != token.CONST {
				continue
			}
			for _, s := range gen.Specs {
				v, ok := s.(*ast.ValueSpec)
				if !ok || !strings.HasPrefix(v.Names[0].Name, prefix) || len(v.Values) != 1 {
					continue
				}
				if lit, ok := v.Values[0].(*ast.BasicLit); ok && lit.Kind == token.STRING {
					text, err := strconv.Unquote(lit.Value)
					if err != nil {
						t.Fatal(err)
					}
					found[text] = true
				}
			}
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// The document lists every code that the API answers with: those of its own and of
// what serves it, the names of the rules, the ends of a proposal, and the alarms.
func TestCodesAreListed(t *testing.T) {
	codes := map[string]bool{"unknown_proposal": true} // made of its parts
	codesIn(t, "../api", codes)
	codesIn(t, ".", codes)
	for _, g := range refusal.Codes() {
		for _, c := range g.Codes {
			codes[c.Name] = true
		}
	}
	var alarms []string // of wallets, and of the node itself
	for _, dir := range []string{"../coordinator", "../coordinator/group", "../app"} {
		alarms = append(alarms, constantsIn(t, dir, "Alarm")...)
	}
	slices.Sort(alarms)
	for _, c := range append(constantsIn(t, "../api", "Status"), alarms...) {
		codes[c] = true
	}
	all := slices.Sorted(maps.Keys(codes))
	if *updateCodes {
		write(t, all, alarms)
		return
	}
	if got := api.Codes(); !slices.Equal(got, all) {
		t.Errorf("api/codes.go lists other codes than there are: write it anew with go test ./service -run TestCodesAreListed -update")
	}
	if got := api.AlarmCodes(); !slices.Equal(got, alarms) {
		t.Errorf("the alarms are %v, not %v", alarms, got)
	}
	if len(all) < 100 || len(alarms) < 19 {
		t.Errorf("%d codes and %d alarms were found", len(all), len(alarms))
	}
}

func write(t *testing.T, all, alarms []string) {
	t.Helper()
	var b strings.Builder
	b.WriteString("package api\n\n// This file is written by `go test ./service -run TestCodesAreListed -update`.\n")
	list := func(doc, name string, words []string) {
		fmt.Fprintf(&b, "\n// %s %s\nfunc %s() []string {\n\treturn []string{\n", name, doc, name)
		for _, w := range words {
			fmt.Fprintf(&b, "\t\t%q,\n", w)
		}
		b.WriteString("\t}\n}\n")
	}
	list("are all codes of errors and warnings, sorted.", "Codes", all)
	list("are the codes of alarms, sorted.", "AlarmCodes", alarms)
	if err := os.WriteFile("../api/codes.go", []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
}
