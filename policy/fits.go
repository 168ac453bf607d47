package policy

// Fits returns an *Error where a policy that passes Validate does not fit a wallet of k of n
// keys: a key is not there, or what a rule requires nobody can do.
func (p *Policy) Fits(n, k int) error {
	var top place
	if k < 1 || n < k || n > MaxKeys {
		return top.wrong("no policy is for a wallet of %d of %d keys", k, n)
	}
	all := ^Keys(0) >> (MaxKeys - n)
	if !p.Robots.Within(all) {
		return top.in("robots").wrong("one is no member of the wallet, which has %d", n)
	}
	for i, g := range p.Groups {
		if !g.Keys.Within(all) {
			return named("groups", i, "group", g.Name).wrong("one is no member of the wallet, which has %d", n)
		}
	}
	if p.StartQuorum > uint64(n-1) {
		return top.in("start_quorum").wrong("a robot has %d other members, and cannot hear %d", n-1, p.StartQuorum)
	}
	if p.StartQuorum == 0 && n > 1 {
		return top.in("start_quorum").wrong("a robot hears at least one other member before it signs")
	}
	for i, r := range p.Rules {
		if err := p.ruleFits(named("rules", i, "rule", r.Name), r, all); err != nil {
			return err
		}
	}
	return nil
}

func (p *Policy) ruleFits(at place, r Rule, all Keys) error {
	who := []struct {
		at   place
		keys Keys
	}{{at.in("when").in("initiator"), r.When.Initiators.Keys}}
	if r.When.Labels != nil {
		who = append(who, struct {
			at   place
			keys Keys
		}{at.in("when").in("coins").in("by"), r.When.Labels.By.Keys})
	}
	for i, a := range r.Require.Approvals {
		who = append(who, struct {
			at   place
			keys Keys
		}{at.in("require").in("approvals").item(i).in("of"), a.Of.Keys})
	}
	for i, s := range r.Steps {
		who = append(who, struct {
			at   place
			keys Keys
		}{at.in("ask").item(i).in("who"), s.Who.Keys})
	}
	for _, w := range who {
		if !w.keys.Within(all) {
			return w.at.wrong("one is no member of the wallet")
		}
	}
	initiators := p.Keys(r.When.Initiators)
	if r.When.Initiators.Empty() {
		initiators = all
	}
	return p.satisfiable(at, r, initiators)
}

// satisfiable looks for a member who could propose what the rule is for, so that enough
// others are there to approve it.
func (p *Policy) satisfiable(at place, r Rule, initiators Keys) error {
	enough := func(n uint64, of Who, but Key) bool {
		humans := p.Keys(of) &^ p.Robots
		if !r.Require.InitiatorCounts {
			humans &^= KeysOf(but)
		}
		return uint64(humans.Count()) >= n
	}
	// For each by itself first: that has a place of its own.
	for i, a := range r.Require.Approvals {
		if !initiators.any(func(by Key) bool { return enough(a.N, a.Of, by) }) {
			return at.in("require").in("approvals").item(i).in("n").wrong("nobody can satisfy it: whoever may propose it does not count, and of the others there are fewer than %d", a.N)
		}
	}
	for i, s := range r.Steps {
		if !initiators.any(func(by Key) bool { return enough(s.N, s.Who, by) }) {
			return at.in("ask").item(i).in("n").wrong("nobody can satisfy it: whoever may propose it does not count, and of the others there are fewer than %d", s.N)
		}
	}
	together := func(by Key) bool {
		for _, a := range r.Require.Approvals {
			if !enough(a.N, a.Of, by) {
				return false
			}
		}
		return true
	}
	if !initiators.any(together) {
		return at.in("require").in("approvals").wrong("nobody can satisfy all of them: whoever may propose it does not count in one of them")
	}
	return nil
}

// any says whether something holds of a key of the set.
func (s Keys) any(holds func(Key) bool) bool {
	for k := range Key(MaxKeys) {
		if s.Has(k) && holds(k) {
			return true
		}
	}
	return false
}
