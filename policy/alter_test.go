package policy

import (
	"fmt"
	"slices"
)

// alter changes something of a policy, either way. What it makes may be no valid one.
func (c chance) alter(p *Policy) string {
	bound := func(x *int64) string {
		before := *x
		switch c.IntN(4) {
		case 0:
			*x = 0
		case 1:
			*x = max(0, *x-1-c.Int64N(3))
		case 2:
			*x += 1 + c.Int64N(3)
		default:
			*x = []int64{1, 2, 5, 100, 1000, 5000, 6000}[c.IntN(7)]
		}
		return fmt.Sprintf("%d to %d", before, *x)
	}
	unsigned := func(x *uint64) string {
		n := int64(*x)
		said := bound(&n)
		*x = uint64(n)
		return said
	}
	who := func(w *Who) string {
		if len(w.Groups) > 0 && c.oneIn(2) {
			w.Groups = nil
		}
		w.Keys = Keys(c.Uint64N(1 << randomN))
		return fmt.Sprintf("%b", w.Keys)
	}
	indexes := func(x *[]uint64, n int) string {
		*x = nil
		for i := range n {
			if c.oneIn(2) {
				*x = append(*x, uint64(i))
			}
		}
		return fmt.Sprint(*x)
	}
	if len(p.Rules) == 0 || c.oneIn(4) {
		switch n := c.IntN(9); {
		case n == 0:
			return "change_delay " + bound(&p.ChangeDelay)
		case n == 1:
			return "start_quorum " + unsigned(&p.StartQuorum)
		case n == 2:
			return "tolerate " + unsigned(&p.Tolerate)
		case n == 3 && len(p.Groups) > 0:
			g := &p.Groups[c.IntN(len(p.Groups))]
			g.Keys = Keys(c.Uint64N(1 << randomN))
			return fmt.Sprintf("group %s %b", g.Name, g.Keys)
		case n == 4 && len(p.Recipients) > 0:
			r := &p.Recipients[c.IntN(len(p.Recipients))]
			if len(r.Descriptors) > 0 && c.oneIn(2) {
				return "lookahead " + unsigned(&r.Lookahead)
			}
			r.Addresses = [][]string{{"bc1q0"}, {"bc1q1"}, {"bc1qstranger"}, {"bc1q0", "bc1q1"}}[c.IntN(4)]
			return fmt.Sprintf("recipient %s %s", r.Name, r.Addresses)
		case n >= 5 && len(p.Meters) > 0:
			m := &p.Meters[c.IntN(len(p.Meters))]
			switch c.IntN(6) {
			case 0:
				return m.Name + " window " + bound(&m.Window)
			case 1:
				return m.Name + " pool " + unsigned(&m.Pool)
			case 2:
				m.Per = Per(c.IntN(3))
				return fmt.Sprintf("%s per %d", m.Name, m.Per)
			}
			return m.Name + " limit " + bound(&m.Limit)
		}
		return ""
	}
	at := c.IntN(len(p.Rules))
	r := &p.Rules[at]
	q := &r.Require
	if len(r.Steps) > 0 && c.oneIn(3) {
		s := &r.Steps[c.IntN(len(r.Steps))]
		switch c.IntN(6) {
		case 0:
			return "step who " + who(&s.Who)
		case 1:
			return "step n " + unsigned(&s.N)
		case 2:
			return "step within " + bound(&s.Within)
		case 3:
			return "step amount_max " + bound(&s.AmountMax)
		case 4:
			return "step meters " + indexes(&s.Meters, len(p.Meters))
		}
		r.Steps = r.Steps[:len(r.Steps)-1]
		return "a step fewer"
	}
	switch c.IntN(25) {
	case 0:
		return "amount_min " + bound(&q.AmountMin)
	case 1:
		return "amount_max " + bound(&q.AmountMax)
	case 2:
		return "fee_max " + bound(&q.FeeMax)
	case 3:
		return "fee share " + unsigned(&q.FeeShareMax)
	case 4:
		return "fee_rate_max " + bound(&q.FeeRateMax)
	case 5:
		return "inputs_max " + unsigned(&q.InputsMax)
	case 6:
		return "outputs_max " + unsigned(&q.OutputsMax)
	case 7:
		return "change_max " + unsigned(&q.ChangeShareMax)
	case 8:
		return "confirmations " + bound(&q.Confirmations)
	case 9:
		return "age_min " + bound(&q.AgeMin)
	case 10:
		return "delay " + bound(&q.Delay)
	case 11:
		return "meters " + indexes(&q.Meters, len(p.Meters))
	case 12:
		q.InitiatorCounts = !q.InitiatorCounts
		return fmt.Sprint("initiator_counts ", q.InitiatorCounts)
	case 13:
		q.Approvals = append(q.Approvals, Approval{Who{Keys: Keys(1 + c.Uint64N(1<<randomN-1))}, 1})
		return "one more approval"
	case 14:
		if len(q.Approvals) > 0 {
			a := &q.Approvals[c.IntN(len(q.Approvals))]
			return "approvals " + who(&a.Of) + unsigned(&a.N)
		}
	case 15:
		q.Approvals = q.Approvals[:max(0, len(q.Approvals)-1)]
		return "an approval fewer"
	case 16:
		q.Hours = append(q.Hours, Hours{uint8(1 + c.IntN(127)), 0, uint16(1 + c.IntN(1440)), "UTC"})
		return "more hours"
	case 17:
		if len(q.Hours) > 0 {
			h := &q.Hours[c.IntN(len(q.Hours))]
			switch c.IntN(3) {
			case 0:
				h.From = uint16(c.IntN(1440))
			case 1:
				h.To = uint16(c.IntN(1441))
			default:
				h.Days = uint8(c.IntN(128))
			}
			return fmt.Sprint("hours ", *h)
		}
	case 18:
		r.Then = Action(1 + c.IntN(3))
		return fmt.Sprint("then ", r.Then)
	case 19:
		if r.Else = Deny; c.oneIn(2) || r.Then == Ask {
			r.Else, r.Steps = Ask, append(r.Steps, Step{Who: Who{Keys: 1}, Within: 100})
		} else {
			r.Steps = nil
		}
		return fmt.Sprint("else ", r.Else)
	case 20:
		deny := Rule{Name: "stop", When: When{Kinds: []Kind{Payment, Bump, Cancel}[:1+c.IntN(3)]}, Then: Action(1 + c.IntN(3)), Else: Deny}
		if c.oneIn(2) {
			deny.When.Initiators = Who{Keys: Keys(1 + c.Uint64N(1<<randomN-1))}
		}
		p.Rules = slices.Insert(p.Rules, at, deny)
		return fmt.Sprintf("another rule before rule %d, %d", at, deny.Then)
	case 21:
		p.Rules = slices.Delete(p.Rules, at, at+1)
		return fmt.Sprintf("rule %d is gone", at)
	case 22:
		switch c.IntN(4) {
		case 0:
			return "initiator " + who(&r.When.Initiators)
		case 1:
			return "to " + indexes(&r.When.To, len(p.Recipients))
		case 2:
			r.When.Kinds = []Kind{Kind(1 + c.IntN(9))}
			return fmt.Sprint("kinds ", r.When.Kinds)
		}
		if r.When.Labels != nil {
			return "labels by " + who(&r.When.Labels.By)
		}
	case 23:
		if other := c.IntN(len(p.Rules)); other != at {
			p.Rules[at], p.Rules[other] = p.Rules[other], p.Rules[at]
			return fmt.Sprintf("rules %d and %d change places", at, other)
		}
	case 24:
		q.NoLockTime = !q.NoLockTime
		return fmt.Sprint("locktime ", q.NoLockTime)
	}
	return ""
}

// figure is one of a policy that was narrowed.
type figure struct {
	name string
	// sends: what it refuses goes to whom the rules ask that have it.
	sends bool
	rules []int
}

// narrow makes one figure of a policy narrower; the name is empty where the one that was drawn
// cannot be.
func (c chance) narrow(p *Policy) (f figure) {
	f.rules = []int{c.IntN(max(1, len(p.Rules)))}
	down := func(name string, x *int64) { // a bound, which asks for nothing where it is 0
		if *x == 0 {
			*x, f.name = 1+c.Int64N(1000), name
		} else if *x > 1 {
			*x, f.name = 1+c.Int64N(*x-1), name
		}
	}
	up := func(name string, x *int64) { *x, f.name = *x+1+c.Int64N(100), name }
	one := func(name string, x *uint64) { *x, f.name = *x+1, name } // there are few members
	downTo := func(name string, x *uint64) {
		n := int64(*x)
		down(name, &n)
		*x = uint64(n)
	}
	if len(p.Rules) == 0 || c.oneIn(4) {
		f.rules = nil
		switch n := c.IntN(4); {
		case n == 0:
			up("change_delay", &p.ChangeDelay)
		case n == 1:
			one("start_quorum", &p.StartQuorum)
		case len(p.Meters) > 0:
			at := c.IntN(len(p.Meters))
			down("limit", &p.Meters[at].Limit)
			f.sends = true
			for i, r := range p.Rules {
				if slices.Contains(r.Require.Meters, uint64(at)) {
					f.rules = append(f.rules, i)
				}
			}
		}
		return f
	}
	r := &p.Rules[f.rules[0]]
	if r.Then == Deny {
		return f
	}
	q := &r.Require
	if len(r.Steps) > 0 && c.oneIn(3) {
		last := len(r.Steps) - 1
		s := &r.Steps[c.IntN(len(r.Steps))]
		switch {
		case c.oneIn(3):
			if within := &r.Steps[last].Within; *within > 1 {
				down("within of the last step", within)
			}
		case s.N == 0:
		case c.oneIn(2):
			one("n of a step", &s.N)
		default:
			down("amount_max of a step", &s.AmountMax)
		}
		return f
	}
	n := c.IntN(14)
	f.sends = n < 8 || n == 13
	switch n {
	case 0:
		up("amount_min", &q.AmountMin)
	case 1:
		down("amount_max", &q.AmountMax)
	case 2:
		down("fee_max", &q.FeeMax)
	case 3:
		downTo("fee share", &q.FeeShareMax)
	case 4:
		down("fee_rate_max", &q.FeeRateMax)
	case 5:
		downTo("inputs_max", &q.InputsMax)
	case 6:
		downTo("outputs_max", &q.OutputsMax)
	case 7:
		downTo("change_max", &q.ChangeShareMax)
	case 8:
		up("confirmations", &q.Confirmations)
	case 9:
		up("age_min", &q.AgeMin)
	case 10:
		up("delay", &q.Delay)
	case 11:
		if len(q.Approvals) == 1 {
			one("approvals", &q.Approvals[0].N)
		}
	case 12:
		if len(q.Hours) == 1 && q.Hours[0].To-q.Hours[0].From > 1 {
			q.Hours[0].To--
			f.name = "hours"
		}
	case 13:
		if !q.NoLockTime {
			q.NoLockTime, f.name = true, "locktime"
		}
	}
	return f
}
