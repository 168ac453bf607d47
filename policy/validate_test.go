package policy

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// Each rule of the typed form, broken once, as a member who writes the canonical form by hand
// could break it.
func TestValidateRefuses(t *testing.T) {
	good, err := Parse([]byte(example), testRoster())
	if err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("x", MaxName+1)
	rule := func(do func(*Rule)) func(*Policy) { return func(p *Policy) { do(&p.Rules[0]) } }
	for name, c := range map[string]struct {
		do   func(*Policy)
		want string
	}{
		"version":            {func(p *Policy) { p.Version = 2 }, "version: "},
		"no title":           {func(p *Policy) { p.Title = "" }, "title: "},
		"long title":         {func(p *Policy) { p.Title = long }, "title: "},
		"title hides":        {func(p *Policy) { p.Title = "a\u202eb" }, "title: "},
		"title no UTF-8":     {func(p *Policy) { p.Title = "a\xff" }, "title: "},
		"title ends":         {func(p *Policy) { p.Title = "a " }, "title: "},
		"change below zero":  {func(p *Policy) { p.ChangeDelay = -1 }, "change_delay: "},
		"change too long":    {func(p *Policy) { p.ChangeDelay = MaxChangeDelay + 1 }, "change_delay: "},
		"no robots":          {func(p *Policy) { p.Robots = 0 }, "robots: "},
		"tolerate":           {func(p *Policy) { p.Tolerate = 3 }, "tolerate: "},
		"quorum":             {func(p *Policy) { p.StartQuorum = MaxKeys }, "start_quorum: "},
		"groups in disorder": {func(p *Policy) { p.Groups[0], p.Groups[1] = p.Groups[1], p.Groups[0] }, `group "board": it is not in the order`},
		"groups of one name": {func(p *Policy) { p.Groups[1].Name = "board" }, `group "board": there are two`},
		"group of nobody":    {func(p *Policy) { p.Groups[0].Keys = 0 }, `group "board": it has no members`},
		"group hides":        {func(p *Policy) { p.Groups[1].Name = "x\x1b" }, `group number 2: of its name`},
		"many groups":        {func(p *Policy) { p.Groups = make([]Group, MaxGroups+1) }, "groups: "},
		"recipient of none":  {func(p *Policy) { p.Recipients[0] = Recipient{Name: "acme"} }, `recipient "acme": it has neither`},
		"long address":       {func(p *Policy) { p.Recipients[0].Addresses[0] = strings.Repeat("b", maxAddress+1) }, `recipient "acme", addresses number 1: `},
		"empty address":      {func(p *Policy) { p.Recipients[0].Addresses[0] = "" }, `addresses number 1: it is empty`},
		"address twice":      {func(p *Policy) { p.Recipients[0].Addresses[1] = "bc1qa" }, `addresses number 2: it is a recipient already`},
		"address disorder":   {func(p *Policy) { p.Recipients[0].Addresses[0] = "bc1qz" }, `addresses number 2: it is not in order`},
		"address elsewhere": {func(p *Policy) {
			p.Recipients = append(p.Recipients, Recipient{Name: "b", Addresses: []string{"bc1qa"}})
		}, `recipient "b", addresses number 1: it is a recipient already, "acme"`},
		"no lookahead":         {func(p *Policy) { p.Recipients[0].Lookahead = 0 }, "lookahead: "},
		"far lookahead":        {func(p *Policy) { p.Recipients[0].Lookahead = MaxLookahead + 1 }, "lookahead: "},
		"lookahead of nothing": {func(p *Policy) { p.Recipients[0].Descriptors = nil }, "lookahead: "},
		"many addresses": {func(p *Policy) {
			p.Recipients[0].Addresses = nil
			for i := range MaxAddresses {
				p.Recipients[0].Addresses = append(p.Recipients[0].Addresses, fmt.Sprintf("bc1q%04d", i))
			}
		}, "more than 1024"},
		"limit of zero":      {func(p *Policy) { p.Meters[0].Limit = 0 }, `meter "daily", limit: `},
		"limit below zero":   {func(p *Policy) { p.Meters[0].Limit = -1 }, "limit: "},
		"limit above all":    {func(p *Policy) { p.Meters[0].Limit = MaxAmount + 1 }, "limit: "},
		"window of zero":     {func(p *Policy) { p.Meters[0].Window = 0 }, "window: "},
		"window too long":    {func(p *Policy) { p.Meters[0].Window = MaxWindow + 1 }, "window: "},
		"per what":           {func(p *Policy) { p.Meters[0].Per = 3 }, "per: "},
		"pool":               {func(p *Policy) { p.Meters[0].Pool = 101 }, "pool: "},
		"many rules":         {func(p *Policy) { p.Rules = make([]Rule, MaxRules+1) }, "rules: "},
		"rule's name":        {rule(func(r *Rule) { r.Name = "" }), `rule number 1, name: `},
		"rules of one name":  {rule(func(r *Rule) { r.Name = "rest" }), `rule "rest", name: another`},
		"no kind":            {rule(func(r *Rule) { r.When.Kinds = nil }), `rule "suppliers", when.kind: `},
		"kind zero":          {rule(func(r *Rule) { r.When.Kinds = []Kind{0} }), "when.kind: "},
		"kind ten":           {rule(func(r *Rule) { r.When.Kinds = []Kind{10} }), "when.kind: "},
		"kind twice":         {rule(func(r *Rule) { r.When.Kinds = []Kind{1, 1} }), "when.kind: "},
		"initiators":         {rule(func(r *Rule) { r.When.Initiators.Groups = []uint64{2} }), "when.initiator: there is no group"},
		"initiators twice":   {rule(func(r *Rule) { r.When.Initiators.Groups = []uint64{1, 1} }), "when.initiator: a group is named twice"},
		"huge group":         {rule(func(r *Rule) { r.When.Initiators.Groups = []uint64{1 << 63} }), "when.initiator: "},
		"to":                 {rule(func(r *Rule) { r.When.To = []uint64{1} }), "when.to: there is no recipient"},
		"to nobody":          {rule(func(r *Rule) { r.When.Kinds = []Kind{Cancel} }), "when.to: "},
		"label of none":      {rule(func(r *Rule) { r.When.Labels = &Labels{By: Who{Keys: 1}} }), "when.coins.label: "},
		"label of nobody":    {rule(func(r *Rule) { r.When.Labels = &Labels{Any: []string{"a"}} }), "when.coins.by: "},
		"labels disorder":    {rule(func(r *Rule) { r.When.Labels = &Labels{[]string{"b", "a"}, Who{Keys: 1}} }), "when.coins.label: "},
		"label by none":      {rule(func(r *Rule) { r.When.Labels = &Labels{[]string{"a"}, Who{Groups: []uint64{9}}} }), "when.coins.by: "},
		"scripts":            {rule(func(r *Rule) { r.When.Scripts = []string{"b", "a"} }), "when.script: "},
		"many scripts":       {rule(func(r *Rule) { r.When.Scripts = make([]string, maxScripts+1) }), "when.script: "},
		"amount below zero":  {rule(func(r *Rule) { r.Require.AmountMax = -1 }), "require.amount_max: "},
		"amount above all":   {rule(func(r *Rule) { r.Require.AmountMax = MaxAmount + 1 }), "require.amount_max: "},
		"amounts":            {rule(func(r *Rule) { r.Require.AmountMin = r.Require.AmountMax + 1 }), "require.amount_min: "},
		"amount and meter":   {rule(func(r *Rule) { r.Require.AmountMax, r.Require.AmountMin = 0, 5_000_001 }), "require.amount_min: "},
		"fee":                {rule(func(r *Rule) { r.Require.FeeMax = -1 }), "require.fee_max: "},
		"fee share":          {rule(func(r *Rule) { r.Require.FeeShareMax = whole + 1 }), "require.fee_max: "},
		"fee rate":           {rule(func(r *Rule) { r.Require.FeeRateMax = maxFeeRate + 1 }), "require.fee_rate_max: "},
		"inputs":             {rule(func(r *Rule) { r.Require.InputsMax = maxCount + 1 }), "require.inputs_max: "},
		"outputs":            {rule(func(r *Rule) { r.Require.OutputsMax = 1 << 63 }), "require.outputs_max: "},
		"change":             {rule(func(r *Rule) { r.Require.ChangeShareMax = whole + 1 }), "require.change_max: "},
		"confirmations":      {rule(func(r *Rule) { r.Require.Confirmations = -1 }), "require.confirmations: "},
		"age":                {rule(func(r *Rule) { r.Require.AgeMin = MaxWindow + 1 }), "require.age_min: "},
		"delay":              {rule(func(r *Rule) { r.Require.Delay = MaxDelay + 1 }), "require.delay: "},
		"meters":             {rule(func(r *Rule) { r.Require.Meters = []uint64{2} }), "require.meters: "},
		"many approvals":     {rule(func(r *Rule) { r.Require.Approvals = make([]Approval, maxApprovals+1) }), "require.approvals: "},
		"approval of none":   {rule(func(r *Rule) { r.Require.Approvals[0].N = 0 }), "approvals number 1.n: "},
		"approval of many":   {rule(func(r *Rule) { r.Require.Approvals[0].N = 3 }), "approvals number 1.n: "},
		"approval of nobody": {rule(func(r *Rule) { r.Require.Approvals[0].Of = Who{} }), "approvals number 1.of: "},
		"approval of robots": {rule(func(r *Rule) { r.Require.Approvals[0].Of = Who{Keys: KeysOf(3, 4)} }), "nobody can satisfy it"},
		"approval of groups": {rule(func(r *Rule) { r.Require.Approvals[0].Of = Who{Groups: []uint64{7}} }), "approvals number 1.of: there is no group"},
		"many hours":         {rule(func(r *Rule) { r.Require.Hours = make([]Hours, maxHours+1) }), "require.hours: "},
		"hours of no day":    {rule(func(r *Rule) { r.Require.Hours[0].Days = 0 }), "hours number 1: "},
		"hours of 8 days":    {rule(func(r *Rule) { r.Require.Hours[0].Days = 255 }), "hours number 1: "},
		"hours empty":        {rule(func(r *Rule) { r.Require.Hours[0].From = r.Require.Hours[0].To }), "hours number 1: "},
		"hours past a day":   {rule(func(r *Rule) { r.Require.Hours[0].To = 1441 }), "hours number 1: "},
		"no zone":            {rule(func(r *Rule) { r.Require.Hours[0].Zone = "" }), "hours number 1: "},
		"the machine's":      {rule(func(r *Rule) { r.Require.Hours[0].Zone = "Local" }), "hours number 1: "},
		"a file":             {rule(func(r *Rule) { r.Require.Hours[0].Zone = "../../etc/localtime" }), "hours number 1: "},
		"many zones": {rule(func(r *Rule) {
			for _, z := range []string{"UTC", "Europe/Paris", "Europe/Rome", "Asia/Tokyo", "Asia/Dubai", "Africa/Cairo"} {
				r.Require.Hours = append(r.Require.Hours, Hours{1, 0, 1, z})
			}
		}), "hours number 7: there are more than 6 zones"},
		"then nothing":     {rule(func(r *Rule) { r.Then = 0 }), "then: "},
		"then what":        {rule(func(r *Rule) { r.Then = 4 }), "then: "},
		"else signs":       {rule(func(r *Rule) { r.Else = Sign }), "else: "},
		"else nothing":     {rule(func(r *Rule) { r.Else = 0 }), "else: "},
		"deny requires":    {rule(func(r *Rule) { r.Then = Deny }), "require: "},
		"deny asks":        {func(p *Policy) { p.Rules[2].Else = Ask }, `rule "rest", else: `},
		"ask without":      {rule(func(r *Rule) { r.Steps = nil }), "ask: it is to ask"},
		"steps without":    {rule(func(r *Rule) { r.Else = Deny }), "ask: neither"},
		"many steps":       {rule(func(r *Rule) { r.Steps = make([]Step, MaxSteps+1) }), "ask: there are 9"},
		"step of nobody":   {rule(func(r *Rule) { r.Steps[0].Who = Who{} }), "ask number 1.who: "},
		"step of groups":   {rule(func(r *Rule) { r.Steps[0].Who.Groups = []uint64{5} }), "ask number 1.who: "},
		"step of no time":  {rule(func(r *Rule) { r.Steps[1].Within = 0 }), "ask number 2.within: "},
		"step too long":    {rule(func(r *Rule) { r.Steps[1].Within = MaxDelay + 1 }), "ask number 2.within: "},
		"step of many":     {rule(func(r *Rule) { r.Steps[0].N = 4 }), "ask number 1.n: "},
		"step of robots":   {rule(func(r *Rule) { r.Steps[0].Who = Who{Keys: KeysOf(0, 3, 4)} }), "ask number 1.n: nobody can"},
		"step's amount":    {rule(func(r *Rule) { r.Steps[0].AmountMax = -1 }), "ask number 1.amount_max: "},
		"step's meters":    {rule(func(r *Rule) { r.Steps[0].Meters = []uint64{1, 0} }), "ask number 1.meters: "},
		"step bounds":      {rule(func(r *Rule) { r.Steps[1].AmountMax = 5 }), "ask number 2: without n"},
		"small amounts":    {rule(func(r *Rule) { r.Require.AmountMin, r.Require.AmountMax = 2, 1 }), "require.amount_min: "},
		"hours of the 8th": {rule(func(r *Rule) { r.Require.Hours[0].Days = 128 }), "hours number 1: it names no day"},
		"step bounds by 1": {rule(func(r *Rule) { r.Steps[1].AmountMax = 1 }), "ask number 2: without n"},
		"step of a meter":  {rule(func(r *Rule) { r.Steps[1].Meters = []uint64{0} }), "ask number 2: without n"},
		"step of a robot":  {rule(func(r *Rule) { r.Steps[0].Who, r.Steps[0].N = Who{Keys: KeysOf(3)}, 1 }), "ask number 1.n: nobody can"},
		"unreachable": {func(p *Policy) {
			p.Rules[0], p.Rules[2] = p.Rules[2], p.Rules[0]
		}, `rule "dust": it can never be reached`},
		"unreachable by two": {func(p *Policy) {
			deny := func(name string, k Kind) Rule {
				return Rule{Name: name, When: When{Kinds: []Kind{k}}, Then: Deny, Else: Deny}
			}
			p.Rules = []Rule{deny("one", Consolidation), deny("two", Cancel), p.Rules[1]}
		}, `rule "dust": it can never be reached`},
		"too long": {func(p *Policy) {
			for i := range 200 {
				p.Recipients = append(p.Recipients, Recipient{Name: fmt.Sprintf("b%03d", i), Addresses: []string{fmt.Sprintf("bc1q%03d%s", i, strings.Repeat("x", 100))}})
			}
			p.Recipients[0].Addresses = nil
			for i := range 500 {
				p.Recipients[0].Addresses = append(p.Recipients[0].Addresses, fmt.Sprintf("bc1p%03d%s", i, strings.Repeat("x", 100)))
			}
		}, "bytes in its canonical form"},
	} {
		p := clonePolicy(t, good)
		c.do(p)
		err := p.Validate()
		var e *Error
		if !errors.As(err, &e) || !strings.Contains(err.Error(), c.want) || e.Line != 0 {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
		if got, err := Decode(Encode(p)); err == nil {
			t.Errorf("%s: decoded as %+v", name, got)
		}
	}
}

// A policy of another wallet does not fit.
func TestFitsRefuses(t *testing.T) {
	good, err := Parse([]byte(example), testRoster())
	if err != nil {
		t.Fatal(err)
	}
	if err := good.Fits(5, 3); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		n, k int
		do   func(*Policy)
		want string
	}{
		"no wallet":        {5, 6, func(*Policy) {}, "no policy is for"},
		"of none":          {5, 0, func(*Policy) {}, "no policy is for"},
		"of many":          {65, 3, func(*Policy) {}, "no policy is for"},
		"a robot":          {4, 3, func(*Policy) {}, "robots: "},
		"a group's":        {5, 3, func(p *Policy) { p.Groups[0].Keys |= KeysOf(5) }, `group "board"`},
		"who hears":        {5, 3, func(p *Policy) { p.StartQuorum = 5 }, "start_quorum: a robot has 4"},
		"who hears nobody": {5, 3, func(p *Policy) { p.StartQuorum = 0 }, "start_quorum: "},
		"an initiator":     {5, 3, func(p *Policy) { p.Rules[0].When.Initiators = Who{Keys: KeysOf(0, 63)} }, "when.initiator: "},
		"whose label":      {5, 3, func(p *Policy) { p.Rules[1].When.Labels.By = Who{Keys: KeysOf(9)} }, "when.coins.by: "},
		"who approves":     {5, 3, func(p *Policy) { p.Rules[0].Require.Approvals[0].Of.Keys = KeysOf(5) }, "approvals number 1.of: "},
		"who is asked":     {5, 3, func(p *Policy) { p.Rules[0].Steps[1].Who.Keys = KeysOf(6) }, "ask number 2.who: "},
		"approves oneself": {5, 3, func(p *Policy) { p.Rules[0].Require.Approvals[0].N = 2 }, "approvals number 1.n: nobody can"},
		"answers oneself":  {5, 3, func(p *Policy) { p.Rules[0].Steps[0].Who, p.Rules[0].Steps[0].N = Who{Groups: []uint64{1}}, 2 }, "ask number 1.n: nobody can"},
		"approve each other": {5, 3, func(p *Policy) {
			p.Rules[0].Require.Approvals = []Approval{{Who{Keys: KeysOf(0)}, 1}, {Who{Keys: KeysOf(1)}, 1}}
		}, "nobody can satisfy all"},
	} {
		p := clonePolicy(t, good)
		c.do(p)
		var e *Error
		if err := p.Fits(c.n, c.k); !errors.As(err, &e) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	for _, w := range []struct {
		n, k int
		p    Policy
	}{{1, 1, Policy{Robots: 1}}, {64, 64, Policy{Robots: 1 << 63, StartQuorum: 63}}, {64, 1, Policy{Robots: ^Keys(0), StartQuorum: 1}}, {2, 2, Policy{Robots: 3, StartQuorum: 1}}} {
		if err := w.p.Fits(w.n, w.k); err != nil {
			t.Errorf("%d of %d: %v", w.k, w.n, err)
		}
	}
	if err := (&Policy{Robots: 1}).Fits(2, 1); err == nil {
		t.Error("the robot of two hears nobody")
	}
	// Where who proposes counts, they may be all that there are.
	p := clonePolicy(t, good)
	p.Rules[0].Require.InitiatorCounts, p.Rules[0].Require.Approvals[0].N = true, 2
	if err := p.Fits(5, 3); err != nil {
		t.Error(err)
	}
}

// Whatever the typed form holds, it is checked without a panic.
func TestValidateNeverPanics(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.Make[Policy]().Draw(t, "p")
		if p.Validate() == nil && p.Fits(5, 3) == nil {
			_ = p.Sentences(testNames)
		}
		q := drawAny(t, "q")
		n := rapid.IntRange(0, 70).Draw(t, "n")
		if q.Validate() == nil {
			_, _, _ = q.Fits(n, rapid.IntRange(0, 70).Draw(t, "k")), q.Sentences(testNames), q.WorstSentences(n, 3, testNames)
			_, _ = Tighter(q, q, testNames)
		}
	})
}

// Each bound may be reached.
func TestValidateTakesTheBounds(t *testing.T) {
	good, err := Parse([]byte(example), testRoster())
	if err != nil {
		t.Fatal(err)
	}
	rule := func(do func(*Rule)) func(*Policy) { return func(p *Policy) { do(&p.Rules[0]) } }
	for name, do := range map[string]func(*Policy){
		"change":    func(p *Policy) { p.ChangeDelay = MaxChangeDelay },
		"no change": func(p *Policy) { p.ChangeDelay = 0 },
		"tolerate":  func(p *Policy) { p.Tolerate = 2 },
		"limit": func(p *Policy) {
			p.Meters[0].Limit, p.Meters[0].Window, p.Meters[0].Pool, p.Meters[0].Per = MaxAmount, MaxWindow, 100, PerRecipient
		},
		"small limit": func(p *Policy) { p.Meters[0].Limit, p.Meters[0].Window = 1, 1 },
		"lookahead":   func(p *Policy) { p.Recipients[0].Lookahead = MaxLookahead },
		"amounts":     rule(func(r *Rule) { r.Require.AmountMin = r.Require.AmountMax }),
		"least alone": rule(func(r *Rule) { r.Require.AmountMin, r.Require.AmountMax = 5_000_000, 0 }),
		"figures": rule(func(r *Rule) {
			r.Require = Require{AmountMax: MaxAmount, FeeMax: MaxAmount, FeeShareMax: whole, FeeRateMax: maxFeeRate, InputsMax: maxCount, OutputsMax: maxCount, ChangeShareMax: whole, Confirmations: maxCount, AgeMin: MaxWindow, Delay: MaxDelay}
		}),
		"approvals":      rule(func(r *Rule) { r.Require.Approvals = slices.Repeat(r.Require.Approvals, maxApprovals) }),
		"all approve":    rule(func(r *Rule) { r.Require.Approvals = []Approval{{Who{Keys: KeysOf(0, 1, 2, 3)}, 3}} }),
		"hours":          rule(func(r *Rule) { r.Require.Hours = slices.Repeat([]Hours{{127, 0, 1440, "UTC"}}, maxHours) }),
		"steps":          rule(func(r *Rule) { r.Steps = slices.Repeat(r.Steps, MaxSteps/2) }),
		"a short step":   rule(func(r *Rule) { r.Steps[1].Within = 1 }),
		"a long step":    rule(func(r *Rule) { r.Steps[1].Within, r.Steps[0].N = MaxDelay, 3 }),
		"one answers":    rule(func(r *Rule) { r.Steps[0].N = 1; r.Steps[0].AmountMax = 1 }),
		"scripts":        rule(func(r *Rule) { r.When.Scripts = []string{"a", "b", "c", "d", "e", "f", "g", "h"} }),
		"no rule at all": func(p *Policy) { p.Rules = nil },
	} {
		p := clonePolicy(t, good)
		do(p)
		if err := p.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A rule behind one that is for all that it is for is never reached; behind a narrower one it is.
func TestCovers(t *testing.T) {
	p := &Policy{Groups: []Group{{"f", KeysOf(0, 1)}}}
	for name, c := range map[string]struct {
		wide, narrow When
		want         bool
	}{
		"all":                     {When{}, When{}, true},
		"some initiators":         {When{}, When{Initiators: Who{Keys: 1}}, true},
		"not all initiators":      {When{Initiators: Who{Keys: 1}}, When{}, false},
		"of a group":              {When{Initiators: Who{Groups: []uint64{0}}}, When{Initiators: Who{Keys: KeysOf(1)}}, true},
		"not of a group":          {When{Initiators: Who{Groups: []uint64{0}}}, When{Initiators: Who{Keys: KeysOf(1, 2)}}, false},
		"some are paid":           {When{}, When{To: []uint64{1}}, true},
		"fewer are paid":          {When{To: []uint64{0, 1}}, When{To: []uint64{1}}, true},
		"others are paid":         {When{To: []uint64{0}}, When{To: []uint64{0, 1}}, false},
		"anybody is paid":         {When{To: []uint64{0}}, When{}, false},
		"a script":                {When{}, When{Scripts: []string{"a"}}, true},
		"fewer scripts":           {When{Scripts: []string{"a", "b"}}, When{Scripts: []string{"a"}}, true},
		"other scripts":           {When{Scripts: []string{"a"}}, When{Scripts: []string{"b"}}, false},
		"any script":              {When{Scripts: []string{"a"}}, When{}, false},
		"labels":                  {When{}, When{Labels: &Labels{[]string{"a"}, Who{Keys: 1}}}, true},
		"fewer labels":            {When{Labels: &Labels{[]string{"a", "b"}, Who{Keys: 3}}}, When{Labels: &Labels{[]string{"a"}, Who{Keys: 1}}}, true},
		"other labels":            {When{Labels: &Labels{[]string{"a"}, Who{Keys: 3}}}, When{Labels: &Labels{[]string{"b"}, Who{Keys: 1}}}, false},
		"labels of others":        {When{Labels: &Labels{[]string{"a"}, Who{Keys: 1}}}, When{Labels: &Labels{[]string{"a"}, Who{Keys: 2}}}, false},
		"any label":               {When{Labels: &Labels{[]string{"a"}, Who{Keys: 1}}}, When{}, false},
		"initiators, not whom":    {When{Initiators: Who{Keys: 1}, To: []uint64{0}}, When{Initiators: Who{Keys: 1}}, false},
		"whom, not who initiates": {When{Initiators: Who{Keys: 1}, To: []uint64{0}}, When{To: []uint64{0}}, false},
	} {
		if got := p.covers(c.wide, c.narrow); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
		// The same of rules: one of another kind between them changes nothing.
		c.wide.Kinds, c.narrow.Kinds = []Kind{Payment, Bump}, []Kind{Payment, Bump}
		q := &Policy{Groups: p.Groups, Rules: []Rule{{When: When{Kinds: []Kind{Sweep}}}, {When: When{Kinds: []Kind{Payment, Bump}, To: []uint64{9}}}, {Name: "by", When: c.wide}, {When: c.narrow}}}
		if by, got := q.covered(3); got != c.want || got && by != "by" {
			t.Errorf("%s, of rules: %v by %q", name, got, by)
		}
	}
}
