package policy

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

const ceilingHead = "title = \"T\"\nmeters.d = { limit = \"1btc\", window = \"1d\" }\nrecipients.a = { addresses = [\"bc1qa\"] }\n"

// What a ceiling does not have is refused where it stands: a setting that does nothing would
// deceive whoever wrote it.
func TestCeilingRefuses(t *testing.T) {
	const rule = ceilingHead + "[[rules]]\nname = \"r\"\nthen = \"sign\"\n"
	const step = "ask = [{ who = \"ana\", within = \"1h\" }]\n"
	for name, c := range map[string]struct {
		text, want string
		alone      bool // refused of a signer's alone
	}{
		"robots":           {"title = \"T\"\n|robots = [\"ana\"]", "robots: a ceiling has none", false},
		"tolerate":         {"title = \"T\"\n|tolerate = 1", "tolerate: a ceiling has none", false},
		"start_quorum":     {"title = \"T\"\n|start_quorum = 1", "start_quorum: a ceiling has none", false},
		"change_delay":     {"title = \"T\"\n|change_delay = \"1h\"", "change_delay: a ceiling has none", false},
		"pool":             {ceilingHead + "meters.e = { limit = \"1btc\", window = \"1d\", |pool = \"5%\" }", "meter \"e\", pool: a ceiling has none", false},
		"delay":            {rule + "[rules.require]\n|delay = \"1h\"", "delay: a ceiling has none", false},
		"asks":             {rule + "|" + step, "ask: a ceiling has none", false},
		"then asks":        {ceilingHead + "[[rules]]\nname = \"r\"\nthen = |\"ask\"\n", "then: a ceiling has none", false},
		"else asks":        {rule + "else = |\"ask\"", "else: a ceiling has none", false},
		"groups":           {ceilingHead + "|groups.f = [\"ana\"]", "groups: the signer cannot tell", true},
		"initiator":        {rule + "[rules.when]\n|initiator = \"ana\"", "when.initiator: the signer cannot tell", true},
		"coins":            {rule + "[rules.when]\n|coins = { label = \"x\", by = \"ana\" }", "when.coins: the signer cannot tell", true},
		"kind":             {rule + "[rules.when]\nkind = [\"payment\", |\"bump\"]", "when.kind: the signer cannot tell", true},
		"one kind":         {rule + "[rules.when]\nkind = |\"cancel\"", "when.kind: the signer cannot tell", true},
		"kind of a denial": {ceilingHead + "[[rules]]\nname = \"r\"\nthen = \"deny\"\nwhen = { kind = |\"sweep\" }\n", "when.kind: the signer cannot tell", true},
		"confirmations":    {rule + "[rules.require]\n|confirmations = 1", "require.confirmations: the signer cannot tell", true},
		"age":              {rule + "[rules.require]\n|age_min = \"1h\"", "require.age_min: the signer cannot tell", true},
		"approvals":        {rule + "[rules.require]\n|approvals = [{ of = \"ana\", n = 1 }]", "require.approvals: the signer cannot tell", true},
		"initiator counts": {rule + "[rules.require]\n|initiator_counts = true", "require.initiator_counts: the signer cannot tell", true},
		"per initiator":    {ceilingHead + "meters.e = { limit = \"1btc\", window = \"1d\", per = |\"initiator\" }", "meter \"e\", per: the signer cannot tell", true},
		"unknown key":      {rule + "|els = \"deny\"", "unknown key \"els\"", false},
		"unknown member":   {rule + "[rules.when]\ninitiator = |\"dora\"", "\"dora\" is no group of the policy and no member", false},
	} {
		before, after, _ := strings.Cut(c.text, "|")
		text := before + after
		line := strings.Count(before, "\n") + 1
		column := len(before) - strings.LastIndexByte(before, '\n')
		_, err := ParseAlone([]byte(text), testRoster().Check)
		_, node := ParseCeiling([]byte(text), testRoster(), 3)
		for where, err := range map[string]error{"signer": err, "node": node} {
			var e *Error
			switch {
			case c.alone && where == "node":
				if err != nil {
					t.Errorf("%s: the node's ceiling refuses it: %v", name, err)
				}
			case where == "signer" && name == "unknown member": // for another reason
			case !errors.As(err, &e) || !strings.Contains(err.Error(), c.want) || e.Line != line || e.Column != column:
				t.Errorf("%s, %s: got %v, want %q at %d:%d", name, where, err, c.want, line, column)
			}
		}
		anyone := CheckCeiling([]byte(text), testRoster().Check)
		if want := !c.alone && name != "unknown member"; want != (anyone != nil) {
			t.Errorf("%s: for any wallet: %v", name, anyone)
		}
	}
}

// A ceiling is of one robot: its share is the whole limit, it hears nobody.
func TestCeilingReads(t *testing.T) {
	const text = ceilingHead + `groups.f = ["ana", "boris"]
meters.p = { limit = "0.1btc", window = "7d", per = "initiator" }
[[rules]]
name = "r"
when = { to = "a", initiator = "f" }
require = { amount_max = "0.1btc", meters = ["d", "p"], approvals = [{ of = "f", n = 1 }], hours = "Mon-Fri 08:00-18:00 UTC", confirmations = 1 }
then = "sign"
`
	p, err := ParseCeiling([]byte(text), testRoster(), 3)
	if err != nil {
		t.Fatal(err)
	}
	if share, pool := p.Share(p.Meters[0], p.R(5, 3)); share != 100_000_000 || pool != 0 {
		t.Errorf("share %d, pool %d", share, pool)
	}
	f := Facts{Robot: 3, Kind: Payment, Script: "wsh", Inputs: 1, Outputs: 1, In: 1000, VSize: 100, Pays: []Pay{{To: []uint64{0}, Amount: 900, Outputs: 1}}, Fee: 100,
		Confirmations: 1, Approved: KeysOf(1), Now: 1_700_000_000 - 1_700_000_000%86400 + 10*3600, Zones: []Zone{{Name: "UTC"}},
		Uses: []Use{{Meter: 0, Charge: 1000, Takes: 1000, Share: 100_000_000}, {Meter: 1, Charge: 1000, Takes: 1000, Share: 10_000_000}}}
	if v := Decide(p, &f); v.Outcome != OutcomeSign {
		t.Errorf("%+v", v)
	}
	if err := CheckCeiling([]byte(text), testRoster().Check); err != nil {
		t.Error(err)
	}
	var many []string
	for i := range MaxKeys + 1 {
		many = append(many, fmt.Sprintf("%q", fmt.Sprint("member", i)))
	}
	if err := CheckCeiling([]byte("title = \"T\"\ngroups.g = ["+strings.Join(many, ",")+"]"), testRoster().Check); err == nil {
		t.Error("more members than any wallet has are taken")
	}
}

// FuzzCeiling: what either reader takes never stops the program, and is valid.
func FuzzCeiling(f *testing.F) {
	f.Add([]byte(ceilingHead + "[[rules]]\nname = \"r\"\nthen = \"sign\"\n"))
	f.Add([]byte(example))
	f.Add([]byte("meters = 5\nrules = [{ when = 3, require = 4, ask = [] }]\nrecipients = [1]\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if p, err := ParseAlone(text, testRoster().Check); err == nil && p.Validate() != nil {
			t.Error(p.Validate())
		}
		if p, err := ParseCeiling(text, testRoster(), 3); err == nil {
			if p.Validate() != nil || p.StartQuorum != 0 {
				t.Errorf("%+v", p)
			}
			if err := CheckCeiling(text, testRoster().Check); err != nil {
				t.Errorf("it fits a wallet, and none: %v", err)
			}
		}
	})
}
