package formats_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/quorate/quorate/wallet/formats"
)

func labelVectors(t testing.TB) []byte {
	t.Helper()
	dir := os.Getenv("QUORATE_SHARED")
	if dir == "" {
		t.Skip("no vectors: set QUORATE_SHARED to the folder that holds them")
	}
	b, err := os.ReadFile(filepath.Join(dir, "vectors", "bip-0329.jsonl"))
	if err != nil {
		t.Skipf("no vectors of BIP329: %v", err)
	}
	return b
}

// Every line of the BIP's own example is read as what it says, and written
// again as the same.
func TestLabelsOfBIP329(t *testing.T) {
	got, err := formats.ReadLabels(labelVectors(t))
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for i, l := range got {
		kinds = append(kinds, l.Type)
		if l.Text == nil || *l.Text == "" || l.Ref == "" {
			t.Errorf("line %d: %+v", i+1, l)
		}
		if (l.Origin != "") != (l.Type == "tx") || (l.Spendable != nil) != (l.Type == "output") {
			t.Errorf("line %d: %+v", i+1, l)
		}
	}
	if want := []string{"tx", "addr", "pubkey", "input", "output", "xpub", "spscan", "tx"}; !slices.Equal(kinds, want) {
		t.Fatalf("types %v, want %v", kinds, want)
	}
	if *got[4].Text != "Output" || *got[4].Spendable || got[4].Ref != "f91d0a8a78462bc59398f2c5d7a84fcff491c26ba54c4833478b202796c8aafd:1" {
		t.Errorf("the output is %+v", got[4])
	}
	if k := formats.OriginKeys(got[7].Origin); !slices.Equal(k, []string{"d34db33f/84h/0h/1h"}) {
		t.Errorf("origin %v", k)
	}
	again, err := formats.WriteLabels(got)
	if err != nil {
		t.Fatal(err)
	}
	back, err := formats.ReadLabels(again)
	if err != nil || len(back) != len(got) {
		t.Fatalf("%d labels (%v)\n%s", len(back), err, again)
	}
	twice, err := formats.WriteLabels(back)
	if err != nil || !bytes.Equal(again, twice) {
		t.Errorf("written differently the second time (%v)\n%s\n%s", err, again, twice)
	}
}

func TestLabelFiles(t *testing.T) {
	good := `{"type":"tx","ref":"aa","label":"x & <y>"}`
	for name, c := range map[string]struct {
		file string
		n    int
	}{
		"empty":                {"", 0},
		"no last line end":     {good, 1},
		"CRLF and empty lines": {"\r\n" + good + "\r\n\n  \n" + good + "\n", 2},
		"a byte order mark":    {"\ufeff" + good + "\n", 1},
		"further keys":         {`{"type":"tx","ref":"aa","height":9,"rate":{"USD":1.5},"Label":"another key"}`, 1},
		"UTF-16":               {"\xff\xfe" + strings.Join(strings.Split(good, ""), "\x00") + "\x00", 1},
		"a line that is none":  {good + "\nlabels\n" + good, 2},
		"one cut short":        {good + "\n" + good[:20], 1},
		"a number for a label": {good + "\n" + `{"type":"tx","ref":"aa","label":7}`, 1},
		"text for spendable":   {`{"type":"output","ref":"aa:0","label":"rent","spendable":"true"}`, 1},
		"a list for spendable": {`{"type":"output","ref":"aa:0","label":"rent","spendable":[1]}`, 1},
		"no label":             {`{"type":"output","ref":"aa:0","spendable":false}`, 1},
	} {
		got, err := formats.ReadLabels([]byte(c.file))
		if err != nil || len(got) != c.n {
			t.Errorf("%s: %d labels, %v", name, len(got), err)
		}
	}
	if got, err := formats.ReadLabels([]byte(`{"type":"tx","ref":"aa","Label":"another key"}`)); err != nil || got[0].Text != nil {
		t.Errorf("a key of another case was taken: %v", err)
	}
	for name, file := range map[string]string{
		"no JSON":                  "type,ref,label\ntx,aa,x\n",
		"cut short":                good[:20],
		"a list":                   "[" + good + "]",
		"over lines":               strings.ReplaceAll(good, ",", ",\n"),
		"two in one line":          good + good,
		"no ref":                   `{"type":"tx","label":"x"}`,
		"no type":                  `{"ref":"aa","label":"x"}`,
		"not text":                 "\x00\x01\x02\xff",
		"more lines than are read": strings.Repeat(good+"\n", formats.MaxLabels+1),
		"more bytes than are read": strings.Repeat(" ", formats.MaxLabelFile+1),
	} {
		if _, err := formats.ReadLabels([]byte(file)); !errors.Is(err, formats.ErrLabels) {
			t.Errorf("%s: %v, want ErrLabels", name, err)
		}
	}
}

// The files of labels that were tried, each line of which is a label or is none.
func TestLabelFilesOfOthers(t *testing.T) {
	dir := os.Getenv("QUORATE_SHARED")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared")
	}
	for name, want := range map[string]int{
		"addr-upper.jsonl": 1, "array.json": -1, "bip.jsonl": 7, "crlf.jsonl": 2, "csv.csv": -1, "newline.jsonl": 1, "null.jsonl": 1,
		"pretty.json": -1, "spendable-null.jsonl": 1, "spendable-string.jsonl": 1, "tx-upper.jsonl": 1,
	} {
		b, err := os.ReadFile(filepath.Join(dir, "trials", "wallets", "inputs", "labels", name))
		if err != nil {
			t.Skip("no inputs of trials: set QUORATE_SHARED to the folder that holds them")
		}
		got, err := formats.ReadLabels(b)
		if want < 0 && !errors.Is(err, formats.ErrLabels) || want >= 0 && (err != nil || len(got) != want) {
			t.Errorf("%s: %d labels, %v", name, len(got), err)
		}
	}
}

func TestCutLabel(t *testing.T) {
	for _, c := range []struct {
		give, want string
		changed    bool
	}{
		{"rent", "rent", false}, {"", "", false}, {"a\nb\tc", "a b c", true}, {"a\u202eb", "ab", true}, {"\x1b[2J", "[2J", true},
		{strings.Repeat("x", 11), strings.Repeat("x", 10), true}, {strings.Repeat("é", 6), strings.Repeat("é", 5), true}, {"123456789é", "123456789", true},
	} {
		if got, changed := formats.CutLabel(c.give, 10); got != c.want || changed != c.changed {
			t.Errorf("%q gives %q, %v", c.give, got, changed)
		}
	}
}

func FuzzReadLabels(f *testing.F) {
	f.Add([]byte(`{"type":"tx","ref":"aa","label":"x","origin":"wpkh([d34db33f/84'/0'/0'])"}` + "\n" + `{"type":"output","ref":"aa:0","spendable":false}`))
	f.Add([]byte("\ufeff{}\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := formats.ReadLabels(b)
		if err != nil {
			if !errors.Is(err, formats.ErrLabels) {
				t.Fatalf("unnamed error: %v", err)
			}
			return
		}
		written, err := formats.WriteLabels(got)
		if err != nil {
			t.Fatal(err)
		}
		back, err := formats.ReadLabels(written)
		if err != nil || len(back) != len(got) {
			t.Fatalf("%d labels are read back as %d: %v", len(got), len(back), err)
		}
		for i, l := range got {
			formats.OriginKeys(l.Origin)
			if l.Text == nil {
				continue
			}
			if back[i].Text == nil || *back[i].Text != *l.Text {
				t.Fatalf("label %q is read back as another", *l.Text)
			}
			if cut, _ := formats.CutLabel(*l.Text, 256); len(cut) > 256 || !utf8.ValidString(cut) || strings.ContainsAny(cut, "\n\x1b\u202e") {
				t.Fatalf("label %q is cut to %q", *l.Text, cut)
			}
		}
	})
}
