package mutate

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
)

// tried is a mutant of a file, with its number in the program, and what became of it.
type tried struct {
	mutant
	file     string
	number   int
	switched bool // it is a copy of its function in the program that is built once
	first    int  // of the lines of that copy
	last     int
	fate     fate
}

// switched returns a file in which each function is there once more for each of its mutants,
// and begins by calling the one whose number the program has. So one build tries them all. What
// is outside of functions, or in one with a parameter without a name, is left to be built by
// itself; so is what was found not to compile. It returns the package's name too.
func switched(file, source string, all []*tried) (text, pkg string, err error) {
	set := token.NewFileSet()
	f, err := parser.ParseFile(set, file, source, parser.SkipObjectResolution)
	if err != nil {
		return "", "", fmt.Errorf("parse %s: %w", file, err)
	}
	at := func(p token.Pos) int { return set.Position(p).Offset }
	out, copied, copies := strings.Builder{}, 0, strings.Builder{}
	line := strings.Count(source, "\n") + 2
	for _, d := range f.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok || fn.Body == nil {
			continue
		}
		call, ok := callOf(fn)
		if !ok {
			continue
		}
		var cases strings.Builder
		from, until := at(fn.Pos()), at(fn.End())
		for _, m := range all {
			if m.file != file || m.fate == broken || m.from < from || m.to > until {
				continue
			}
			name := fmt.Sprintf("%s_%d", fn.Name.Name, m.number)
			body := source[from:at(fn.Name.Pos())] + name + source[at(fn.Name.End()):m.from] + m.text + source[m.to:until] + "\n"
			m.switched, m.first = true, line
			line += strings.Count(body, "\n")
			m.last = line - 1
			copies.WriteString(body)
			fmt.Fprintf(&cases, " case %d: %s;", m.number, fmt.Sprintf(call, name))
		}
		brace := at(fn.Body.Lbrace) + 1
		out.WriteString(source[copied:brace] + " switch mutantNumber {" + cases.String() + " };")
		copied = brace
	}
	return out.String() + source[copied:] + "\n" + copies.String(), f.Name.Name, nil
}

// callOf is how a function passes what it got to another one of the same form, whose name is
// to be filled in.
func callOf(fn *ast.FuncDecl) (string, bool) {
	call, args := "%s", []string(nil)
	if fn.Recv != nil {
		if len(fn.Recv.List[0].Names) == 0 || fn.Recv.List[0].Names[0].Name == "_" {
			return "", false
		}
		call = fn.Recv.List[0].Names[0].Name + ".%s"
	}
	for _, p := range fn.Type.Params.List {
		if len(p.Names) == 0 {
			return "", false
		}
		for _, n := range p.Names {
			if n.Name == "_" {
				return "", false
			}
			if _, rest := p.Type.(*ast.Ellipsis); rest {
				n = &ast.Ident{Name: n.Name + "..."}
			}
			args = append(args, n.Name)
		}
	}
	call += "(" + strings.Join(args, ", ") + ")"
	if fn.Type.Results != nil {
		return "return " + call, true
	}
	return call + "; return", true
}

// number is a file of a package that reads which mutant is meant.
func number(pkg string) string {
	return "package " + pkg + `

import (
	"os"
	"strconv"
)

var mutantNumber = func() int {
	n, _ := strconv.Atoi(os.Getenv("MUTANT"))
	return n
}()
`
}
