package arch

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// kinds are the names of the forms: of the constants that stand for them, and
// what they say.
type kinds struct{ names, values []string }

// What depends on the kind of script sits behind wallet.Form, in files named
// after the forms: nobody else names a kind or asks which one it is.
func TestForms(t *testing.T) {
	root := repository(t)
	known := scriptKinds(t, read(t, root, "wallet/form.go"))
	if len(known.names) < 2 || len(known.names) != len(known.values) {
		t.Fatalf("the forms are %v: this test looks at the wrong file", known)
	}
	for _, f := range sources(t, root) {
		for _, wrong := range switches(t, f, read(t, root, f), known) {
			t.Error(wrong)
		}
	}
}

// scriptKinds reads the constants of the script types.
func scriptKinds(t *testing.T, source string) kinds {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), "form.go", source, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	var out kinds
	ast.Inspect(f, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if of, ok := spec.Type.(*ast.Ident); !ok || of.Name != "ScriptType" {
			return false
		}
		for i, name := range spec.Names {
			if text, ok := literal(spec.Values[i]); ok {
				out.names, out.values = append(out.names, name.Name), append(out.values, text)
			}
		}
		return false
	})
	return out
}

// switches returns where a file asks which kind of script it is: it names a
// constant of one, or a form's own type, compares with a kind's text, looks it
// up, or looks for a form's expression in a descriptor's text. Tests may, and
// what they rest on, and the language of descriptors, which is no form's.
func switches(t *testing.T, file, source string, known kinds) []string {
	t.Helper()
	own := path.Dir(file) == "wallet" && strings.HasPrefix(path.Base(file), "form")
	if own || strings.HasSuffix(file, "_test.go") || support(path.Join(module, path.Dir(file))) {
		return nil
	}
	language := file == "wallet/descriptor_expr.go" || file == "wallet/descriptor_script.go"
	set := token.NewFileSet()
	f, err := parser.ParseFile(set, file, source, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	say := func(at token.Pos, what string) {
		out = append(out, fmt.Sprintf("%s: %s: what depends on the kind of script is the form's (wallet.Form)", set.Position(at), what))
	}
	kind := func(exprs ...ast.Expr) {
		for _, e := range exprs {
			if text, ok := literal(e); ok && slices.Contains(known.values, text) && !language {
				say(e.Pos(), "asks for the kind "+text)
			}
		}
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch x := n.(type) {
		case *ast.Ident:
			if slices.Contains(known.names, x.Name) {
				say(x.Pos(), "names "+x.Name)
			}
		case *ast.BinaryExpr:
			if x.Op == token.EQL || x.Op == token.NEQ {
				kind(x.X, x.Y)
			}
		case *ast.CaseClause:
			kind(x.List...)
		case *ast.IndexExpr:
			kind(x.Index)
		case *ast.KeyValueExpr:
			kind(x.Key)
		case *ast.TypeAssertExpr:
			if id, ok := x.Type.(*ast.Ident); ok && path.Dir(file) == "wallet" && slices.Contains(known.values, id.Name) {
				say(x.Pos(), "asks for the form "+id.Name)
			}
		case *ast.CallExpr:
			if sel, ok := x.Fun.(*ast.SelectorExpr); ok {
				if id, ok := sel.X.(*ast.Ident); ok && id.Name == "strings" {
					for _, arg := range x.Args {
						if text, ok := literal(arg); ok && (strings.Contains(text, "multi(") || strings.Contains(text, "wsh(")) {
							say(arg.Pos(), "looks for "+text+" in a text")
						}
					}
				}
			}
		}
		return true
	})
	return out
}

func literal(e ast.Expr) (string, bool) {
	lit, ok := e.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return "", false
	}
	text, err := strconv.Unquote(lit.Value)
	return text, err == nil
}

// Each rule, broken once.
func TestFormRulesAreHeld(t *testing.T) {
	known := kinds{[]string{"ScriptWSH"}, []string{"wsh"}}
	for _, c := range []struct {
		file, body string
		want       int
	}{
		{"app/a.go", "if st == wallet.ScriptWSH {}", 1},
		{"app/a.go", "st = wallet.ScriptWSH", 1},
		{"app/a.go", "st = wallet.DefaultScript", 0},
		{"app/a.go", "switch st { case wallet.ScriptWSH: }", 1},
		{"app/a.go", "switch st { case \"wsh\": }", 1},
		{"app/a.go", "if \"wsh\" != st {}", 1},
		{"app/a.go", "x := map[string]int{\"wsh\": 1}[st]", 1},
		{"app/a.go", "x := m[\"wsh\"]", 1},
		{"app/a.go", "x := strings.Contains(s, \"sortedmulti(\")", 1},
		{"app/a.go", "x := \"wsh\"", 0},
		{"app/a.go", "if st == other {}", 0},
		{"wallet/a.go", "if st == ScriptWSH {}", 1},
		{"wallet/a.go", "if _, ok := f.(wsh); ok {}", 1},
		{"wallet/form_wsh.go", "if st == ScriptWSH {}", 0},
		{"wallet/formats/form.go", "if st == wallet.ScriptWSH {}", 1},
		{"wallet/descriptor_expr.go", "if e.fn == \"wsh\" {}", 0},
		{"wallet/descriptor_expr.go", "if st == ScriptWSH {}", 1},
		{"wallet/a_test.go", "if st == ScriptWSH {}", 0},
		{"test/sim/a.go", "st = wallet.ScriptWSH", 0},
	} {
		name := filepath.Base(path.Dir(c.file))
		source := "package " + name + "\n\nfunc f() { " + c.body + " }\n"
		if got := switches(t, c.file, source, known); len(got) != c.want {
			t.Errorf("%s: %s: %d breaches %q, want %d", c.file, c.body, len(got), got, c.want)
		}
	}
}

// A request names the forms that there are.
func TestFormsOfTheAPI(t *testing.T) {
	known := scriptKinds(t, read(t, repository(t), "wallet/form.go"))
	source := read(t, repository(t), "api/request.go")
	if want := `enum:"` + strings.Join(known.values, ",") + `"`; !strings.Contains(source, want) {
		t.Errorf("api/request.go does not say %s", want)
	}
}
