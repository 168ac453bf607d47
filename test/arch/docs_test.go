package arch

import (
	"bufio"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The documents name tests, files and modules: what they name is there.
func TestDocuments(t *testing.T) {
	root := repository(t)
	files := []string{"README.md", "CHANGELOG.md"}
	for _, pattern := range []string{"docs/*.md", "docs/decisions/*.md"} {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range found {
			rel, err := filepath.Rel(root, f)
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, filepath.ToSlash(rel))
		}
	}
	tests := testNames(t, root)
	for _, f := range files {
		text := read(t, root, f)
		for _, name := range namedTests(text) {
			if !slices.Contains(tests, name) {
				t.Errorf("%s names the test %s, which does not exist", f, name)
			}
		}
		for _, link := range links404(text, func(to string) bool {
			_, err := os.Stat(filepath.Join(root, path.Dir(f), to))
			return err == nil
		}) {
			t.Errorf("%s links to %s, which does not exist", f, link)
		}
	}
	// Tools with modules of their own are listed too; what those are made of is not.
	modules := read(t, root, "go.mod")
	others, err := filepath.Glob(filepath.Join(root, "scripts", "*", "go.mod"))
	if err != nil || len(others) < 3 {
		t.Fatal(others, err)
	}
	for _, f := range others {
		rel, err := filepath.Rel(root, f)
		if err != nil {
			t.Fatal(err)
		}
		modules += "\n" + toolsOf(read(t, root, filepath.ToSlash(rel)))
	}
	for _, wrong := range dependencies(modules, read(t, root, "docs/dependencies.md")) {
		t.Error(wrong)
	}
}

// toolsOf are the directives of a go.mod that name tools.
func toolsOf(gomod string) string {
	out, in := "tool (\n", false
	for line := range strings.Lines(gomod) {
		f := strings.Fields(line)
		switch {
		case len(f) == 2 && f[0] == "tool" && f[1] == "(":
			in = true
		case len(f) == 1 && f[0] == ")":
			in = false
		case len(f) == 2 && f[0] == "tool":
			out += f[1] + "\n"
		case in && len(f) == 1:
			out += f[0] + "\n"
		}
	}
	return out + ")\n"
}

func read(t *testing.T, root, file string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root, file))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

var (
	testFunc   = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Benchmark)\w+)\(`)
	namedTest  = regexp.MustCompile("`((?:Test|Fuzz|Benchmark)[A-Z]\\w*)(?:/[^`]*)?`")
	linkTarget = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	tableRow   = regexp.MustCompile("^\\| `([^` ]+\\.[^` ]+)` \\|")
)

// testNames are the functions that the go command runs as tests.
func testNames(t *testing.T, root string) []string {
	t.Helper()
	var out []string
	for _, f := range sources(t, root) {
		if strings.HasSuffix(f, "_test.go") {
			for _, m := range testFunc.FindAllStringSubmatch(read(t, root, f), -1) {
				out = append(out, m[1])
			}
		}
	}
	return out
}

func namedTests(text string) []string {
	var out []string
	for _, m := range namedTest.FindAllStringSubmatch(text, -1) {
		if m[1] != "TestMain" {
			out = append(out, m[1])
		}
	}
	return out
}

// links404 are the links within the repository that lead nowhere.
func links404(text string, exists func(to string) bool) []string {
	var out []string
	for _, m := range linkTarget.FindAllStringSubmatch(text, -1) {
		to, _, _ := strings.Cut(m[1], "#")
		if to != "" && !strings.Contains(to, "://") && !exists(to) {
			out = append(out, m[1])
		}
	}
	return out
}

// dependencies compares the direct requirements and tools of a go.mod with the
// tables of the document.
func dependencies(gomod, document string) []string {
	var want, have, out []string
	block := ""
	for s := bufio.NewScanner(strings.NewReader(gomod)); s.Scan(); {
		f := strings.Fields(s.Text())
		switch {
		case len(f) == 2 && f[1] == "(":
			block = f[0]
		case len(f) == 1 && f[0] == ")":
			block = ""
		case block == "require" && len(f) >= 2 && !strings.Contains(s.Text(), "// indirect"):
			want = append(want, f[0])
		case block == "tool" && len(f) == 1:
			// Of a tool, the module: three elements of its package are enough to name it.
			want = append(want, strings.Join(strings.Split(f[0], "/")[:3], "/"))
		}
	}
	for line := range strings.Lines(document) {
		if m := tableRow.FindStringSubmatch(line); m != nil {
			have = append(have, m[1])
		}
	}
	for _, w := range want {
		if !slices.Contains(have, w) {
			out = append(out, "docs/dependencies.md lacks "+w)
		}
	}
	for _, h := range have {
		if !slices.Contains(want, h) {
			out = append(out, "docs/dependencies.md has "+h+", which go.mod does not require directly")
		}
	}
	return out
}

func TestDocumentRulesAreHeld(t *testing.T) {
	if got := namedTests("`TestAbc`, `FuzzX`, `TestNode/peers`, Test, `Testify`, `TestMain`"); !slices.Equal(got, []string{"TestAbc", "FuzzX", "TestNode"}) {
		t.Errorf("named tests: %q", got)
	}
	if got := toolsOf("module m\n\ntool example.com/a/b/cmd/c\n\ntool (\n\texample.com/d/e/f\n)\n\nrequire example.com/g v1.0.0\n"); got != "tool (\nexample.com/a/b/cmd/c\nexample.com/d/e/f\n)\n" {
		t.Errorf("tools: %q", got)
	}
	there := func(to string) bool { return to == "a.md" }
	if got := links404("[a](a.md) [b](b.md#x) [c](#c) [d](https://example.com/d) [e](a.md#y)", there); !slices.Equal(got, []string{"b.md#x"}) {
		t.Errorf("dead links: %q", got)
	}
	const gomod = "module m\n\ntool (\n\texample.com/x/tool/cmd/t\n)\n\nrequire (\n\texample.com/a v1.0.0\n\texample.com/b v1.0.0 // indirect\n)\n"
	const rows = "| `example.com/a` | x |\n| `example.com/x/tool` | y |\n"
	for document, want := range map[string]int{
		rows: 0, rows + "| `example.com/b` | z |\n": 1, "| `example.com/a` | x |\n": 1, "": 2,
	} {
		if got := dependencies(gomod, document); len(got) != want {
			t.Errorf("%q: %q, want %d", document, got, want)
		}
	}
}
