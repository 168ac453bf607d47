package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quorate/quorate/api/apitest"
)

// What docs/log.md shows of `log verify` is what it says of a file that a node wrote.
func TestLogDocument(t *testing.T) {
	file := filepath.Join(t.TempDir(), "treasury.log")
	if err := os.WriteFile(file, apitest.ExportedLog, 0o600); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	if code := run([]string{"log", "verify", file}, []string{"HOME=" + t.TempDir()}, strings.NewReader(""), &out, &errs); code != 0 {
		t.Fatalf("%d: %s", code, errs.String())
	}
	const mark = "<!-- held by TestLogDocument -->\n"
	path := filepath.Join("..", "..", "docs", "log.md")
	doc, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, after, ok := strings.Cut(string(doc), mark)
	if !ok {
		t.Fatal("docs/log.md has no place for it")
	}
	if _, rest, shown := strings.Cut(after, "\n```\n"); shown && strings.HasPrefix(after, "\n```text\n") {
		after = rest
	}
	want := before + mark + "\n```text\n$ quorate log verify treasury.log\n" + trimLines(out.String()) + "```\n" + after
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(got), want); d != "" {
		t.Errorf("docs/log.md is not current, run go test ./cmd/node -run TestLogDocument -update: %s", d)
	}
}

// A changed file is refused with one line that says where.
func TestLogVerifyRefuses(t *testing.T) {
	for name, x := range map[string]struct{ old, new, say string }{
		"a byte":       {`"seq":`, `"seq": `, "not as a log is written"},
		"an entry":     {`{"header":"AQ`, `{"header":"Ag`, "line 2: not as a log is written"},
		"the exporter": {`"exporter":"`, `"exporter":"0`, "not as a log is written"},
	} {
		file := filepath.Join(t.TempDir(), "log")
		if err := os.WriteFile(file, bytes.Replace(apitest.ExportedLog, []byte(x.old), []byte(x.new), 1), 0o600); err != nil {
			t.Fatal(err)
		}
		var out, errs bytes.Buffer
		if code := run([]string{"log", "verify", file}, []string{"HOME=" + t.TempDir()}, strings.NewReader(""), &out, &errs); code != 4 || !strings.Contains(errs.String(), x.say) || out.Len() > 0 {
			t.Errorf("%s: %d %s%s", name, code, out.String(), errs.String())
		}
	}
}
