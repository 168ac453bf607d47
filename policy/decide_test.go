package policy

import (
	"slices"
	"testing"
)

// The members of these tests, by key.
const (
	ana Key = iota
	boris
	chen
	dora
	vault // the robot
)

// suppliers is a policy with one rule of every part, which each test changes.
func suppliers() *Policy {
	return &Policy{
		Version: Language, Robots: KeysOf(vault), Tolerate: 1, StartQuorum: 2,
		Groups:     []Group{{"board", KeysOf(ana, chen, dora)}, {"finance", KeysOf(ana, boris)}},
		Recipients: []Recipient{{Name: "acme"}, {Name: "bolt"}},
		Meters:     []Meter{{Name: "daily", Limit: 1000, Window: 86400}, {Name: "person", Limit: 500, Window: 86400, Per: PerInitiator}, {Name: "to", Limit: 900, Window: 86400, Per: PerRecipient}},
		Rules: []Rule{{
			Name: "suppliers", Then: Sign, Else: Deny,
			When:    When{Kinds: []Kind{Payment}, Initiators: Who{Groups: []uint64{1}}, To: []uint64{0}},
			Require: Require{AmountMax: 500, Approvals: []Approval{{Who{Groups: []uint64{0}}, 1}}, Meters: []uint64{0}},
		}},
	}
}

// payment is one that suppliers signs.
func payment() *Facts {
	return &Facts{
		Robot: vault, Kind: Payment, Initiator: boris, Script: "wsh", Inputs: 2, Outputs: 2, In: 1000, Own: 590, Fee: 10, VSize: 100,
		Pays: []Pay{{To: []uint64{0}, Amount: 400, Outputs: 1}}, Confirmations: 6, Age: 3600, Approved: KeysOf(ana, boris),
		Now: 1_700_000_000, Height: 800_000, Heard: 2,
		Uses: []Use{{Meter: 0, Charge: 410, Takes: 410, Used: 100, Share: 1000}},
	}
}

func TestDecide(t *testing.T) {
	deny := func(why ...Reason) Verdict { return Verdict{Outcome: OutcomeDeny, Reasons: why} }
	byRule := func(v Verdict) Verdict { v.Rule = 1; return v }
	for name, c := range map[string]struct {
		change func(*Policy, *Facts)
		want   Verdict
	}{
		"as it is": {func(p *Policy, f *Facts) {}, byRule(Verdict{Outcome: OutcomeSign})},

		// What comes before all rules.
		"not ready":                  {func(p *Policy, f *Facts) { f.Unready = "restored"; f.Tainted = true }, Verdict{Outcome: OutcomeWait, Reasons: []Reason{"restored"}}},
		"too few heard":              {func(p *Policy, f *Facts) { f.Heard = 1 }, Verdict{Outcome: OutcomeWait, Reasons: []Reason{ReasonStart}}},
		"more heard":                 {func(p *Policy, f *Facts) { f.Heard = 3 }, byRule(Verdict{Outcome: OutcomeSign})},
		"tainted":                    {func(p *Policy, f *Facts) { f.Tainted = true }, deny(ReasonNoInitiator)},
		"claims to be what it is":    {func(p *Policy, f *Facts) { f.Claim = Payment }, byRule(Verdict{Outcome: OutcomeSign})},
		"claims to be a bump":        {func(p *Policy, f *Facts) { f.Claim = Bump }, deny(ReasonFalseKind)},
		"the operator is against it": {func(p *Policy, f *Facts) { f.Rejected = KeysOf(vault) }, deny(ReasonOwnVote)},
		"another robot is against":   {func(p *Policy, f *Facts) { f.Rejected = KeysOf(dora) }, byRule(Verdict{Outcome: OutcomeSign})},
		"frozen":                     {func(p *Policy, f *Facts) { f.Frozen = true }, deny(ReasonFrozen)},
		"another way to spend":       {func(p *Policy, f *Facts) { f.Level = 1 }, deny(ReasonLevel)},
		"a rule for all refuses":     {func(p *Policy, f *Facts) { f.Refused = []string{"coin_frozen", "dust"} }, deny("coin_frozen", "dust")},
		"several": {func(p *Policy, f *Facts) { f.Tainted, f.Frozen, f.Refused = true, true, []string{"dust"} },
			deny(ReasonNoInitiator, ReasonFrozen, "dust")},
		"a rule for all waits": {func(p *Policy, f *Facts) { f.Hindered = []string{"chain_behind"} }, byRule(Verdict{Outcome: OutcomeWait, Reasons: []Reason{"chain_behind"}})},

		// Which rule decides.
		"another kind":            {func(p *Policy, f *Facts) { f.Kind = Cancel }, deny(ReasonNoRule)},
		"another initiator":       {func(p *Policy, f *Facts) { f.Initiator = chen }, deny(ReasonNoRule)},
		"a stranger is paid":      {func(p *Policy, f *Facts) { f.Pays[0].To = nil }, deny(ReasonNoRule)},
		"a stranger is paid, too": {func(p *Policy, f *Facts) { f.Pays = append(f.Pays, Pay{Amount: 1, Outputs: 1}) }, deny(ReasonNoRule)},
		"another recipient":       {func(p *Policy, f *Facts) { f.Pays[0].To = []uint64{1} }, deny(ReasonNoRule)},
		"one of several's script": {func(p *Policy, f *Facts) { f.Pays[0].To = []uint64{0, 1} }, byRule(Verdict{Outcome: OutcomeSign})},
		"nobody is paid":          {func(p *Policy, f *Facts) { f.Pays = nil }, deny(ReasonNoRule)},
		"anybody may be paid":     {func(p *Policy, f *Facts) { p.Rules[0].When.To = nil; f.Pays[0].To = nil }, byRule(Verdict{Outcome: OutcomeSign})},
		"anybody may propose":     {func(p *Policy, f *Facts) { p.Rules[0].When.Initiators = Who{}; f.Initiator = dora }, byRule(Verdict{Outcome: OutcomeSign})},
		"one by himself may":      {func(p *Policy, f *Facts) { p.Rules[0].When.Initiators = Who{Keys: KeysOf(dora)}; f.Initiator = dora }, byRule(Verdict{Outcome: OutcomeSign})},
		"no label":                {func(p *Policy, f *Facts) { p.Rules[0].When.Labels = &Labels{} }, deny(ReasonNoRule)},
		"labelled":                {func(p *Policy, f *Facts) { p.Rules[0].When.Labels = &Labels{}; f.Labelled = []uint64{0} }, byRule(Verdict{Outcome: OutcomeSign})},
		"labelled for another":    {func(p *Policy, f *Facts) { p.Rules[0].When.Labels = &Labels{}; f.Labelled = []uint64{1} }, deny(ReasonNoRule)},
		"another script":          {func(p *Policy, f *Facts) { p.Rules[0].When.Scripts = []string{"tr"} }, deny(ReasonNoRule)},
		"the script":              {func(p *Policy, f *Facts) { p.Rules[0].When.Scripts = []string{"tr", "wsh"} }, byRule(Verdict{Outcome: OutcomeSign})},
		"the rule denies":         {func(p *Policy, f *Facts) { p.Rules[0].Then = Deny }, byRule(deny(ReasonRule))},
		"the first of two decides": {func(p *Policy, f *Facts) {
			p.Rules = append(p.Rules, p.Rules[0])
			p.Rules[0].Then = Deny
		}, byRule(deny(ReasonRule))},
		"the second where the first is for others": {func(p *Policy, f *Facts) {
			p.Rules = append(p.Rules, p.Rules[0])
			p.Rules[0].When.Kinds = []Kind{Cancel}
		}, Verdict{Outcome: OutcomeSign, Rule: 2}},
		"a smaller figure hands nothing on": {func(p *Policy, f *Facts) {
			p.Rules = append(p.Rules, p.Rules[0])
			p.Rules[0].Require.AmountMax = 399
		}, byRule(deny(ReasonAmountMax))},
		"recovery at its level": {func(p *Policy, f *Facts) { f.Level, f.Kind = 1, Recover; p.Rules[0].When.Kinds = []Kind{Recover} }, byRule(Verdict{Outcome: OutcomeSign})},
		"refresh at its level":  {func(p *Policy, f *Facts) { f.Level, f.Kind = 1, Refresh; p.Rules[0].When.Kinds = []Kind{Refresh} }, byRule(Verdict{Outcome: OutcomeSign})},
		"sweep at its level":    {func(p *Policy, f *Facts) { f.Level, f.Kind = 1, Sweep; p.Rules[0].When.Kinds = []Kind{Sweep} }, byRule(Verdict{Outcome: OutcomeSign})},

		// What a rule requires, at its edge and past it.
		"amount at the most":   {func(p *Policy, f *Facts) { p.Rules[0].Require.AmountMax = 400 }, byRule(Verdict{Outcome: OutcomeSign})},
		"amount over the most": {func(p *Policy, f *Facts) { p.Rules[0].Require.AmountMax = 399 }, byRule(deny(ReasonAmountMax))},
		"amounts add up": {func(p *Policy, f *Facts) {
			f.Pays = append(f.Pays, Pay{To: []uint64{0, 1}, Amount: 101, Outputs: 1})
		}, byRule(deny(ReasonAmountMax))},
		"no bound":               {func(p *Policy, f *Facts) { p.Rules[0].Require.AmountMax = 0 }, byRule(Verdict{Outcome: OutcomeSign})},
		"amount at the least":    {func(p *Policy, f *Facts) { p.Rules[0].Require.AmountMin = 400 }, byRule(Verdict{Outcome: OutcomeSign})},
		"amount under the least": {func(p *Policy, f *Facts) { p.Rules[0].Require.AmountMin = 401 }, byRule(deny(ReasonAmountMin))},
		"a lock time":            {func(p *Policy, f *Facts) { f.LockTime = 1 }, byRule(Verdict{Outcome: OutcomeSign})},
		"no lock time":           {func(p *Policy, f *Facts) { p.Rules[0].Require.NoLockTime = true }, byRule(Verdict{Outcome: OutcomeSign})},
		"a lock time for none":   {func(p *Policy, f *Facts) { p.Rules[0].Require.NoLockTime, f.LockTime = true, 1 }, byRule(deny(ReasonLockTime))},
		"fee at the most":        {func(p *Policy, f *Facts) { p.Rules[0].Require.FeeMax = 10 }, byRule(Verdict{Outcome: OutcomeSign})},
		"fee over the most":      {func(p *Policy, f *Facts) { p.Rules[0].Require.FeeMax = 9 }, byRule(deny(ReasonFee))},
		"fee at its share":       {func(p *Policy, f *Facts) { p.Rules[0].Require.FeeShareMax = 25_000 }, byRule(Verdict{Outcome: OutcomeSign})},
		"fee over its share":     {func(p *Policy, f *Facts) { p.Rules[0].Require.FeeShareMax = 24_999 }, byRule(deny(ReasonFee))},
		"both bounds of a fee":   {func(p *Policy, f *Facts) { p.Rules[0].Require.FeeMax, p.Rules[0].Require.FeeShareMax = 10, 24_999 }, byRule(deny(ReasonFee))},
		"and the other one":      {func(p *Policy, f *Facts) { p.Rules[0].Require.FeeMax, p.Rules[0].Require.FeeShareMax = 9, 25_000 }, byRule(deny(ReasonFee))},
		"fee share of the coins where nobody is paid": {func(p *Policy, f *Facts) {
			f.Pays, f.Own, p.Rules[0].When.To, p.Rules[0].Require.FeeShareMax = nil, 990, nil, 10_000
		}, byRule(Verdict{Outcome: OutcomeSign})},
		"and over it": {func(p *Policy, f *Facts) {
			f.Pays, f.Own, p.Rules[0].When.To, p.Rules[0].Require.FeeShareMax = nil, 990, nil, 9_999
		}, byRule(deny(ReasonFee))},
		"fee rate at the most":   {func(p *Policy, f *Facts) { p.Rules[0].Require.FeeRateMax = 100 }, byRule(Verdict{Outcome: OutcomeSign})},
		"fee rate over the most": {func(p *Policy, f *Facts) { p.Rules[0].Require.FeeRateMax = 99 }, byRule(deny(ReasonFeeRate))},
		"inputs at the most":     {func(p *Policy, f *Facts) { p.Rules[0].Require.InputsMax = 2 }, byRule(Verdict{Outcome: OutcomeSign})},
		"inputs over the most":   {func(p *Policy, f *Facts) { p.Rules[0].Require.InputsMax = 1 }, byRule(deny(ReasonInputs))},
		"outputs at the most":    {func(p *Policy, f *Facts) { p.Rules[0].Require.OutputsMax = 2 }, byRule(Verdict{Outcome: OutcomeSign})},
		"outputs over the most":  {func(p *Policy, f *Facts) { p.Rules[0].Require.OutputsMax = 1 }, byRule(deny(ReasonOutputs))},
		"change at its share":    {func(p *Policy, f *Facts) { p.Rules[0].Require.ChangeShareMax = 590_000 }, byRule(Verdict{Outcome: OutcomeSign})},
		"change over its share":  {func(p *Policy, f *Facts) { p.Rules[0].Require.ChangeShareMax = 589_999 }, byRule(deny(ReasonChange))},
		"confirmed often enough": {func(p *Policy, f *Facts) { p.Rules[0].Require.Confirmations = 6 }, byRule(Verdict{Outcome: OutcomeSign})},
		"not confirmed enough":   {func(p *Policy, f *Facts) { p.Rules[0].Require.Confirmations = 7 }, byRule(Verdict{Outcome: OutcomeWait, Reasons: []Reason{ReasonConfirmations}})},
		"old enough":             {func(p *Policy, f *Facts) { p.Rules[0].Require.AgeMin = 3600 }, byRule(Verdict{Outcome: OutcomeSign})},
		"too young":              {func(p *Policy, f *Facts) { p.Rules[0].Require.AgeMin = 3605 }, byRule(Verdict{Outcome: OutcomeWait, Reasons: []Reason{ReasonAge}, Next: 1_700_000_005})},
		"all that never holds":   {func(p *Policy, f *Facts) { p.Rules[0].Require.AmountMax, p.Rules[0].Require.InputsMax = 1, 1 }, byRule(deny(ReasonAmountMax, ReasonInputs))},
		"never outranks not yet": {func(p *Policy, f *Facts) { p.Rules[0].Require.AmountMax = 1; f.Approved = 0 }, byRule(deny(ReasonAmountMax))},
		"no figure overflows": {func(p *Policy, f *Facts) {
			p.Rules[0].Require.FeeShareMax = 999_999
			f.Fee = 2_100_000_000_000_000
			f.Pays[0].Amount = f.Fee
			p.Rules[0].Require.AmountMax = 0
			f.Uses[0].Charge = 0
		}, byRule(deny(ReasonFee))},
		"a negative fee is none":  {func(p *Policy, f *Facts) { p.Rules[0].Require.FeeShareMax = 1; f.Fee = -1 }, byRule(deny(ReasonFee))},
		"nor is a negative VSize": {func(p *Policy, f *Facts) { p.Rules[0].Require.FeeRateMax = 1000; f.VSize = -1 }, byRule(deny(ReasonFeeRate))},

		// Who approves.
		"not approved":                 {func(p *Policy, f *Facts) { f.Approved = KeysOf(boris) }, byRule(Verdict{Outcome: OutcomeWait, Reasons: []Reason{ReasonApprovals}})},
		"the initiator does not count": {func(p *Policy, f *Facts) { f.Initiator, f.Approved = ana, KeysOf(ana) }, byRule(Verdict{Outcome: OutcomeWait, Reasons: []Reason{ReasonApprovals}})},
		"or counts where the rule says": {func(p *Policy, f *Facts) {
			f.Initiator, f.Approved = ana, KeysOf(ana)
			p.Rules[0].Require.InitiatorCounts = true
		}, byRule(Verdict{Outcome: OutcomeSign})},
		"who is against it approves none": {func(p *Policy, f *Facts) { f.Rejected = KeysOf(ana) }, byRule(Verdict{Outcome: OutcomeWait, Reasons: []Reason{ReasonApprovals}})},
		"too few":                         {func(p *Policy, f *Facts) { p.Rules[0].Require.Approvals[0].N = 2 }, byRule(Verdict{Outcome: OutcomeWait, Reasons: []Reason{ReasonApprovals}})},
		"enough": {func(p *Policy, f *Facts) { p.Rules[0].Require.Approvals[0].N = 2; f.Approved |= KeysOf(dora) },
			byRule(Verdict{Outcome: OutcomeSign})},
		"each of several": {func(p *Policy, f *Facts) {
			p.Rules[0].Require.Approvals = append(p.Rules[0].Require.Approvals, Approval{Who{Keys: KeysOf(dora)}, 1})
		}, byRule(Verdict{Outcome: OutcomeWait, Reasons: []Reason{ReasonApprovals}})},

		// Meters.
		"a meter to the brim": {func(p *Policy, f *Facts) { f.Uses[0].Used = 590 }, byRule(Verdict{Outcome: OutcomeSign})},
		"a full meter": {func(p *Policy, f *Facts) { f.Uses[0].Used, f.Uses[0].Lapsing = 591, 1_700_000_100 },
			byRule(Verdict{Outcome: OutcomeWait, Reasons: []Reason{ReasonMeterFull}, Next: 1_700_000_100})},
		"a full meter that only the chain empties": {func(p *Policy, f *Facts) { f.Uses[0].Used = 591 }, byRule(Verdict{Outcome: OutcomeWait, Reasons: []Reason{ReasonMeterFull}})},
		"as much as a meter lets through":          {func(p *Policy, f *Facts) { f.Uses[0].Share, f.Uses[0].Used = 410, 0 }, byRule(Verdict{Outcome: OutcomeSign})},
		"more than a meter ever lets through":      {func(p *Policy, f *Facts) { f.Uses[0].Share, f.Uses[0].Used = 409, 0 }, byRule(deny(ReasonMeterMax))},
		"more than there is now": {func(p *Policy, f *Facts) { f.Uses[0].Share, f.Uses[0].Later, f.Uses[0].Used = 409, true, 0 },
			byRule(Verdict{Outcome: OutcomeWait, Reasons: []Reason{ReasonMeterFull}})},
		"what comes later lets nothing out now": {func(p *Policy, f *Facts) { f.Uses[0].Used, f.Uses[0].Later = 591, true },
			byRule(Verdict{Outcome: OutcomeWait, Reasons: []Reason{ReasonMeterFull}})},
		"a meter of which nothing is known": {func(p *Policy, f *Facts) { f.Uses = nil }, byRule(deny(ReasonFacts))},
		"the meter of another":              {func(p *Policy, f *Facts) { f.Uses[0].Meter = 1 }, byRule(deny(ReasonFacts))},
		"a meter of recipients and nobody paid": {func(p *Policy, f *Facts) {
			f.Pays, p.Rules[0].When.To, p.Rules[0].Require.Meters, f.Uses = nil, nil, []uint64{2}, nil
		}, byRule(Verdict{Outcome: OutcomeSign})},
		"a meter of recipients of which nothing is known": {func(p *Policy, f *Facts) { p.Rules[0].Require.Meters = []uint64{2} }, byRule(deny(ReasonFacts))},
		"each of a meter": {func(p *Policy, f *Facts) {
			p.Rules[0].Require.Meters = []uint64{2}
			f.Uses = []Use{{Meter: 2, Charge: 1, Takes: 1, Share: 1}, {Meter: 2, Charge: 1, Takes: 1, Used: 1, Share: 1}}
		}, byRule(Verdict{Outcome: OutcomeWait, Reasons: []Reason{ReasonMeterFull}})},

		// The pool.
		"leave is asked for": {func(p *Policy, f *Facts) { f.Uses[0].Used, f.Uses[0].Pool = 591, 410 },
			byRule(Verdict{Outcome: OutcomeWait, Reasons: []Reason{ReasonMeterFull}, Reserve: []uint64{0}})},
		"not while something else is waited for": {func(p *Policy, f *Facts) { f.Uses[0].Used, f.Uses[0].Pool, f.Approved = 591, 410, 0 },
			byRule(Verdict{Outcome: OutcomeWait, Reasons: []Reason{ReasonApprovals, ReasonMeterFull}})},
		"not for what is denied": {func(p *Policy, f *Facts) { f.Uses[0].Used, f.Uses[0].Pool, p.Rules[0].Require.AmountMax = 591, 410, 1 },
			byRule(deny(ReasonAmountMax))},
		"more than the pool": {func(p *Policy, f *Facts) { f.Uses[0].Used, f.Uses[0].Pool = 591, 409 }, byRule(Verdict{Outcome: OutcomeWait, Reasons: []Reason{ReasonMeterFull}})},
		"more than share and pool": {func(p *Policy, f *Facts) { f.Uses[0].Share, f.Uses[0].Pool = 409, 409 },
			byRule(deny(ReasonMeterMax))},
		"leave is asked for, whatever comes later": {func(p *Policy, f *Facts) { f.Uses[0].Used, f.Uses[0].Pool, f.Uses[0].Later = 591, 410, true },
			byRule(Verdict{Outcome: OutcomeWait, Reasons: []Reason{ReasonMeterFull}, Reserve: []uint64{0}})},
		"more than the share, and the pool takes it": {func(p *Policy, f *Facts) { f.Uses[0].Share, f.Uses[0].Pool = 409, 410 },
			byRule(Verdict{Outcome: OutcomeWait, Reasons: []Reason{ReasonMeterFull}, Reserve: []uint64{0}})},
		"leave was asked for": {func(p *Policy, f *Facts) { f.Uses[0].Used, f.Uses[0].Pool, f.Uses[0].Reserved = 591, 410, true },
			byRule(Verdict{Outcome: OutcomeWait, Reasons: []Reason{ReasonGrants}})},
		"leave was given":      {func(p *Policy, f *Facts) { f.Uses[0].Used, f.Uses[0].Pool, f.Uses[0].Granted = 591, 410, true }, byRule(Verdict{Outcome: OutcomeSign})},
		"leave without a pool": {func(p *Policy, f *Facts) { f.Uses[0].Used, f.Uses[0].Granted = 591, true }, byRule(Verdict{Outcome: OutcomeWait, Reasons: []Reason{ReasonMeterFull}})},

		// The delay.
		"the delay begins": {func(p *Policy, f *Facts) { p.Rules[0].Require.Delay = 60 },
			byRule(Verdict{Outcome: OutcomeWait, Reasons: []Reason{ReasonDelay}, Fulfilled: true, Next: 1_700_000_060})},
		"the delay runs": {func(p *Policy, f *Facts) { p.Rules[0].Require.Delay, f.Fulfilled = 60, 1_699_999_941 },
			byRule(Verdict{Outcome: OutcomeWait, Reasons: []Reason{ReasonDelay}, Fulfilled: true, Next: 1_700_000_001})},
		"the delay is over":                     {func(p *Policy, f *Facts) { p.Rules[0].Require.Delay, f.Fulfilled = 60, 1_699_999_940 }, byRule(Verdict{Outcome: OutcomeSign})},
		"somebody is against it in the delay":   {func(p *Policy, f *Facts) { p.Rules[0].Require.Delay, f.Rejected = 60, KeysOf(dora) }, byRule(deny(ReasonRejected))},
		"the clock is in doubt":                 {func(p *Policy, f *Facts) { p.Rules[0].Require.Delay, f.Fulfilled, f.Doubt = 60, 1, true }, byRule(Verdict{Outcome: OutcomeWait, Reasons: []Reason{ReasonClock}, Fulfilled: true})},
		"no delay begins by a doubtful clock":   {func(p *Policy, f *Facts) { p.Rules[0].Require.Delay, f.Doubt = 60, true }, byRule(Verdict{Outcome: OutcomeWait, Reasons: []Reason{ReasonClock}})},
		"no delay begins before all else holds": {func(p *Policy, f *Facts) { p.Rules[0].Require.Delay, f.Approved = 60, 0 }, byRule(Verdict{Outcome: OutcomeWait, Reasons: []Reason{ReasonApprovals}})},
		"what no longer holds ends the delay":   {func(p *Policy, f *Facts) { p.Rules[0].Require.Delay, f.Fulfilled, f.Approved = 60, 1, 0 }, byRule(Verdict{Outcome: OutcomeWait, Reasons: []Reason{ReasonApprovals}})},
		"a doubt without a delay or hours":      {func(p *Policy, f *Facts) { f.Doubt = true }, byRule(Verdict{Outcome: OutcomeSign})},
	} {
		t.Run(name, func(t *testing.T) {
			p, f := suppliers(), payment()
			c.change(p, f)
			if got := Decide(p, f); !same(got, c.want) {
				t.Fatalf("it says %+v, want %+v", got, c.want)
			}
		})
	}
}

func same(a, b Verdict) bool {
	return a.Outcome == b.Outcome && a.Rule == b.Rule && slices.Equal(a.Reasons, b.Reasons) && a.Step == b.Step && a.Until == b.Until &&
		a.Next == b.Next && a.Fulfilled == b.Fulfilled && slices.Equal(a.Reserve, b.Reserve)
}

// Whom a rule asks, one after the other, and what an answer lets it do.
func TestAsk(t *testing.T) {
	const now = 1_700_000_000
	above := Verdict{Outcome: OutcomeAsk, Rule: 1, Reasons: []Reason{ReasonAmountMax}, Step: 1, Until: now + 3600, Next: now + 3600}
	step := func(v Verdict, n uint64, until int64) Verdict { v.Step, v.Until, v.Next = n, until, until; return v }
	deny := func(n uint64, until int64, why ...Reason) Verdict {
		return Verdict{Outcome: OutcomeDeny, Rule: 1, Reasons: why, Step: n, Until: until}
	}
	for name, c := range map[string]struct {
		change func(*Policy, *Facts)
		want   Verdict
	}{
		"the first is asked":      {func(p *Policy, f *Facts) {}, above},
		"he has time":             {func(p *Policy, f *Facts) { f.Step, f.Asked = 1, now-3599 }, step(above, 1, now+1)},
		"his time is over":        {func(p *Policy, f *Facts) { f.Step, f.Asked = 1, now-3600 }, step(above, 2, now+60)},
		"not by a doubtful clock": {func(p *Policy, f *Facts) { f.Step, f.Asked, f.Doubt = 1, now-3600, true }, step(above, 1, now)},
		"the last one's is over":  {func(p *Policy, f *Facts) { f.Step, f.Asked = 2, now-60 }, deny(3, 0, ReasonAmountMax, ReasonAnswers)},
		"there is no such step":   {func(p *Policy, f *Facts) { f.Step, f.Asked = 3, now }, deny(3, 0, ReasonAmountMax, ReasonAnswers)},
		"too few answer":          {func(p *Policy, f *Facts) { f.Approved = KeysOf(ana) }, above},
		"he answers":              {func(p *Policy, f *Facts) { f.Approved = KeysOf(ana, chen) }, Verdict{Outcome: OutcomeSign, Rule: 1, Step: 1}},
		"another's is no answer":  {func(p *Policy, f *Facts) { f.Approved = KeysOf(ana, boris) }, above},
		"the initiator's is none": {func(p *Policy, f *Facts) {
			p.Rules[0].When.Initiators = Who{}
			f.Initiator, f.Approved = ana, KeysOf(ana, chen)
		}, above},
		"but where he counts": {func(p *Policy, f *Facts) {
			p.Rules[0].When.Initiators, p.Rules[0].Require.InitiatorCounts = Who{}, true
			f.Initiator, f.Approved = ana, KeysOf(ana, chen)
		}, Verdict{Outcome: OutcomeSign, Rule: 1, Step: 1}},
		"who is against it answers no":        {func(p *Policy, f *Facts) { f.Rejected, f.Approved = KeysOf(ana), KeysOf(ana, chen) }, above},
		"so many that the others are too few": {func(p *Policy, f *Facts) { f.Rejected = KeysOf(ana, dora) }, deny(1, now+3600, ReasonAmountMax, ReasonRejected)},
		"an answer lifts no other bound": {func(p *Policy, f *Facts) { f.Approved = KeysOf(ana, chen); p.Rules[0].Require.FeeMax = 9 },
			Verdict{Outcome: OutcomeAsk, Rule: 1, Reasons: []Reason{ReasonFee}, Step: 1, Until: now + 3600, Next: now + 3600}},
		"nor that of its step": {func(p *Policy, f *Facts) { f.Approved = KeysOf(ana, chen); p.Rules[0].Steps[0].AmountMax = 399 }, above},
		"nor a meter": {func(p *Policy, f *Facts) { f.Approved, f.Uses[0].Used = KeysOf(ana, chen), 591 },
			Verdict{Outcome: OutcomeWait, Rule: 1, Reasons: []Reason{ReasonMeterFull}, Step: 1, Until: now + 3600, Next: now + 3600}},
		"which is looked at before the step ends": {func(p *Policy, f *Facts) {
			f.Approved, f.Uses[0].Used, f.Uses[0].Lapsing = KeysOf(ana, chen), 591, now+5
		}, Verdict{Outcome: OutcomeWait, Rule: 1, Reasons: []Reason{ReasonMeterFull}, Step: 1, Until: now + 3600, Next: now + 5}},
		"or when it ends": {func(p *Policy, f *Facts) {
			f.Approved, f.Uses[0].Used, f.Uses[0].Lapsing = KeysOf(ana, chen), 591, now+3601
		}, Verdict{Outcome: OutcomeWait, Rule: 1, Reasons: []Reason{ReasonMeterFull}, Step: 1, Until: now + 3600, Next: now + 3600}},
		"the second signs nothing":            {func(p *Policy, f *Facts) { f.Step, f.Asked, f.Approved = 2, now, KeysOf(ana, boris) }, step(above, 2, now+60)},
		"whom it asks may be its initiator":   {func(p *Policy, f *Facts) { f.Step, f.Asked, p.Rules[0].Steps[1].Who = 2, now, Who{Keys: KeysOf(boris)} }, step(above, 2, now+60)},
		"all of whom are against it":          {func(p *Policy, f *Facts) { f.Step, f.Asked, f.Rejected = 2, now, KeysOf(ana, boris) }, deny(2, now+60, ReasonAmountMax, ReasonRejected)},
		"a rule that asks first":              {func(p *Policy, f *Facts) { p.Rules[0].Then, p.Rules[0].Require.AmountMax = Ask, 400 }, func() Verdict { v := above; v.Reasons = []Reason{ReasonRule}; return v }()},
		"a rule that asks, when all is there": {func(p *Policy, f *Facts) { p.Rules[0].Then, p.Rules[0].Require.AmountMax, f.Approved = Ask, 400, 0 }, Verdict{Outcome: OutcomeWait, Rule: 1, Reasons: []Reason{ReasonApprovals}}},
	} {
		t.Run(name, func(t *testing.T) {
			p, f := suppliers(), payment()
			r := &p.Rules[0]
			r.Else, r.Require.AmountMax = Ask, 100
			r.Steps = []Step{
				{Who: Who{Groups: []uint64{0}}, N: 2, Within: 3600, AmountMax: 450, Meters: []uint64{0}},
				{Who: Who{Groups: []uint64{1}}, Within: 60},
			}
			f.Approved = KeysOf(ana)
			c.change(p, f)
			if got := Decide(p, f); !same(got, c.want) {
				t.Fatalf("it says %+v, want %+v", got, c.want)
			}
		})
	}
}

func TestHours(t *testing.T) {
	const thursday = 1_700_092_800 // 16 November 2023, 00:00 UTC
	week := Hours{Days: 0b0011111, From: 8 * 60, To: 18 * 60, Zone: "Europe/Berlin"}
	for name, c := range map[string]struct {
		hours  []Hours
		now    int64 // since thursday, UTC
		offset int64
		next   int64 // since thursday, or -1: now
	}{
		"in them":               {[]Hours{week}, 12 * 3600, 0, -1},
		"at the first second":   {[]Hours{week}, 8 * 3600, 0, -1},
		"before it":             {[]Hours{week}, 8*3600 - 1, 0, 8 * 3600},
		"at the last second":    {[]Hours{week}, 18*3600 - 1, 0, -1},
		"after it":              {[]Hours{week}, 18 * 3600, 0, 32 * 3600},
		"by the zone, before":   {[]Hours{week}, 6 * 3600, 3600, 7 * 3600},
		"by the zone, in":       {[]Hours{week}, 7 * 3600, 3600, -1},
		"west of it":            {[]Hours{week}, 12 * 3600, -5 * 3600, 13 * 3600},
		"on Friday evening":     {[]Hours{week}, 42 * 3600, 0, 104 * 3600},
		"on Sunday":             {[]Hours{week}, 80 * 3600, 0, 104 * 3600},
		"on Saturday alone":     {[]Hours{{Days: 0b0100000, From: 60, To: 120, Zone: "Europe/Berlin"}}, 0, 0, 49 * 3600},
		"all day Sunday":        {[]Hours{{Days: 0b1000000, From: 0, To: 1440, Zone: "Europe/Berlin"}}, 96*3600 - 1, 0, -1},
		"not on Monday":         {[]Hours{{Days: 0b1000000, From: 0, To: 1440, Zone: "Europe/Berlin"}}, 96 * 3600, 0, 240 * 3600},
		"in a week":             {[]Hours{{Days: 0b0001000, From: 0, To: 60, Zone: "Europe/Berlin"}}, 3600, 0, 168 * 3600},
		"the sooner of two":     {[]Hours{{Days: 0b0100000, From: 60, To: 120, Zone: "Europe/Berlin"}, week}, 0, 0, 8 * 3600},
		"one of two":            {[]Hours{{Days: 0b0100000, From: 60, To: 120, Zone: "Europe/Berlin"}, week}, 9 * 3600, 0, -1},
		"no hours but a zone's": {[]Hours{{Days: 0b1111111, From: 0, To: 1440, Zone: "Mars/Base"}, week}, 0, 0, 8 * 3600},
	} {
		t.Run(name, func(t *testing.T) {
			p, f := suppliers(), payment()
			p.Rules[0].Require.Hours = c.hours
			f.Now, f.Zones = thursday+c.now, []Zone{{"Europe/Berlin", c.offset}}
			want := Verdict{Outcome: OutcomeSign, Rule: 1}
			if c.next >= 0 {
				want = Verdict{Outcome: OutcomeWait, Rule: 1, Reasons: []Reason{ReasonHours}, Next: thursday + c.next}
			}
			if got := Decide(p, f); !same(got, want) {
				t.Fatalf("it says %+v, want %+v", got, want)
			}
			f.Doubt = true
			if got, want := Decide(p, f), (Verdict{Outcome: OutcomeWait, Rule: 1, Reasons: []Reason{ReasonClock}}); !same(got, want) {
				t.Fatalf("with a doubtful clock it says %+v, want %+v", got, want)
			}
		})
	}
}

// Hours of a zone that is not known do not come.
func TestHoursOfAnUnknownZone(t *testing.T) {
	p, f := suppliers(), payment()
	p.Rules[0].Require.Hours = []Hours{{Days: 0b1111111, From: 0, To: 1440, Zone: "Mars/Base"}}
	if got, want := Decide(p, f), (Verdict{Outcome: OutcomeWait, Rule: 1, Reasons: []Reason{ReasonHours}}); !same(got, want) {
		t.Fatalf("it says %+v, want %+v", got, want)
	}
}

// What is waited for tells when it may change by itself only where all of it may.
func TestWaitsTogether(t *testing.T) {
	p, f := suppliers(), payment()
	p.Rules[0].Require.AgeMin, p.Rules[0].Require.Confirmations = 3605, 7
	f.Uses[0].Used, f.Uses[0].Lapsing = 591, f.Now+100
	want := Verdict{Outcome: OutcomeWait, Rule: 1, Reasons: []Reason{ReasonConfirmations, ReasonAge, ReasonMeterFull}}
	if got := Decide(p, f); !same(got, want) {
		t.Fatalf("it says %+v, want %+v", got, want)
	}
	f.Confirmations, want.Reasons, want.Next = 7, want.Reasons[1:], f.Now+100
	if got := Decide(p, f); !same(got, want) {
		t.Fatalf("it says %+v, want %+v", got, want)
	}
}
