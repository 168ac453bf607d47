package arch

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The picture of docs/architecture.md is the truth: what it draws is imported,
// and what is imported it leads to.
func TestPicture(t *testing.T) {
	root := repository(t)
	drawn, wrong := readPicture(read(t, root, "docs/architecture.md"))
	if len(drawn) == 0 {
		t.Fatal("docs/architecture.md has no picture: this test looks at the wrong text")
	}
	for _, b := range append(wrong, compare(drawn, packages(t, root), rooms())...) {
		t.Error(b)
	}
}

// picture has the arrows from each room.
type picture map[string][]string

var (
	arrowLine = regexp.MustCompile(`^\s*(\w+)(?:\["([^"]*)"\])? --> (\w+)(?:\["([^"]*)"\])?$`)
	flowchart = regexp.MustCompile("(?s)```mermaid\nflowchart TD\n(.*?)```")
)

// readPicture reads the first flowchart of a document. A line is one arrow,
// `a["path<br/>what it is"] --> b`; a box is the room of the path that it says
// once, or of its own name.
func readPicture(document string) (drawn picture, wrong []string) {
	drawn = picture{}
	m := flowchart.FindStringSubmatch(document)
	if m == nil {
		return drawn, []string{"there is no flowchart"}
	}
	names := map[string]string{}
	var lines [][]string
	for line := range strings.Lines(m[1]) {
		line = strings.TrimSuffix(line, "\n")
		f := arrowLine.FindStringSubmatch(line)
		if f == nil {
			wrong = append(wrong, fmt.Sprintf("the picture has a line that is no arrow: %q", line))
			continue
		}
		lines = append(lines, f)
		for i := 1; i < 5; i += 2 {
			if said, _, _ := strings.Cut(f[i+1], "<br/>"); said != "" {
				names[f[i]] = said
			} else if names[f[i]] == "" {
				names[f[i]] = f[i]
			}
		}
	}
	for _, f := range lines {
		from, to := roomOf(module+"/"+names[f[1]]), roomOf(module+"/"+names[f[3]])
		if slices.Contains(drawn[from], to) {
			wrong = append(wrong, fmt.Sprintf("the picture has the arrow from %s to %s twice", from, to))
		}
		drawn[from] = append(drawn[from], to)
	}
	return drawn, wrong
}

// below are the rooms that arrows lead to from a room, by way of others too.
func (p picture) below(from string) []string {
	seen := map[string]bool{}
	var follow func(string)
	follow = func(at string) {
		for _, to := range p[at] {
			if !seen[to] {
				seen[to] = true
				follow(to)
			}
		}
	}
	follow(from)
	return slices.Sorted(maps.Keys(seen))
}

// compare says where the picture, the imports and the table of rooms differ.
// What is for tests alone is not drawn.
func compare(drawn picture, pkgs []pkg, table map[string]room) []string {
	var out []string
	boxes := map[string]bool{}
	for from, to := range drawn {
		boxes[from] = true
		for _, name := range to {
			boxes[name] = true
		}
		if slices.Contains(drawn.below(from), from) {
			out = append(out, fmt.Sprintf("the picture leads from %s back to it: arrows point down only", from))
		}
	}
	undrawn := func(name string) bool { return support(module+"/"+name) || twin(module+"/"+name) }
	for name, row := range table {
		if undrawn(name) {
			continue
		}
		if !boxes[name] {
			out = append(out, fmt.Sprintf("the picture lacks the room %s", name))
		}
		for _, to := range row.below {
			if !undrawn(to) && !slices.Contains(drawn.below(name), to) {
				out = append(out, fmt.Sprintf("%s may import %s, to which no arrow of the picture leads", name, to))
			}
		}
	}
	for name := range boxes {
		if _, ok := table[name]; !ok {
			out = append(out, fmt.Sprintf("the picture has %s, which is no room", name))
		}
	}
	imported := map[[2]string]bool{}
	for _, p := range pkgs {
		if undrawn(strings.TrimPrefix(p.ImportPath, module+"/")) {
			continue
		}
		for _, i := range p.Imports {
			from, to := p.room(), roomOf(i)
			if to == "" || from == to || imported[[2]string{from, to}] {
				continue
			}
			imported[[2]string{from, to}] = true
			if !slices.Contains(drawn.below(from), to) {
				out = append(out, fmt.Sprintf("%s imports %s, and no arrow of the picture leads from %s to %s", p.ImportPath, i, from, to))
			}
		}
	}
	for from, tos := range drawn {
		for _, to := range tos {
			if !imported[[2]string{from, to}] {
				out = append(out, fmt.Sprintf("the picture has an arrow from %s to %s, which it does not import", from, to))
			}
		}
	}
	return out
}

// Each rule, broken once.
func TestPictureIsHeld(t *testing.T) {
	const (
		head = "# A\n\n```mermaid\nflowchart TD\n"
		good = "  cmd[\"cmd/node<br/>commands\"] --> app\n  app[\"app<br/>all\"] --> port[\"coordinator/port<br/>ports\"]\n  port --> journal\n"
	)
	q := func(s string) string { return module + "/" + s }
	table := map[string]room{
		"cmd": {below: []string{"app"}}, "app": {below: []string{"coordinator/port", "journal"}},
		"coordinator/port": {below: []string{"journal"}}, "journal": {}, "test": {below: []string{"app"}},
		"store/memstore": {below: []string{"journal"}},
	}
	real := []pkg{
		{ImportPath: q("cmd/node"), Imports: []string{"fmt", q("app")}},
		{ImportPath: q("app"), Imports: []string{q("app/config"), q("coordinator/port"), q("journal")}},
		{ImportPath: q("app/config"), Imports: []string{"os"}},
		{ImportPath: q("coordinator/port"), Imports: []string{q("journal")}, TestImports: []string{q("store/memstore")}},
		{ImportPath: q("store/memstore"), Imports: []string{q("journal")}},
		{ImportPath: q("store/storetest"), Imports: []string{q("app")}},
		{ImportPath: q("test/e2e"), Imports: []string{q("cmd/node")}},
	}
	for _, c := range []struct {
		name, lines string
		more        []pkg
		want        int
	}{
		{"as it is", good, nil, 0},
		{"an arrow that is no import", good + "  cmd --> port\n", nil, 1},
		{"an arrow up", good + "  journal --> app\n", nil, 4}, // no import, and three rooms in a circle
		{"an arrow twice", good + "  cmd --> app\n", nil, 1},
		{"no room", good + "  app --> attic\n", nil, 2},
		{"no arrow", good + "  app ==> port\n", nil, 1},
		{"a row that nobody drew", strings.Replace(good, "  port --> journal\n", "", 1), nil, 5},
		{"an import without an arrow", good, []pkg{{ImportPath: q("journal/pmap"), Imports: []string{q("app/config")}}}, 1},
		{"an import by way of others", good, []pkg{{ImportPath: q("cmd/node/x"), Imports: []string{q("journal")}}}, 0},
		{"nothing", "", nil, 12},
	} {
		drawn, wrong := readPicture(head + c.lines + "```\n\n```mermaid\nsequenceDiagram\n```\n")
		if got := append(wrong, compare(drawn, slices.Concat(real, c.more), table)...); len(got) != c.want {
			t.Errorf("%s: %d breaches %q, want %d", c.name, len(got), got, c.want)
		}
	}
	if _, wrong := readPicture("# A\n"); len(wrong) != 1 {
		t.Error("a document without a picture passes")
	}
}
