package policy

import "slices"

// Decide says what a robot does about a transaction. It is pure: the same policy and facts
// give the same verdict.
func Decide(p *Policy, f *Facts) Verdict {
	if f.Unready != "" {
		return Verdict{Outcome: OutcomeWait, Reasons: []Reason{Reason(f.Unready)}}
	}
	if f.Heard < p.StartQuorum {
		return Verdict{Outcome: OutcomeWait, Reasons: []Reason{ReasonStart}}
	}
	if why := against(f); len(why) > 0 {
		return Verdict{Outcome: OutcomeDeny, Reasons: why}
	}
	n, ok := Match(p, f)
	if !ok {
		return Verdict{Outcome: OutcomeDeny, Reasons: []Reason{ReasonNoRule}}
	}
	v := decideBy(p, &p.Rules[n], f)
	v.Rule = uint64(n) + 1
	return v
}

// against lists what no rule lifts.
func against(f *Facts) []Reason {
	var out []Reason
	for _, x := range []struct {
		holds bool
		why   Reason
	}{
		{f.Tainted, ReasonNoInitiator},
		{f.Claim != 0 && f.Claim != f.Kind, ReasonFalseKind},
		{f.Rejected.Has(f.Robot), ReasonOwnVote},
		{f.Frozen, ReasonFrozen},
		{f.Level != 0 && !slices.Contains([]Kind{Recover, Refresh, Sweep}, f.Kind), ReasonLevel},
	} {
		if x.holds {
			out = append(out, x.why)
		}
	}
	for _, code := range f.Refused {
		out = append(out, Reason(code))
	}
	return out
}

// Match returns the rule that decides about a transaction: the first whose When holds.
func Match(p *Policy, f *Facts) (rule int, ok bool) {
	for n := range p.Rules {
		if matches(p, n, f) {
			return n, true
		}
	}
	return 0, false
}

func matches(p *Policy, n int, f *Facts) bool {
	w := &p.Rules[n].When
	switch {
	case f.Tainted:
		return false // nobody began it
	case !slices.Contains(w.Kinds, f.Kind):
		return false
	case !w.Initiators.Empty() && !p.Keys(w.Initiators).Has(f.Initiator):
		return false
	case len(w.To) > 0 && !paysOnly(w.To, f.Pays):
		return false
	case w.Labels != nil && !slices.Contains(f.Labelled, uint64(n)):
		return false
	case len(w.Scripts) > 0 && !slices.Contains(w.Scripts, f.Script):
		return false
	}
	return true
}

// paysOnly says whether somebody is paid, and everybody who is is one of some recipients.
func paysOnly(to []uint64, pays []Pay) bool {
	for _, x := range pays {
		if !slices.ContainsFunc(x.To, func(r uint64) bool { return slices.Contains(to, r) }) {
			return false
		}
	}
	return len(pays) > 0
}

func decideBy(p *Policy, r *Rule, f *Facts) Verdict {
	if r.Then == Deny {
		return Verdict{Outcome: OutcomeDeny, Reasons: []Reason{ReasonRule}}
	}
	c := check(p, &r.Require, f)
	switch {
	case len(c.never) > 0 && r.Else == Ask:
		return ask(p, r, f, c.never)
	case len(c.never) > 0:
		return Verdict{Outcome: OutcomeDeny, Reasons: c.never}
	case len(c.waits) > 0:
		return c.wait()
	}
	if v, over := delayed(&r.Require, f); !over {
		return v
	}
	if r.Then == Ask {
		return ask(p, r, f, []Reason{ReasonRule})
	}
	return Verdict{Outcome: OutcomeSign}
}

// delayed says what is done in the delay of what is fulfilled otherwise, or that it is over.
// Whoever is against it has until then to say so.
func delayed(r *Require, f *Facts) (v Verdict, over bool) {
	switch {
	case r.Delay == 0:
		return v, true
	case f.Rejected != 0:
		return Verdict{Outcome: OutcomeDeny, Reasons: []Reason{ReasonRejected}}, false
	}
	v = Verdict{Outcome: OutcomeWait, Reasons: []Reason{ReasonDelay}, Fulfilled: true}
	switch {
	case f.Doubt:
		// By a clock that is behind, it would be over once that is put right.
		v.Reasons, v.Fulfilled = []Reason{ReasonClock}, f.Fulfilled != 0
	case f.Fulfilled == 0:
		v.Next = f.Now + r.Delay
	case f.Now < f.Fulfilled+r.Delay:
		v.Next = f.Fulfilled + r.Delay
	default:
		return Verdict{}, true
	}
	return v, false
}

// ask asks the step whose turn it is. An answer lifts nothing by itself: the robot signs on
// it within the bounds that the step has, and those of the rule that it does not replace.
func ask(p *Policy, r *Rule, f *Facts, why []Reason) Verdict {
	n, since := f.Step, f.Asked
	switch {
	case n == 0:
		n, since = 1, f.Now
	case n <= uint64(len(r.Steps)) && !f.Doubt && f.Now >= since+r.Steps[n-1].Within:
		n, since = n+1, f.Now
	}
	if n > uint64(len(r.Steps)) {
		// It stays so: the step beyond the last is kept with the verdict.
		return Verdict{Outcome: OutcomeDeny, Reasons: append(slices.Clone(why), ReasonAnswers), Step: n}
	}
	step := &r.Steps[n-1]
	asked := Verdict{Outcome: OutcomeAsk, Reasons: why, Step: n, Until: since + step.Within, Next: since + step.Within}
	of := p.Keys(step.Who)
	if step.N > 0 && !r.Require.InitiatorCounts {
		of &^= 1 << f.Initiator
	}
	switch left := uint64((of &^ f.Rejected).Count()); {
	case left == 0 || left < step.N:
		return Verdict{Outcome: OutcomeDeny, Reasons: append(slices.Clone(why), ReasonRejected), Step: n, Until: asked.Until}
	case step.N == 0 || uint64((of&f.Approved&^f.Rejected).Count()) < step.N:
		return asked
	}
	bounds := r.Require
	bounds.AmountMax, bounds.Meters, bounds.Approvals = step.AmountMax, step.Meters, nil
	c := check(p, &bounds, f)
	switch {
	case len(c.never) > 0:
		asked.Reasons = c.never
		return asked
	case len(c.waits) > 0:
		v := c.wait()
		v.Step, v.Until = asked.Step, asked.Until
		if v.Next == 0 || v.Next > asked.Until {
			v.Next = asked.Until
		}
		return v
	}
	return Verdict{Outcome: OutcomeSign, Step: n}
}
