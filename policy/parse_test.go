package policy

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// testRoster is a wallet of 3 of 5: ana, boris, chen, and two robots.
func testRoster() Roster {
	var members []Member
	for i, name := range []string{"ana", "boris", "chen", "vault-1", "vault-2"} {
		members = append(members, Member{Key: Key(i), Names: []string{name, fmt.Sprintf("%08x", i)}})
	}
	return Roster{Members: members, Threshold: 3, Script: "wsh", Check: func(text string, descriptor bool) (string, error) {
		switch {
		case descriptor && strings.HasPrefix(text, "wpkh("), !descriptor && strings.HasPrefix(text, "bc1q"):
			return text, nil
		case !descriptor && strings.HasPrefix(text, "BC1Q"):
			return strings.ToLower(text), nil
		case strings.HasPrefix(text, "tb1q"):
			return "", errors.New("it is an address of testnet")
		}
		return "", errors.New("it is no address")
	}}
}

const example = `title        = "Operations"
change_delay = "72h"              # before a looser policy takes effect
tolerate     = 1                  # robots' keys that may be bad; default all
robots       = ["vault-1", "vault-2"]
groups.finance = ["ana", "boris"]
groups.board   = ["ana", "chen", "Boris"]
recipients.acme = { addresses = ["bc1qb", "BC1QA"], descriptor = "wpkh(xpub/0/*)#abc" }
meters.daily  = { limit = "0.25btc", window = "24h", per = "group", pool = "50%" }
meters.person = { limit = "5000000sat", window = "1d", per = "initiator" }

[[rules]]
name    = "suppliers"
when    = { to = ["acme"], initiator = ["finance"] }
require = { amount_max = "0.05btc", fee_max = ["2%", "10000sat"], fee_rate_max = "200sat/vB", outputs_max = 20, meters = ["person", "daily"],
            approvals = [{ of = "finance", n = 1 }], hours = "Mon-Fri 08:00-18:00 Europe/Berlin", delay = "1h" }
then    = "sign"
else    = "ask"
ask     = [{ who = "board", n = 2, within = "24h", amount_max = "0.2btc", meters = ["daily"] }, { who = ["finance", "chen"], within = "24h" }]

[[rules]]
name = "dust"
when = { kind = ["consolidation", "cancel"], coins = { label = ["small", "dust"], by = "board" }, script = "wsh" }
require = { fee_max = "0.0001btc", inputs_max = 100, confirmations = 6, age_min = "7d", change_max = "99.5%", amount_min = "1sat", initiator_counts = true }
then = "sign"

[[rules]]
name = "rest"
then = "deny"
`

func TestParse(t *testing.T) {
	got, err := Parse([]byte(example), testRoster())
	if err != nil {
		t.Fatal(err)
	}
	want := &Policy{
		Version: 1, Title: "Operations", ChangeDelay: 72 * 3600, Robots: KeysOf(3, 4), Tolerate: 1, StartQuorum: 2,
		Groups:     []Group{{"board", KeysOf(0, 1, 2)}, {"finance", KeysOf(0, 1)}},
		Recipients: []Recipient{{"acme", []string{"bc1qa", "bc1qb"}, []string{"wpkh(xpub/0/*)#abc"}, DefaultLookahead}},
		Meters:     []Meter{{"daily", 25_000_000, 86400, PerGroup, 50}, {"person", 5_000_000, 86400, PerInitiator, 0}},
		Rules: []Rule{{
			Name: "suppliers", When: When{Kinds: []Kind{Payment}, Initiators: Who{Groups: []uint64{1}}, To: []uint64{0}},
			Require: Require{
				AmountMax: 5_000_000, FeeMax: 10_000, FeeShareMax: 20_000, FeeRateMax: 200_000, OutputsMax: 20, Meters: []uint64{0, 1},
				Approvals: []Approval{{Who{Groups: []uint64{1}}, 1}}, Hours: []Hours{{31, 480, 1080, "Europe/Berlin"}}, Delay: 3600,
			},
			Then: Sign, Else: Ask, Steps: []Step{
				{Who: Who{Groups: []uint64{0}}, N: 2, Within: 86400, AmountMax: 20_000_000, Meters: []uint64{0}},
				{Who: Who{Groups: []uint64{1}, Keys: KeysOf(2)}, Within: 86400},
			},
		}, {
			Name: "dust", When: When{Kinds: []Kind{Consolidation, Cancel}, Labels: &Labels{[]string{"dust", "small"}, Who{Groups: []uint64{0}}}, Scripts: []string{"wsh"}},
			Require: Require{FeeMax: 10_000, InputsMax: 100, Confirmations: 6, AgeMin: 7 * 86400, ChangeShareMax: 995_000, AmountMin: 1, InitiatorCounts: true},
			Then:    Sign, Else: Deny,
		}, {
			Name: "rest", When: When{Kinds: []Kind{1, 2, 3, 4, 5, 6, 7, 8, 9}}, Then: Deny, Else: Deny,
		}},
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
}

// A rule may ask for no lock time, and be asked for none; a step keeps to it.
func TestParseLockTime(t *testing.T) {
	for _, with := range []bool{false, true} {
		text := example
		if with {
			text = strings.Replace(text, "outputs_max = 20,", "outputs_max = 20, locktime = \"none\",", 1)
		}
		p, err := Parse([]byte(text), testRoster())
		if err != nil || p.Rules[0].Require.NoLockTime != with {
			t.Fatalf("%v: %+v, %v", with, p, err)
		}
		if n := strings.Count(p.RuleSentence(0, testNames), "it has no lock time"); with && n != 2 || !with && n != 0 {
			t.Errorf("%v: %s", with, p.RuleSentence(0, testNames))
		}
		f := payment()
		f.Pays[0].Amount, f.Uses, f.LockTime = 10_000_000, []Use{{Meter: 0, Share: 25_000_000}, {Meter: 1, Share: 5_000_000}}, 1
		f.Now, f.Approved, f.Initiator, f.Zones = 1_700_030_000, KeysOf(0, 1, 2), 0, []Zone{{"Europe/Berlin", 7200}}
		if v := Decide(p, f); (v.Outcome == OutcomeSign) == with {
			t.Errorf("%v, by the answer of those asked: %+v", with, v)
		}
	}
}

// What is left out has the defaults that the manual says.
func TestParseDefaults(t *testing.T) {
	got, err := Parse([]byte("title = \"T\"\nrobots = [\"vault-1\", \"vault-2\"]\n"), testRoster())
	if err != nil {
		t.Fatal(err)
	}
	want := &Policy{Version: 1, Title: "T", ChangeDelay: 72 * 3600, Robots: KeysOf(3, 4), Tolerate: 2, StartQuorum: 2}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
}

// A table under a header is the same as one in a line.
func TestParseHeaders(t *testing.T) {
	const headers = `
title = "T"
robots = ["vault-1"]
[groups]
finance = ["ana"]
[recipients.acme]
addresses = "bc1qa"
[meters.daily]
limit = "1btc"
window = "1d12h"
[[rules]]
name = "a"
then = "sign"
[rules.when]
to = "acme"
[rules.require]
meters = "daily"
[[rules.require.approvals]]
of = "finance"
n = 1
`
	got, err := Parse([]byte(headers), testRoster())
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Rules) != 1 || len(got.Rules[0].Require.Approvals) != 1 || len(got.Rules[0].When.To) != 1 || got.Meters[0].Window != 36*3600 {
		t.Errorf("%+v", got)
	}
}
