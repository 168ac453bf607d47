package arch

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"slices"
	"strings"
	"testing"
)

// keyedPackages are those whose maps have a type of their own for the keys, so that
// the compiler takes none for the key of another map.
var keyedPackages = []string{"coordinator", "coordinator/group", "coordinator/ledger"}

// freeKeys are the fields of these packages whose maps have strings for keys, and why.
func freeKeys() map[string]string {
	return map[string]string{
		"Machine.invites":  "an invite's id is a text of its record's name, and is of no other map",
		"Machine.requests": "a request's id is any text that a caller of the API chose",
		"Machine.contents": "a request's id is any text that a caller of the API chose",
		"Machine.given":    "a request's id is any text that a caller of the API chose",
	}
}

func TestKeysOfMapsHaveTypes(t *testing.T) {
	root := repository(t)
	seen := map[string]bool{}
	for _, f := range sources(t, root) {
		if !slices.Contains(keyedPackages, path.Dir(f)) || strings.HasSuffix(f, "_test.go") {
			continue
		}
		free, elsewhere := stringKeyed(t, f, read(t, root, f))
		for _, at := range elsewhere {
			t.Errorf("%s: a map with strings for keys that is no field: give its keys a type", at)
		}
		for _, field := range free {
			if seen[field] = true; freeKeys()[field] == "" {
				t.Errorf("%s: %s has strings for keys: give them a type (package mapkey), or say here why not", f, field)
			}
		}
	}
	for field := range freeKeys() {
		if !seen[field] {
			t.Errorf("%s has no strings for keys any more", field)
		}
	}
}

func TestStringKeyedFindsThem(t *testing.T) {
	free, elsewhere := stringKeyed(t, "x.go", `package x
type T struct {
	a, b pmap.Map[string, int]
	c    pmap.Map[key, string]
}
func f(m pmap.Map[string, int]) { _ = pmap.Map[string, bool]{} }
`)
	if !slices.Equal(free, []string{"T.a", "T.b"}) || len(elsewhere) != 2 {
		t.Errorf("%v, %v", free, elsewhere)
	}
}

// stringKeyed returns the fields of a file's types that are maps with strings for
// keys, and where else the file names such a map.
func stringKeyed(t *testing.T, file, source string) (fields, elsewhere []string) {
	t.Helper()
	set := token.NewFileSet()
	f, err := parser.ParseFile(set, file, source, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	known := map[ast.Node]bool{}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.TypeSpec:
			of, ok := n.Type.(*ast.StructType)
			for i := 0; ok && i < len(of.Fields.List); i++ {
				if x := of.Fields.List[i]; isStringKeyed(x.Type) {
					known[x.Type] = true
					for _, name := range x.Names {
						fields = append(fields, n.Name.Name+"."+name.Name)
					}
				}
			}
		case *ast.IndexListExpr:
			if isStringKeyed(n) && !known[n] {
				elsewhere = append(elsewhere, fmt.Sprint(set.Position(n.Pos())))
			}
		}
		return true
	})
	return fields, elsewhere
}

func isStringKeyed(x ast.Expr) bool {
	of, ok := x.(*ast.IndexListExpr)
	if !ok {
		return false
	}
	m, ok := of.X.(*ast.SelectorExpr)
	key, text := of.Indices[0].(*ast.Ident)
	return ok && text && m.Sel.Name == "Map" && key.Name == "string"
}
