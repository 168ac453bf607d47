package policy

import (
	"fmt"
	"slices"

	"pgregory.net/rapid"
)

// The wallet of random policies.
const (
	randomN = 5
	randomK = 3
)

// drawPolicy makes any policy that fits a wallet of 3 of 5 keys.
func drawPolicy(t *rapid.T, label string) *Policy {
	var p *Policy
	for try := range 8 {
		if p = drawAny(t, label); p.Validate() == nil && p.Fits(randomN, randomK) == nil {
			return p
		}
		if try > 3 {
			p.Rules = slices.DeleteFunc(p.Rules, func(r Rule) bool { return true })
		}
		for len(p.Rules) > 0 {
			p.Rules = p.Rules[:len(p.Rules)-1]
			if p.Validate() == nil && p.Fits(randomN, randomK) == nil {
				return p
			}
		}
	}
	return p
}

func drawAny(t *rapid.T, label string) *Policy {
	robots := Keys(rapid.Uint64Range(1, 1<<randomN-1).Draw(t, label+" robots"))
	p := &Policy{
		Version: Language, Title: rapid.SampledFrom([]string{"Operations", "Überweisungen", "金庫"}).Draw(t, label+" title"),
		ChangeDelay: rapid.Int64Range(0, MaxChangeDelay).Draw(t, label+" change"), Robots: robots,
		Tolerate: rapid.Uint64Range(0, uint64(robots.Count())).Draw(t, label+" tolerate"), StartQuorum: rapid.Uint64Range(1, randomN-1).Draw(t, label+" quorum"),
	}
	for i := range rapid.IntRange(0, 3).Draw(t, label+" groups") {
		p.Groups = append(p.Groups, Group{fmt.Sprintf("g%d", i), Keys(rapid.Uint64Range(1, 1<<randomN-1).Draw(t, label+" group"))})
	}
	for i := range rapid.IntRange(0, 3).Draw(t, label+" recipients") {
		r := Recipient{Name: fmt.Sprintf("r%d", i), Addresses: []string{fmt.Sprintf("bc1q%d", i)}}
		if rapid.Bool().Draw(t, label+" descriptor") {
			r.Descriptors, r.Lookahead = []string{fmt.Sprintf("wpkh(%d)", i)}, rapid.Uint64Range(1, MaxLookahead).Draw(t, label+" lookahead")
		}
		p.Recipients = append(p.Recipients, r)
	}
	for i := range rapid.IntRange(0, 3).Draw(t, label+" meters") {
		p.Meters = append(p.Meters, Meter{fmt.Sprintf("m%d", i), rapid.Int64Range(1, 10_000).Draw(t, label+" limit"), rapid.Int64Range(1, MaxWindow).Draw(t, label+" window"),
			Per(rapid.IntRange(0, 2).Draw(t, label+" per")), rapid.Uint64Range(0, 100).Draw(t, label+" pool")})
	}
	for i := range rapid.IntRange(0, 4).Draw(t, label+" rules") {
		p.Rules = append(p.Rules, drawRule(t, label, p, i))
	}
	return p
}

func drawRule(t *rapid.T, label string, p *Policy, i int) Rule {
	r := Rule{Name: fmt.Sprintf("rule %d", i), Then: Action(rapid.IntRange(1, 3).Draw(t, label+" then")), Else: Deny}
	for k := Payment; k <= Sweep; k++ {
		if rapid.IntRange(0, 3).Draw(t, label+" kind") == 0 {
			r.When.Kinds = append(r.When.Kinds, k)
		}
	}
	if len(r.When.Kinds) == 0 {
		r.When.Kinds = []Kind{Payment}
	}
	r.When.Initiators = drawWho(t, label, p, true)
	if r.When.To = drawIndexes(t, label, len(p.Recipients)); !slices.ContainsFunc(r.When.Kinds, Kind.payable) {
		r.When.To = nil
	}
	if rapid.IntRange(0, 4).Draw(t, label+" labels") == 0 {
		r.When.Labels = &Labels{rapid.SampledFrom([][]string{{"a"}, {"b"}, {"a", "b"}}).Draw(t, label+" texts"), drawWho(t, label, p, false)}
	}
	r.When.Scripts = rapid.SampledFrom([][]string{nil, nil, nil, {"wsh"}, {"tr", "wsh"}}).Draw(t, label+" scripts")
	if r.Then == Deny {
		return r
	}
	r.Require = drawRequire(t, label, p)
	if r.Then == Ask || rapid.Bool().Draw(t, label+" asks") {
		r.Else = Ask
		for range rapid.IntRange(1, 2).Draw(t, label+" steps") {
			s := Step{Who: drawWho(t, label, p, false), Within: rapid.Int64Range(1, 100_000).Draw(t, label+" within")}
			if s.N = rapid.Uint64Range(0, 2).Draw(t, label+" n"); s.N > 0 {
				s.AmountMax, s.Meters = drawBound(t, label), drawIndexes(t, label, len(p.Meters))
			}
			r.Steps = append(r.Steps, s)
		}
	}
	return r
}

func drawRequire(t *rapid.T, label string, p *Policy) Require {
	q := Require{
		AmountMax: drawBound(t, label), FeeMax: drawBound(t, label), FeeRateMax: drawBound(t, label), OutputsMax: uint64(drawBound(t, label)), InputsMax: uint64(drawBound(t, label)),
		FeeShareMax: uint64(drawBound(t, label)), ChangeShareMax: uint64(drawBound(t, label)), Confirmations: drawBound(t, label), AgeMin: drawBound(t, label),
		Meters: drawIndexes(t, label, len(p.Meters)), InitiatorCounts: rapid.Bool().Draw(t, label+" counts"), Delay: drawBound(t, label),
		NoLockTime: rapid.IntRange(0, 5).Draw(t, label+" locktime") == 0,
	}
	if q.AmountMax == 0 {
		q.AmountMin = drawBound(t, label)
	}
	for range rapid.SampledFrom([]int{0, 0, 1, 2}).Draw(t, label+" approvals") {
		q.Approvals = append(q.Approvals, Approval{drawWho(t, label, p, false), rapid.Uint64Range(1, 2).Draw(t, label+" n")})
	}
	for range rapid.SampledFrom([]int{0, 0, 0, 1, 2}).Draw(t, label+" hours") {
		from := rapid.IntRange(0, 1439).Draw(t, label+" from")
		q.Hours = append(q.Hours, Hours{uint8(rapid.IntRange(1, 127).Draw(t, label+" days")), uint16(from), uint16(rapid.IntRange(from+1, 1440).Draw(t, label+" to")),
			rapid.SampledFrom([]string{"UTC", "Europe/Berlin", "America/St_Johns"}).Draw(t, label+" zone")})
	}
	return q
}

func drawBound(t *rapid.T, label string) int64 {
	return rapid.SampledFrom([]int64{0, 0, 0, 0, 0, 1, 2, 5, 100, 1000, 5000, 6000}).Draw(t, label+" bound")
}

func drawIndexes(t *rapid.T, label string, n int) []uint64 {
	var out []uint64
	for i := range n {
		if rapid.IntRange(0, 2).Draw(t, label+" index") == 0 {
			out = append(out, uint64(i))
		}
	}
	return out
}

func drawWho(t *rapid.T, label string, p *Policy, none bool) Who {
	if none && rapid.Bool().Draw(t, label+" anybody") {
		return Who{}
	}
	w := Who{Groups: drawIndexes(t, label, len(p.Groups))}
	if len(w.Groups) == 0 || rapid.Bool().Draw(t, label+" besides") {
		w.Keys = Keys(rapid.Uint64Range(1, 1<<randomN-1).Draw(t, label+" who"))
	}
	return w
}
