package mutate

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
)

// mutant is one change of a file: the bytes from one offset to another become text.
type mutant struct {
	name     string // file:function:operator
	from, to int
	text     string
	line     int
}

// mutants returns every change of a file's source, in order.
func mutants(file, source string) ([]mutant, error) {
	set := token.NewFileSet()
	f, err := parser.ParseFile(set, file, source, parser.SkipObjectResolution)
	if err != nil {
		return nil, fmt.Errorf("parse %s: %w", file, err)
	}
	var out []mutant
	seen := map[string]int{}
	for _, d := range f.Decls {
		in := name(d)
		put := func(at token.Pos, old, text string) {
			p := set.Position(at)
			op := fmt.Sprintf("%s:%s:%s to %s", file, in, old, text)
			if seen[op]++; seen[op] > 1 {
				op = fmt.Sprintf("%s #%d", op, seen[op])
			}
			out = append(out, mutant{op, p.Offset, p.Offset + len(old), text, p.Line})
		}
		ast.Inspect(d, func(n ast.Node) bool {
			for _, c := range changes(n) {
				put(c.at, c.old, c.text)
			}
			_, imports := n.(*ast.ImportSpec)
			return !imports
		})
	}
	return out, nil
}

// name is that of a function, with its receiver's type; "-" of what is outside of any.
func name(d ast.Decl) string {
	f, ok := d.(*ast.FuncDecl)
	if !ok {
		return "-"
	}
	if f.Recv == nil {
		return f.Name.Name
	}
	of := f.Recv.List[0].Type
	if s, ok := of.(*ast.StarExpr); ok {
		of = s.X
	}
	if id, ok := of.(*ast.Ident); ok {
		return id.Name + "." + f.Name.Name
	}
	return f.Name.Name
}

type change struct {
	at        token.Pos
	old, text string
}

// changes are those of one node alone.
func changes(n ast.Node) []change {
	var out []change
	swap := func(at token.Pos, op token.Token) {
		for to := range strings.FieldsSeq(swaps()[op.String()]) {
			out = append(out, change{at, op.String(), to})
		}
	}
	switch x := n.(type) {
	case *ast.BinaryExpr:
		swap(x.OpPos, x.Op)
	case *ast.AssignStmt:
		swap(x.TokPos, x.Tok)
	case *ast.IncDecStmt:
		swap(x.TokPos, x.Tok)
	case *ast.UnaryExpr:
		if x.Op == token.NOT || x.Op == token.SUB {
			out = append(out, change{x.OpPos, x.Op.String(), ""})
		}
	case *ast.BranchStmt:
		if x.Label == nil {
			swap(x.TokPos, x.Tok)
		}
	case *ast.Ident:
		if to, ok := map[string]string{"min": "max", "max": "min", "true": "false", "false": "true"}[x.Name]; ok {
			out = append(out, change{x.Pos(), x.Name, to})
		}
	case *ast.BasicLit:
		if x.Kind == token.INT {
			if n, err := strconv.ParseInt(x.Value, 0, 64); err == nil {
				out = append(out, change{x.Pos(), x.Value, fmt.Sprint(n + 1)}, change{x.Pos(), x.Value, fmt.Sprintf("(%d)", n-1)})
			}
		}
	}
	return out
}

// swaps says what an operator becomes, each in turn.
func swaps() map[string]string {
	return map[string]string{
		"==": "!=", "!=": "==", "<": "<= >=", "<=": "< >", ">": ">= <=", ">=": "> <",
		"+": "-", "-": "+", "*": "/", "/": "*", "%": "*", "&": "|", "|": "&", "^": "&", "&^": "&", "<<": ">>", ">>": "<<",
		"&&": "||", "||": "&&",
		"+=": "-=", "-=": "+=", "*=": "/=", "/=": "*=", "|=": "&=", "&=": "|=", "&^=": "|=", "<<=": ">>=", ">>=": "<<=",
		"++": "--", "--": "++",
		"break": "continue", "continue": "break",
	}
}

// equivalents reads which mutants behave like the source, and why: a line for each,
// file:function:operator:reason. An empty line, or one that begins with #, says nothing.
func equivalents(text string) (map[string]string, error) {
	out := map[string]string{}
	for i, l := range strings.Split(text, "\n") {
		if l = strings.TrimSpace(l); l == "" || l[0] == '#' {
			continue
		}
		p := strings.SplitN(l, ":", 4)
		if len(p) < 4 || strings.TrimSpace(p[3]) == "" {
			return nil, fmt.Errorf("line %d: %q is not file:function:operator:reason", i+1, l)
		}
		name := strings.Join(p[:3], ":")
		if _, ok := out[name]; ok {
			return nil, fmt.Errorf("line %d: %s is listed twice", i+1, name)
		}
		out[name] = strings.TrimSpace(p[3])
	}
	return out, nil
}
