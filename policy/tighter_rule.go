package policy

import (
	"slices"

	"github.com/quorate/quorate/display"
)

// ruleComparison is of two rules for the same.
type ruleComparison struct {
	*comparison
	name string
}

func (c ruleComparison) add(m Mark, format string, args ...any) {
	c.comparison.add(m, "rule "+c.name+": "+format, args...)
}

func (c *comparison) rule(a, b Rule) {
	r := ruleComparison{c, quoted(b.Name)}
	if a.Name != b.Name {
		r.add(MarkSame, "its name was %s", quoted(a.Name))
	}
	switch {
	case b.Then == Deny && a.Then == Deny:
		return
	case b.Then == Deny:
		r.add(MarkTighter, "it denies")
		return
	case a.Then != b.Then:
		r.add(MarkLooser, "it says %s, said %s", actionWords()[b.Then-1], actionWords()[a.Then-1])
		return
	}
	r.require(a.Require, b.Require)
	switch {
	case a.Else == Deny && b.Else == Ask:
		r.add(MarkLooser, "it asks where a condition cannot be met, and denied")
	case a.Else == Ask && b.Else == Deny:
		r.add(MarkTighter, "it denies where a condition cannot be met, and asked")
	case b.Else == Ask && slices.ContainsFunc(b.Steps, func(s Step) bool { return s.N > 0 }) && !r.sendsTheSame(a.Require, b.Require):
		// What no longer meets the conditions is asked about, and may be signed by the answer
		// without what the conditions waited for.
		r.add(MarkLooser, "other conditions send to ask what an answer of those asked lets a robot sign")
	}
	if b.Then == Ask || b.Else == Ask {
		r.steps(a.Steps, b.Steps)
	}
}

// sendsTheSame says whether the conditions that cannot be met later are the same.
func (c ruleComparison) sendsTheSame(a, b Require) bool {
	return a.AmountMin == b.AmountMin && a.AmountMax == b.AmountMax && a.FeeMax == b.FeeMax && a.FeeShareMax == b.FeeShareMax && a.FeeRateMax == b.FeeRateMax &&
		a.InputsMax == b.InputsMax && a.OutputsMax == b.OutputsMax && a.ChangeShareMax == b.ChangeShareMax && a.NoLockTime == b.NoLockTime &&
		slices.Equal(c.old.meterNames(a.Meters), c.new.meterNames(b.Meters)) && !c.meterOf(b.Meters)
}

// meterOf says whether one of some meters has another limit than before.
func (c ruleComparison) meterOf(meters []uint64) bool {
	return slices.ContainsFunc(meters, func(i uint64) bool {
		b := c.new.Meters[i]
		a := c.old.meter(b.Name)
		return a != nil && *a != b
	})
}

func (p *Policy) meterNames(of []uint64) []string {
	var out []string
	for _, i := range of {
		out = append(out, p.Meters[i].Name)
	}
	return out // ascending, as the meters are
}

func (c ruleComparison) require(a, b Require) {
	c.least("amount_min", a.AmountMin, b.AmountMin, display.Amount)
	c.most("amount_max", a.AmountMax, b.AmountMax, display.Amount)
	c.most("fee_max", a.FeeMax, b.FeeMax, display.Amount)
	c.most("fee_max", int64(a.FeeShareMax), int64(b.FeeShareMax), func(x int64) string { return shareWords(uint64(x)) })
	c.most("fee_rate_max", a.FeeRateMax, b.FeeRateMax, rateWords)
	c.most("inputs_max", int64(a.InputsMax), int64(b.InputsMax), count)
	c.most("outputs_max", int64(a.OutputsMax), int64(b.OutputsMax), count)
	c.most("change_max", int64(a.ChangeShareMax), int64(b.ChangeShareMax), func(x int64) string { return shareWords(uint64(x)) })
	switch {
	case b.NoLockTime && !a.NoLockTime:
		c.add(MarkTighter, "it has no lock time")
	case a.NoLockTime && !b.NoLockTime:
		c.add(MarkLooser, "it may have a lock time")
	}
	c.least("confirmations", a.Confirmations, b.Confirmations, count)
	c.least("age_min", a.AgeMin, b.AgeMin, spanWords)
	c.least("delay", a.Delay, b.Delay, spanWords)
	c.fits("", a.Meters, b.Meters)
	c.approvals(a, b)
	switch {
	case slices.Equal(a.Hours, b.Hours):
	case len(a.Hours) == 0:
		c.add(MarkTighter, "only %s", hoursWords(b.Hours))
	case len(b.Hours) == 0:
		c.add(MarkLooser, "at any hour, was only %s", hoursWords(a.Hours))
	case within(b.Hours, a.Hours):
		c.add(MarkTighter, "only %s, was %s", hoursWords(b.Hours), hoursWords(a.Hours))
	default:
		c.add(MarkLooser, "%s, was %s", hoursWords(b.Hours), hoursWords(a.Hours))
	}
}

func count(n int64) string { return display.Group(uint64(max(n, 0))) }

// least compares what is at least; 0 asks for nothing.
func (c ruleComparison) least(what string, before, now int64, show func(int64) string) {
	switch {
	case now > before && before == 0:
		c.add(MarkTighter, "%s is %s", what, show(now))
	case now > before:
		c.add(MarkTighter, "%s is %s, was %s", what, show(now), show(before))
	case now < before && now == 0:
		c.add(MarkLooser, "%s is gone, was %s", what, show(before))
	case now < before:
		c.add(MarkLooser, "%s is %s, was %s", what, show(now), show(before))
	}
}

// most compares what is at most; 0 asks for nothing.
func (c ruleComparison) most(what string, before, now int64, show func(int64) string) {
	switch {
	case now == before:
	case before == 0:
		c.add(MarkTighter, "%s is %s", what, show(now))
	case now == 0:
		c.add(MarkLooser, "%s is gone, was %s", what, show(before))
	case now < before:
		c.add(MarkTighter, "%s is %s, was %s", what, show(now), show(before))
	default:
		c.add(MarkLooser, "%s is %s, was %s", what, show(now), show(before))
	}
}

// fits compares meters, of which more are tighter.
func (c ruleComparison) fits(of string, a, b []uint64) {
	before, now := c.old.meterNames(a), c.new.meterNames(b)
	for _, m := range before {
		if !slices.Contains(now, m) {
			c.add(MarkLooser, "%smeter %s does not bound it any more", of, quoted(m))
		}
	}
	for _, m := range now {
		if !slices.Contains(before, m) {
			c.add(MarkTighter, "%smeter %s bounds it", of, quoted(m))
		}
	}
}

// approvals: for each one before there is one now of as many or more, of the same or fewer.
func (c ruleComparison) approvals(a, b Require) {
	harder := func(x Approval, old *Policy, y Approval, new *Policy) bool {
		return y.N >= x.N && new.Keys(y.Of).Within(old.Keys(x.Of))
	}
	for _, x := range a.Approvals {
		if !slices.ContainsFunc(b.Approvals, func(y Approval) bool { return harder(x, c.old.Policy, y, c.new.Policy) }) {
			c.add(MarkLooser, "%d of %s need not sign any more, or others may in their place", x.N, c.old.who(x.Of, "and"))
		}
	}
	for _, y := range b.Approvals {
		if !slices.ContainsFunc(a.Approvals, func(x Approval) bool { return harder(y, c.new.Policy, x, c.old.Policy) }) {
			c.add(MarkTighter, "%d of %s sign it", y.N, c.new.who(y.Of, "and"))
		}
	}
	switch {
	case b.InitiatorCounts && !a.InitiatorCounts:
		c.add(MarkLooser, "who proposed it counts")
	case a.InitiatorCounts && !b.InitiatorCounts:
		c.add(MarkTighter, "who proposed it does not count any more")
	}
}

// within says whether some hours are all in one each of others.
func within(part, of []Hours) bool {
	return !slices.ContainsFunc(part, func(h Hours) bool {
		return !slices.ContainsFunc(of, func(o Hours) bool {
			return h.Zone == o.Zone && h.Days&^o.Days == 0 && h.From >= o.From && h.To <= o.To
		})
	})
}

// steps compares whom is asked, in turn. After another time another step has its turn, so
// only the last may be shorter, and only the last be left out.
func (c ruleComparison) steps(a, b []Step) {
	if len(b) > len(a) {
		c.add(MarkLooser, "%d steps are asked, were %d", len(b), len(a))
		return
	}
	if len(b) < len(a) {
		c.add(MarkTighter, "%d steps are asked, were %d", len(b), len(a))
	}
	for i, y := range b {
		x, of := a[i], "step "+count(int64(i+1))+": "
		switch {
		case x.Within == y.Within:
		case y.Within < x.Within && i == len(b)-1:
			c.add(MarkTighter, "%sasked for %s, was %s", of, spanWords(y.Within), spanWords(x.Within))
		default:
			c.add(MarkLooser, "%sasked for %s, was %s", of, spanWords(y.Within), spanWords(x.Within))
		}
		switch before, now := c.old.Keys(x.Who), c.new.Keys(y.Who); {
		case now == before:
		case now.Within(before):
			c.add(MarkTighter, "%s%s are asked, were %s", of, c.new.who(y.Who, "and"), c.old.who(x.Who, "and"))
		default:
			c.add(MarkLooser, "%s%s are asked, were %s", of, c.new.who(y.Who, "and"), c.old.who(x.Who, "and"))
		}
		switch {
		case y.N == 0 && x.N > 0:
			c.add(MarkTighter, "%sno robot signs by it any more", of)
			continue
		case x.N == 0 && y.N > 0:
			c.add(MarkLooser, "%sa robot signs by it", of)
			continue
		case y.N == 0:
			continue
		}
		c.least(of+"n", int64(x.N), int64(y.N), count)
		c.most(of+"amount_max", x.AmountMax, y.AmountMax, display.Amount)
		c.fits(of, x.Meters, y.Meters)
	}
}
