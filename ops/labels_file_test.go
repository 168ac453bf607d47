package ops_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/ops"
)

func labelled() api.Wallet {
	one, two := "d34db33f", "73c5da0a"
	return api.Wallet{Cosigners: []api.Cosigner{{Person: api.Person{Key: &one}, Path: "48h/0h/0h/2h"}, {Person: api.Person{Key: &two}, Path: "48h/0h/3h/2h"}}}
}

// Every line of BIP329's own example is kept, or counted as what it is.
func TestLabelFileOfBIP329(t *testing.T) {
	b, err := os.ReadFile(filepath.Join(os.Getenv("QUORATE_SHARED"), "vectors", "bip-0329.jsonl"))
	if err != nil {
		t.Skipf("no vectors: set QUORATE_SHARED to the folder that holds them: %v", err)
	}
	f, err := ops.ReadLabelFile(b, labelled())
	if err != nil {
		t.Fatal(err)
	}
	want := ops.LabelFile{
		Labels: []api.SetLabel{
			{Ref: "bc1q34aq5drpuwy3wgl9lhup9892qp6svr8ldzyy7c", Label: "Address"},
			{Ref: "f91d0a8a78462bc59398f2c5d7a84fcff491c26ba54c4833478b202796c8aafd:1", Label: "Output"},
		},
		Lines: 8, Other: 4, Origin: 2, Frozen: []string{"f91d0a8a78462bc59398f2c5d7a84fcff491c26ba54c4833478b202796c8aafd:1"},
	}
	if d := cmp.Diff(want, f); d != "" {
		t.Error(d)
	}
}

func TestReadLabelFile(t *testing.T) {
	tx := strings.Repeat("ab", 32)
	file := strings.Join([]string{
		`{"type":"tx","ref":"` + tx + `","label":"first"}`,
		`{"type":"output","ref":"` + tx + `:0","spendable":true}`,
		`{"type":"output","ref":"` + strings.ToUpper(tx) + `:1","spendable":false}`,
		`{"type":"output","ref":"` + tx + `:1","spendable":false}`,
		`{"type":"addr","ref":"bcrt1qXYZ","spendable":false}`,
		`{"type":"tx","ref":"` + strings.ToUpper(tx) + `","label":"second","origin":"wsh(sortedmulti(2,[73C5DA0A/48'/0'/3'/2'],[d34db33f/48h/0h/0h/2h]))"}`,
		`{"type":"tx","ref":"` + tx + `","label":"another account's","origin":"wsh(sortedmulti(2,[73c5da0a/48'/0'/4'/2'],[d34db33f/48'/0'/0'/2']))"}`,
		`{"type":"addr","ref":"BCRT1QXYZ","label":"` + strings.Repeat("x", 300) + `"}`,
		`{"type":"addr","ref":"bcrt1qXYZ","label":""}`,
	}, "\n")
	f, err := ops.ReadLabelFile([]byte(file), labelled())
	if err != nil {
		t.Fatal(err)
	}
	want := ops.LabelFile{
		Labels: []api.SetLabel{
			{Ref: tx, Label: "second"}, {Ref: "bcrt1qxyz", Label: strings.Repeat("x", 256)}, {Ref: "bcrt1qXYZ", Label: ""},
		},
		Lines: 9, Empty: 4, Origin: 1, Again: 1, Cut: 1, Frozen: []string{tx + ":1"}, Idle: 2,
	}
	if d := cmp.Diff(want, f); d != "" {
		t.Error(d)
	}
	want.Lines, want.Odd = 11, 2
	f, err = ops.ReadLabelFile([]byte(file+"\r\nnonsense\r\n\r\n"+`{"type":"tx","ref":"aa","label":5}`), labelled())
	if d := cmp.Diff(want, f); d != "" || err != nil {
		t.Errorf("with lines that are none: %v\n%s", err, d)
	}
	for code, file := range map[string]string{"not_labels": "nonsense\n[]", "bad_labels": "\x00\x01"} {
		_, err := ops.ReadLabelFile([]byte(file), labelled())
		var e *api.Error
		if !errors.As(err, &e) || e.Code != code {
			t.Errorf("%q gives %v, want %s", file, err, code)
		}
	}
}

func TestWriteLabelFile(t *testing.T) {
	got, err := ops.WriteLabelFile([]api.Label{{Type: "tx", Ref: "aa", Label: `"x" & <y>`, By: api.Person{Name: "bob"}}, {Type: "addr", Ref: "bc1", Label: "z"}, {Type: "output", Ref: "aa:1", Label: "dust"}},
		[]api.Coin{{OutPoint: "aa:0"}, {OutPoint: "aa:2", Frozen: &api.Freeze{}}, {OutPoint: "aa:1", Frozen: &api.Freeze{Note: "why"}}})
	want := `{"type":"tx","ref":"aa","label":"\"x\" & <y>"}` + "\n" + `{"type":"addr","ref":"bc1","label":"z"}` + "\n" +
		`{"type":"output","ref":"aa:1","label":"dust","spendable":false}` + "\n" + `{"type":"output","ref":"aa:2","spendable":false}` + "\n"
	if err != nil || string(got) != want {
		t.Errorf("%v\n%s", err, got)
	}
}
