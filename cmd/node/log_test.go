package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
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

// What is longer than any log is refused with one line, and told in no part.
func TestLogVerifyRefusesWhatIsTooLong(t *testing.T) {
	first, _, _ := bytes.Cut(apitest.ExportedLog, []byte("\n"))
	for name, file := range map[string][]byte{
		"a line":     slices.Concat(first, []byte("\n"), bytes.Repeat([]byte("x"), 2<<20)),
		"its head":   bytes.Repeat([]byte("{"), 2<<20),
		"no newline": bytes.Repeat([]byte{0}, 2<<20),
	} {
		path := filepath.Join(t.TempDir(), "log")
		if err := os.WriteFile(path, file, 0o600); err != nil {
			t.Fatal(err)
		}
		var out, errs bytes.Buffer
		code := run([]string{"log", "verify", path, "--entries"}, []string{"HOME=" + t.TempDir()}, strings.NewReader(""), &out, &errs)
		if code != 4 || strings.Count(errs.String(), "\n") != 1 || len(errs.String()) > 300 || out.Len() > 0 || !strings.Contains(errs.String(), "line") {
			t.Errorf("%s: %d %s%s", name, code, out.String(), errs.String())
		}
	}
}

// With --entries each entry is told, in the order in which they stand in the file.
func TestLogVerifyTellsEntries(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(path, apitest.ExportedLog, 0o600); err != nil {
		t.Fatal(err)
	}
	verify := func(args ...string) string {
		t.Helper()
		var out, errs bytes.Buffer
		if code := run(append([]string{"log", "verify", path}, args...), []string{"HOME=" + t.TempDir()}, strings.NewReader(""), &out, &errs); code != 0 {
			t.Fatalf("%d: %s", code, errs.String())
		}
		return out.String()
	}
	var told struct {
		Count int `json:"entry_count"`
		Log   []struct{ Entry, Kind, Text string }
	}
	if err := json.Unmarshal([]byte(verify("--entries", "--json")), &told); err != nil {
		t.Fatal(err)
	}
	if want := bytes.Count(apitest.ExportedLog, []byte(`{"header"`)); told.Count != want || len(told.Log) != want {
		t.Errorf("%d entries, %d told, of %d", told.Count, len(told.Log), want)
	}
	shown, kinds := verify("--entries"), map[string]int{}
	for _, e := range told.Log {
		kinds[e.Kind]++
		if words := strings.Fields(e.Text); len(words) == 0 || len(e.Entry) != 64 || !strings.Contains(shown, words[0]) {
			t.Errorf("%+v is not shown", e)
		}
	}
	if kinds["proposed"] == 0 || kinds["approved"] == 0 || kinds["ratified"] != 3 {
		t.Errorf("%v", kinds)
	}
	if short := verify(); strings.Contains(short, "ratified") || strings.Count(shown, "\n") < strings.Count(short, "\n")+told.Count {
		t.Error("without --entries they are told, or with it they are not")
	}
}
