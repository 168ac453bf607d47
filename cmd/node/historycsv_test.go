package main

import (
	"encoding/csv"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quorate/quorate/api"
)

// booked is a history of three transactions, newest first: paid in, paid to two and one
// of them the wallet itself, consolidated.
func booked() ([]api.HistoryItem, map[string]api.Proposal) {
	fee, at := int64(1000), time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	day := func(n int) *time.Time { t := at.AddDate(0, 0, n); return &t }
	history := []api.HistoryItem{
		{TxID: "c", Amount: -1000, Fee: &fee, Time: day(2), Proposal: "q", Label: "tidy"},
		{TxID: "b", Amount: -31_000, Fee: &fee, Time: day(1), Proposal: "p", Label: "month"},
		{TxID: "a", Amount: 100_000_000, Time: day(0), Label: "=HYPERLINK(1)"},
	}
	return history, map[string]api.Proposal{
		"p": {
			Outputs:   []api.TxOutput{{Address: "x", Amount: 30_000, Label: "rent, \"March\""}, {Address: "own", Amount: 5_000}, {Address: "change", Amount: 9, Change: true}},
			Approvals: []api.Approval{{Cosigner: api.Person{Name: "Alice"}}, {Cosigner: api.Person{Name: "@bob"}}},
		},
		"q": {Outputs: []api.TxOutput{{Address: "change", Amount: 9, Change: true}}, Approvals: []api.Approval{{Cosigner: api.Person{Name: "-Carol"}}}},
	}
}

func TestHistoryForAnAccountant(t *testing.T) {
	history, proposals := booked()
	want := strings.ReplaceAll(`date,payee,label,amount,fee,balance,txid,proposal,approvers
2026-01-02T03:04:05Z,,'=HYPERLINK(1),1.00000000,0.00000000,1.00000000,a,,
2026-01-03T03:04:05Z,x,"rent, ""March""",-0.00030000,0.00001000,0.99969000,b,p,Alice; @bob
2026-01-03T03:04:05Z,own,month,-0.00005000,0.00000000,0.99964000,b,p,Alice; @bob
2026-01-03T03:04:05Z,(the wallet itself),month,0.00005000,0.00000000,0.99969000,b,p,Alice; @bob
2026-01-04T03:04:05Z,(the wallet itself),tidy,0.00000000,0.00001000,0.99968000,c,q,'-Carol
`, "\n", "\r\n")
	var b strings.Builder
	n, err := book(history, proposals).write(&b, time.Time{}, time.Time{})
	if err != nil || n != 5 {
		t.Errorf("%d, %v", n, err)
	}
	if d := cmp.Diff(want, b.String()); d != "" {
		t.Error(d)
	}
	// What it comes to is what the history says.
	sum := int64(0)
	for _, x := range history {
		sum += x.Amount
	}
	if rows := book(history, proposals).rows; rows[len(rows)-1].balance != sum {
		t.Errorf("%d, want %d", rows[len(rows)-1].balance, sum)
	}
	// A part of it goes on from what was before.
	b.Reset()
	if n, err := book(history, proposals).write(&b, *history[0].Time, history[0].Time.Add(time.Second)); err != nil || n != 1 || !strings.Contains(b.String(), ",0.99968000,") {
		t.Errorf("%d, %v: %s", n, err, b.String())
	}
}

// No text of others is a formula in a spreadsheet, and none breaks a row.
func TestCellIsText(t *testing.T) {
	for _, s := range []string{"=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "\u00a0=1", "＝1", "＋1", "－1", "＠x", "'=1", "\"=1", "|calc", "%0A", "\ufeff=1", "\u200b=1"} {
		got := cell(s)
		if first := []rune(strings.TrimSpace(got))[0]; first != '\'' && first != '\ufffd' {
			t.Errorf("%q is %q", s, got)
		}
	}
	for _, s := range []string{"", "rent", "a=b", "5 %", "Zoë", "1.5", "bc1q-", "a\"b,c"} {
		if got := cell(s); got != s {
			t.Errorf("%q is %q", s, got)
		}
	}
}

func FuzzCell(f *testing.F) {
	f.Add("=1+1", "a,b")
	f.Add("\ufeff\u2028=1", "\"\r\n")
	f.Fuzz(func(t *testing.T, payee, label string) {
		var b strings.Builder
		at := time.Unix(1_700_000_000, 0)
		a := accounts{rows: []booking{{at: at, payee: payee, label: label}}}
		if _, err := a.write(&b, time.Time{}, time.Time{}); err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(strings.NewReader(b.String())).ReadAll()
		if err != nil || len(rows) != 2 || len(rows[1]) != len(csvHeader) {
			t.Fatalf("%q, %v", rows, err)
		}
		for _, x := range rows[1][1:3] {
			if x != "" && slices.Contains([]rune("=+-@\t\r\n＝＋－＠"), []rune(strings.TrimSpace(x) + " ")[0]) {
				t.Errorf("%q may be a formula", x)
			}
		}
	})
}
