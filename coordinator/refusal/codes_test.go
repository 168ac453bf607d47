package refusal

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write docs/refusals.md")

// TestDocument checks that docs/refusals.md lists every code there is.
func TestDocument(t *testing.T) {
	path := filepath.Join("..", "..", "docs", "refusals.md")
	want := document()
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Error("docs/refusals.md is not current, run go test ./coordinator/refusal -update")
	}
}

func document() string {
	var b strings.Builder
	b.WriteString("# Refusals\n\nWhat a node refuses to do, by code. A refusal changes nothing. It has the code, a text that says why, and mostly a hint\n" +
		"what to do; the API gives them as `code`, `message` and `hint`, and the command line exits with 4. Where a column names a\nflag, " +
		"the command may be repeated with it (`--allow` with the code) by who knows better. (This file is made by\n`go test ./coordinator/refusal -update`.)\n")
	for _, g := range Codes() {
		fmt.Fprintf(&b, "\n## %s\n\n| code | it is refused where | all the same |\n|---|---|---|\n", g.Of)
		for _, c := range g.Codes {
			over := ""
			if c.Override != "" {
				over = "`" + c.Override + "`"
			}
			fmt.Fprintf(&b, "| `%s` | %s | %s |\n", c.Name, c.When, over)
		}
	}
	return b.String()
}

// TestEveryCodeIsListed reads the constants: one that Codes does not have would be
// in no document.
func TestEveryCodeIsListed(t *testing.T) {
	src, err := os.ReadFile("codes.go")
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]int{}
	for _, g := range Codes() {
		for _, c := range g.Codes {
			listed[c.Name]++
		}
	}
	consts := regexp.MustCompile(`(?m)^\t(\w+) += "(\w+)"$`).FindAllStringSubmatch(string(src), -1)
	if len(consts) != len(listed) || len(consts) < 40 {
		t.Errorf("%d constants, %d codes listed", len(consts), len(listed))
	}
	for _, c := range consts {
		if listed[c[2]] != 1 {
			t.Errorf("code %s is listed %d times", c[2], listed[c[2]])
		}
	}
}

// TestNobodyMakesUpACode: every refusal of the coordinator has a code of the list.
func TestNobodyMakesUpACode(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	made := regexp.MustCompile(`refusal\.New\((\S+?),`)
	n := 0
	for _, f := range files {
		if strings.HasSuffix(f, "_test.go") {
			continue
		}
		src, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range made.FindAllStringSubmatch(string(src), -1) {
			if n++; !strings.HasPrefix(m[1], "refusal.") && m[1] != "r.Rule" { // one passed on
				t.Errorf("%s: a refusal with the code %s", f, m[1])
			}
		}
	}
	if n < 50 {
		t.Errorf("%d refusals found: this test looks at nothing", n)
	}
}

func TestARefusalSaysHowToGoOn(t *testing.T) {
	r := New(Fee, "the fee of %d sat is too high", 7).MayOverride()
	if r.Error() != "the fee of 7 sat is too high" || !r.Overridable || r.Hint != "if it is meant, repeat with --allow fee_too_high" {
		t.Errorf("%+v", r)
	}
	if r := New(Coin, "x").WithHint("choose %s", "others").MayOverride(); r.Hint != "choose others" {
		t.Errorf("the hint is gone: %+v", r)
	}
}
