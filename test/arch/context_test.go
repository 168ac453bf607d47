package arch

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// What gets into a container's build is a list of what is tracked, and all of
// it: a secret that lies beside the source is left out, and the compiler finds
// the commit whole.
func TestBuildContextIsAList(t *testing.T) {
	root := repository(t)
	b, err := os.ReadFile(filepath.Join(root, ".dockerignore"))
	if err != nil {
		t.Fatal(err)
	}
	letIn, bad := contextRules(string(b))
	for _, line := range bad {
		t.Errorf(".dockerignore: %q is not of a list of what is let in", line)
	}
	out, err := exec.Command("git", "-C", root, "ls-files").Output()
	if err != nil {
		t.Skipf("not a clone: %v", err)
	}
	want := []string{".git"}
	for _, file := range strings.Fields(string(out)) {
		top, _, _ := strings.Cut(file, "/")
		want = append(want, top)
	}
	slices.Sort(want)
	if want = slices.Compact(want); !slices.Equal(letIn, want) {
		t.Errorf(".dockerignore lets in %v, tracked are %v", letIn, want)
	}
}

// contextRules reads a .dockerignore that first leaves out everything, and then
// lets in names at the top, without patterns; bad are lines that do else.
func contextRules(text string) (letIn, bad []string) {
	all := false
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		name, in := strings.CutPrefix(line, "!")
		switch {
		case line == "" || line[0] == '#':
		case line == "*" && !all:
			all = true
		case in && all && name != "" && !strings.ContainsAny(name, "*?[\\/ "):
			letIn = append(letIn, name)
		default:
			bad = append(bad, line)
		}
	}
	if !all {
		bad = append(bad, "no *")
	}
	slices.Sort(letIn)
	return letIn, bad
}

func TestContextRules(t *testing.T) {
	if in, bad := contextRules("# x\n*\n\n!b\n!.a\n"); !slices.Equal(in, []string{".a", "b"}) || len(bad) != 0 {
		t.Errorf("%v %v", in, bad)
	}
	for _, text := range []string{"dist\n", "!a\n*\n", "*\n!**\n", "*\n!a/b\n", "*\npassphrase\n", "", "*\n!\n"} {
		if _, bad := contextRules(text); len(bad) == 0 {
			t.Errorf("%q is a list", text)
		}
	}
}
