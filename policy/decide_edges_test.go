package policy

import "testing"

// What a mutation of Decide showed that no test held.
func TestDecideEdges(t *testing.T) {
	const now = 1_700_000_000
	wait := func(next int64, why ...Reason) Verdict {
		return Verdict{Outcome: OutcomeWait, Rule: 1, Reasons: why, Next: next}
	}
	sign := Verdict{Outcome: OutcomeSign, Rule: 1}
	for name, c := range map[string]struct {
		change func(*Policy, *Facts)
		want   Verdict
	}{
		"a rate of fees to the satoshi": {func(p *Policy, f *Facts) {
			p.Rules[0].Require.FeeRateMax, p.Rules[0].Require.AmountMax, f.Fee = 9_999_999, 0, 1_000_000
		}, Verdict{Outcome: OutcomeDeny, Rule: 1, Reasons: []Reason{ReasonFeeRate}}},
		"no fee is within any share": {func(p *Policy, f *Facts) { p.Rules[0].Require.FeeShareMax, f.Fee = 1, 0 }, sign},
		"nothing of nothing":         {func(p *Policy, f *Facts) { p.Rules[0].Require.ChangeShareMax, f.In, f.Own = 1, 0, 0 }, sign},
		"an initiator of another key": {func(p *Policy, f *Facts) {
			p.Rules[0].When.Initiators, f.Initiator, f.Approved = Who{}, chen, KeysOf(chen)
		}, wait(0, ReasonApprovals)},
		"a use of another meter before": {func(p *Policy, f *Facts) { f.Uses = append([]Use{{Meter: 1, Charge: 9, Share: 1}}, f.Uses...) }, sign},
		"nothing taken of a full meter": {func(p *Policy, f *Facts) { f.Uses[0] = Use{Used: 1001, Share: 1000} }, wait(0, ReasonMeterFull)},
		"a pool of one satoshi": {func(p *Policy, f *Facts) { f.Uses[0] = Use{Takes: 1, Charge: 1, Used: 1, Share: 1, Pool: 1} },
			Verdict{Outcome: OutcomeWait, Rule: 1, Reasons: []Reason{ReasonMeterFull}, Reserve: []uint64{0}}},
		// What nobody knows the time of keeps the time of the rest from being told.
		"young, and hindered":     {func(p *Policy, f *Facts) { p.Rules[0].Require.AgeMin, f.Hindered = 3605, []string{"chain_behind"} }, wait(0, "chain_behind", ReasonAge)},
		"young, and not approved": {func(p *Policy, f *Facts) { p.Rules[0].Require.AgeMin, f.Approved = 3605, 0 }, wait(0, ReasonAge, ReasonApprovals)},
		"young, and leave is late": {func(p *Policy, f *Facts) {
			p.Rules[0].Require.AgeMin = 3605
			f.Uses[0].Used, f.Uses[0].Pool, f.Uses[0].Reserved = 591, 410, true
		}, wait(0, ReasonAge, ReasonGrants)},
		"young, and a doubtful clock": {func(p *Policy, f *Facts) {
			p.Rules[0].Require.AgeMin, p.Rules[0].Require.Hours, f.Doubt = 3605, []Hours{{Days: 127, To: 1440, Zone: "UTC"}}, true
		}, wait(0, ReasonAge, ReasonClock)},
		"hours of no day": {func(p *Policy, f *Facts) {
			p.Rules[0].Require.Hours, f.Zones = []Hours{{To: 1440, Zone: "UTC"}}, []Zone{{Name: "UTC"}}
		}, wait(now+8*day, ReasonHours)},
		"one answer, and it is the initiator's": {func(p *Policy, f *Facts) {
			r := &p.Rules[0]
			r.When.Initiators, f.Initiator, f.Approved = Who{}, chen, KeysOf(chen)
			r.Else, r.Require.AmountMax, r.Steps = Ask, 100, []Step{{Who: Who{Groups: []uint64{0}}, N: 1, Within: 60}}
		}, Verdict{Outcome: OutcomeAsk, Rule: 1, Reasons: []Reason{ReasonAmountMax}, Step: 1, Until: now + 60, Next: now + 60}},
	} {
		t.Run(name, func(t *testing.T) {
			p, f := suppliers(), payment()
			c.change(p, f)
			if got := Decide(p, f); !same(got, c.want) {
				t.Fatalf("it says %+v, want %+v", got, c.want)
			}
		})
	}
	p, f := suppliers(), payment()
	f.Tainted = true
	if _, ok := Match(p, f); ok {
		t.Fatal("a rule is for what nobody began")
	}
}
