package policy

import (
	"math/bits"
	"slices"
)

func (p *Policy) checkRules() error {
	var top place
	if len(p.Rules) > MaxRules {
		return top.in("rules").wrong("there are %d, at most %d", len(p.Rules), MaxRules)
	}
	for i, r := range p.Rules {
		at := named("rules", i, "rule", r.Name)
		if err := checkText(r.Name, MaxName); err != nil {
			return at.in("name").wrong("%v", err)
		}
		if slices.ContainsFunc(p.Rules[:i], func(o Rule) bool { return o.Name == r.Name }) {
			return at.in("name").wrong("another rule has this name")
		}
		if err := firstOf(p.checkWhen(at.in("when"), r.When), p.checkRequire(at.in("require"), r.Require), p.checkActions(at, r)); err != nil {
			return err
		}
		if by, ok := p.covered(i); ok {
			return at.wrong("it can never be reached: whatever it is for, rule %q before it is for", by)
		}
	}
	return nil
}

// payable are the kinds that pay somebody else.
func (k Kind) payable() bool { return k == Payment || k == Bump || k == Recover || k == Sweep }

func (p *Policy) checkWhen(at place, w When) error {
	if len(w.Kinds) == 0 {
		return at.in("kind").wrong("the rule is for no kind of transaction")
	}
	for i, k := range w.Kinds {
		if k < Payment || k > Sweep {
			return at.in("kind").wrong("there is no kind number %d", k)
		}
		if i > 0 && w.Kinds[i-1] >= k {
			return at.in("kind").wrong("a kind is named twice, or out of order")
		}
	}
	if len(w.To) > 0 && !slices.ContainsFunc(w.Kinds, Kind.payable) {
		return at.in("to").wrong("what the rule is for pays nobody but the wallet, so it never holds")
	}
	if err := firstOf(p.checkWho(at.in("initiator"), w.Initiators), ascending(at.in("to"), "recipient", w.To, len(p.Recipients)),
		texts(at.in("script"), w.Scripts, maxScripts, MaxName)); err != nil || w.Labels == nil {
		return err
	}
	coins := at.in("coins")
	switch {
	case len(w.Labels.Any) == 0:
		return coins.in("label").wrong("it lists no label")
	case w.Labels.By.Empty():
		return coins.in("by").wrong("a label is any member's word: say whose counts")
	}
	return firstOf(texts(coins.in("label"), w.Labels.Any, maxLabels, maxLabel), p.checkWho(coins.in("by"), w.Labels.By))
}

func (p *Policy) checkRequire(at place, r Require) error {
	if err := firstOf(
		between(at.in("amount_min"), r.AmountMin, MaxAmount), between(at.in("amount_max"), r.AmountMax, MaxAmount),
		between(at.in("fee_max"), r.FeeMax, MaxAmount), between(at.in("fee_max"), r.FeeShareMax, whole),
		between(at.in("fee_rate_max"), r.FeeRateMax, maxFeeRate), between(at.in("inputs_max"), r.InputsMax, maxCount),
		between(at.in("outputs_max"), r.OutputsMax, maxCount), between(at.in("change_max"), r.ChangeShareMax, whole),
		between(at.in("confirmations"), r.Confirmations, maxCount), between(at.in("age_min"), r.AgeMin, MaxWindow),
		between(at.in("delay"), r.Delay, MaxDelay), ascending(at.in("meters"), "meter", r.Meters, len(p.Meters)),
	); err != nil {
		return err
	}
	if r.AmountMax > 0 && r.AmountMin > r.AmountMax {
		return at.in("amount_min").wrong("it is above amount_max, so nothing is ever signed")
	}
	for _, i := range r.Meters {
		if m := p.Meters[i]; r.AmountMin > m.Limit {
			return at.in("amount_min").wrong("it is above the limit of meter %q, so nothing is ever signed", m.Name)
		}
	}
	if len(r.Approvals) > maxApprovals {
		return at.in("approvals").wrong("there are %d, at most %d", len(r.Approvals), maxApprovals)
	}
	for i, a := range r.Approvals {
		if err := p.checkApproval(at.in("approvals").item(i), a); err != nil {
			return err
		}
	}
	return checkHours(at.in("hours"), r.Hours)
}

func (p *Policy) checkApproval(at place, a Approval) error {
	if err := p.checkWho(at.in("of"), a.Of); err != nil {
		return err
	}
	switch of := p.Keys(a.Of).Count(); {
	case a.Of.Empty():
		return at.in("of").wrong("it names nobody")
	case a.N == 0:
		return at.in("n").wrong("no approval is asked for")
	case a.N > uint64(of):
		return at.in("n").wrong("%s are asked of %s", plural(a.N, "approval"), plural(uint64(of), "member"))
	}
	return p.byHumans(at.in("n"), a.N, a.Of)
}

// byHumans refuses what waits for the signature of a robot: all of them decide by the same
// rule, so each would wait for another.
func (p *Policy) byHumans(at place, n uint64, of Who) error {
	humans := (p.Keys(of) &^ p.Robots).Count()
	if n > uint64(humans) {
		return at.wrong("nobody can satisfy it: %s asked for, and of those named %d are no robots; a robot signs by the same rule, and would wait for itself",
			plural(n, "approval"), humans)
	}
	return nil
}

func checkHours(at place, list []Hours) error {
	if len(list) > maxHours {
		return at.wrong("there are %d, at most %d", len(list), maxHours)
	}
	var zones []string
	for i, h := range list {
		switch {
		case h.Days == 0 || h.Days > 127:
			return at.item(i).wrong("it names no day of the week")
		case h.From >= h.To || h.To > 1440:
			return at.item(i).wrong("it is empty: the end comes after the beginning, and 24:00 at the latest")
		}
		if _, err := LoadZone(h.Zone); err != nil {
			return at.item(i).wrong("%v", err)
		}
		if zones = append(zones, h.Zone); len(slices.Compact(slices.Sorted(slices.Values(zones)))) > maxZones {
			return at.item(i).wrong("there are more than %d zones", maxZones)
		}
	}
	return nil
}

func (p *Policy) checkActions(at place, r Rule) error {
	switch {
	case r.Then < Sign || r.Then > Deny:
		return at.in("then").wrong("it is sign, ask or deny")
	case r.Else != Ask && r.Else != Deny:
		return at.in("else").wrong("it is ask or deny: nothing is signed because a condition cannot be met")
	case r.Then == Deny && !r.Require.none():
		return at.in("require").wrong("a rule that denies requires nothing: it denies whatever it is for")
	case r.Then == Deny && r.Else != Deny:
		return at.in("else").wrong("a rule that denies requires nothing, so it has no other case")
	case (r.Then == Ask || r.Else == Ask) && len(r.Steps) == 0:
		return at.in("ask").wrong("it is to ask, and nobody is named whom")
	case r.Then != Ask && r.Else != Ask && len(r.Steps) > 0:
		return at.in("ask").wrong("neither then nor else says ask, so nobody would be asked")
	case len(r.Steps) > MaxSteps:
		return at.in("ask").wrong("there are %d steps, at most %d", len(r.Steps), MaxSteps)
	}
	for i, s := range r.Steps {
		if err := p.checkStep(at.in("ask").item(i), s); err != nil {
			return err
		}
	}
	return nil
}

func (r Require) none() bool {
	return r.AmountMin == 0 && r.AmountMax == 0 && r.FeeMax == 0 && r.FeeShareMax == 0 && r.FeeRateMax == 0 && r.InputsMax == 0 && r.OutputsMax == 0 &&
		r.ChangeShareMax == 0 && r.Confirmations == 0 && r.AgeMin == 0 && len(r.Meters) == 0 && len(r.Approvals) == 0 && !r.InitiatorCounts &&
		len(r.Hours) == 0 && r.Delay == 0 && !r.NoLockTime
}

func (p *Policy) checkStep(at place, s Step) error {
	if err := firstOf(p.checkWho(at.in("who"), s.Who), ascending(at.in("meters"), "meter", s.Meters, len(p.Meters)),
		between(at.in("amount_max"), s.AmountMax, MaxAmount)); err != nil {
		return err
	}
	switch of := p.Keys(s.Who).Count(); {
	case s.Who.Empty():
		return at.in("who").wrong("it names nobody")
	case s.Within <= 0 || s.Within > MaxDelay:
		return at.in("within").wrong("it is between 1 second and 90 days")
	case s.N > uint64(of):
		return at.in("n").wrong("%s are asked of %s", plural(s.N, "approval"), plural(uint64(of), "member"))
	case s.N == 0 && (s.AmountMax > 0 || len(s.Meters) > 0):
		return at.wrong("without n no robot signs by this step, so it takes no amount_max and no meters")
	case s.N == 0:
		return nil
	}
	return p.byHumans(at.in("n"), s.N, s.Who)
}

// covered finds the rule before that is for all that a rule is for, or those that together
// are for each kind of it.
func (p *Policy) covered(i int) (string, bool) {
	var by string
	var kinds uint
	w := p.Rules[i].When
	for _, r := range p.Rules[:i] {
		if !p.covers(r.When, w) {
			continue
		}
		for _, k := range w.Kinds {
			if slices.Contains(r.When.Kinds, k) {
				kinds |= 1 << k
				by = r.Name
			}
		}
	}
	return by, bits.OnesCount(kinds) == len(w.Kinds)
}

// covers says whether one When holds of all that another one holds of, kinds aside.
func (p *Policy) covers(wide, narrow When) bool {
	switch {
	case !wide.Initiators.Empty() && (narrow.Initiators.Empty() || !p.Keys(narrow.Initiators).Within(p.Keys(wide.Initiators))):
		return false
	case len(wide.To) > 0 && (len(narrow.To) == 0 || !subset(narrow.To, wide.To)):
		return false
	case len(wide.Scripts) > 0 && (len(narrow.Scripts) == 0 || !subset(narrow.Scripts, wide.Scripts)):
		return false
	case wide.Labels == nil:
		return true
	}
	return narrow.Labels != nil && subset(narrow.Labels.Any, wide.Labels.Any) && p.Keys(narrow.Labels.By).Within(p.Keys(wide.Labels.By))
}

// subset says whether all of one list are in another.
func subset[T comparable](part, of []T) bool {
	return !slices.ContainsFunc(part, func(x T) bool { return !slices.Contains(of, x) })
}
