package reason

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"

	"github.com/quorate/quorate/coordinator/refusal"
)

// constants reads the codes of a file whose names begin with some prefix.
func constants(t *testing.T, file string, prefixes ...string) (out []string) {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(f, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) != len(spec.Names) {
			return true
		}
		for i, name := range spec.Names {
			for _, p := range prefixes {
				lit, text := spec.Values[i].(*ast.BasicLit)
				if !text || lit.Kind != token.STRING || !strings.HasPrefix(name.Name, p) {
					continue
				}
				code, err := strconv.Unquote(lit.Value)
				if err != nil {
					t.Fatal(err)
				}
				out = append(out, code)
			}
		}
		return true
	})
	return out
}

// TestEveryCodeSaysSomething walks the constants of all who write codes: none is forgotten,
// and nothing is in the table that nobody writes.
func TestEveryCodeSaysSomething(t *testing.T) {
	codes := constants(t, "../../policy/verdict.go", "Reason")
	codes = append(codes, constants(t, "../robot/said.go", "Reason")...)
	codes = append(codes, constants(t, "../robot/unready.go", "Unready", "Refused")...)
	if len(codes) < 34 {
		t.Fatalf("%d codes were found: are they somewhere else?", len(codes))
	}
	wanted := map[string]bool{}
	for _, c := range codes {
		wanted[c] = true
	}
	listed := map[string]bool{}
	for _, r := range table() {
		if listed[string(r.code)] {
			t.Errorf("%s is there twice", r.code)
		}
		if listed[string(r.code)] = true; !wanted[string(r.code)] {
			t.Errorf("nobody writes %s", r.code)
		}
	}
	for c := range wanted {
		if !listed[c] {
			t.Errorf("nothing is said of %s", c)
		}
	}
	for _, g := range refusal.Codes() {
		for _, c := range g.Codes {
			codes = append(codes, c.Name)
		}
	}
	for _, c := range codes {
		if says := Says(c); says == "" || strings.Contains(says, "does not know") && strings.Contains(says, c) || strings.HasSuffix(says, ".") {
			t.Errorf("%s: %q is no clause of it", c, says)
		}
	}
	if got := Says("of_tomorrow"); !strings.Contains(got, "of_tomorrow") {
		t.Errorf("an unknown code is hidden: %q", got)
	}
}
