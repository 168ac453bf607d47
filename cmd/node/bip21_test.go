package main

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/display"
)

func TestParseURI(t *testing.T) {
	const addr = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"
	for s, want := range map[string]paymentURI{
		"bitcoin:" + addr: {addr, 0, ""},
		"BITCOIN:" + strings.ToUpper(addr) + "?AMOUNT=0.1":                  {strings.ToUpper(addr), 10_000_000, ""},
		"bitcoin:" + addr + "?amount=0.1&label=Luke%2DJr":                   {addr, 10_000_000, "Luke-Jr"},
		"bitcoin:" + addr + "?amount=20.3&message=a+b%20c":                  {addr, 2_030_000_000, "a+b c"},
		"bitcoin:" + addr + "?label=x&message=y":                            {addr, 0, "x"},
		"bitcoin:" + addr + "?req-amount=1&somethingyoudont=50&lightning=l": {addr, 100_000_000, ""},
		"bitcoin:" + addr + "?label=%1b[31mred%0aline":                      {addr, 0, "[31mred line"},
		"bitcoin:" + addr + "?amount=0.00000001":                            {addr, 1, ""},
		"bitcoin:" + addr + "?":                                             {addr, 0, ""},
		"bitcoin:" + addr + "?label=" + strings.Repeat("%C3%A4", 200):       {addr, 0, strings.Repeat("ä", 128)},
	} {
		if got, err := parseURI(s); err != nil || got != want {
			t.Errorf("%q is %+v, %v", s, got, err)
		}
	}
	for s, why := range map[string]string{
		"bitcoin:":                                    "no address",
		"bitcoin:?amount=1":                           "no address",
		"bitcoin:" + addr + "?req-pop=x":              `requires "req-pop"`,
		"bitcoin:" + addr + "?amount=1,5":             "no number",
		"bitcoin:" + addr + "?amount=1e3":             "no number",
		"bitcoin:" + addr + "?amount=":                "no number",
		"bitcoin:" + addr + "?amount=0":               "no number",
		"bitcoin:" + addr + "?amount=-1":              "no number",
		"bitcoin:" + addr + "?amount=0.000000001":     "no number",
		"bitcoin:" + addr + "?amount=21000001":        "no number",
		"bitcoin:" + addr + "?amount=1&amount=2":      "amount twice",
		"bitcoin:" + addr + "?amount=1&req-amount=2":  "amount twice",
		"bitcoin:" + addr + "?label=%zz":              "percent",
		"lightning:" + addr:                           "begin",
		"bitcoin://" + addr:                           "no address",
		"bitcoin:" + addr + "?REQ-somethingyoudont=5": "requires",
	} {
		if got, err := parseURI(s); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%q is %+v, %v", s, got, err)
		}
	}
}

// What is written is read as the same.
func TestURIRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		u := paymentURI{address: "bc1qxyz", amount: rapid.Int64Range(0, maxMoney).Draw(t, "amount"), label: shortLabel(rapid.String().Draw(t, "label"))}
		if got, err := parseURI(u.String()); err != nil || got != u {
			t.Fatalf("%+v is written as %s and read as %+v, %v", u, u, got, err)
		}
	})
}

func FuzzURI(f *testing.F) {
	for _, s := range []string{"bitcoin:a?amount=1&label=b", "bitcoin:", "BITCOIN:A?REQ-X=1", "bitcoin:a?label=%00%ff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		u, err := parseURI(s)
		if err != nil {
			return
		}
		if u.amount < 0 || u.amount > maxMoney || len(u.label) > maxLabel || display.Check(u.label) != nil || u.address == "" {
			t.Fatalf("%q is %+v", s, u)
		}
	})
}

func TestRecipients(t *testing.T) {
	for s, want := range map[string]api.Recipient{
		"bcrt1qxyz=0.5":         {Address: "bcrt1qxyz", Amount: 50_000_000},
		"bcrt1qxyz=all":         {Address: "bcrt1qxyz", All: true},
		"bcrt1qxyz=ALL":         {Address: "bcrt1qxyz", All: true},
		"bitcoin:bcrt1qxyz=0.1": {Address: "bcrt1qxyz", Amount: 10_000_000},
		"bitcoin:bcrt1qxyz?amount=0.1&label=a%20b": {Address: "bcrt1qxyz", Amount: 10_000_000, Label: "a b"},
	} {
		if got, err := parseRecipient(s); err != nil || got != want {
			t.Errorf("%q is %+v, %v", s, got, err)
		}
	}
	if _, err := parseRecipient("bitcoin:bcrt1qxyz?label=x"); err == nil || !strings.Contains(err.Error(), "no amount") {
		t.Errorf("a link without an amount: %v", err)
	}
}
