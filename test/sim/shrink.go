package sim

import (
	"fmt"
	"slices"
	"strings"
)

// Shrink looks for the shortest history that still breaks a rule: it leaves
// out actions by halves, then one by one, and makes the network better. It
// runs at most so many histories, and returns the last that failed.
func (p *Pool) Shrink(plan Plan, runs int) Report {
	return shrink(plan, runs, p.Run, func(string, string) bool { return true })
}

// ShrinkRobots is Shrink of a run of robots. It sticks to one rule, since histories that break
// another one are mostly there too.
func (p *Pool) ShrinkRobots(plan Plan, runs int) Report {
	return shrink(plan, runs, p.RunRobots, func(a, b string) bool { return ruleOf(a) == ruleOf(b) })
}

// ruleOf is what a violation says, without whom it is about and how much it is.
func ruleOf(violation string) string {
	var words []string
	for _, word := range strings.Fields(violation) {
		if len(word) > 3 && strings.Trim(word, "abcdefghijklmnopqrstuvwxyz") == "" {
			words = append(words, word)
		}
	}
	return strings.Join(words[:min(len(words), 5)], " ")
}

func shrink(plan Plan, runs int, run func(Plan) Report, same func(a, b string) bool) Report {
	best := run(plan)
	try := func(next Plan) bool {
		if runs--; runs < 0 || len(best.Violations) == 0 {
			return false
		}
		r := run(next)
		if len(r.Violations) > 0 && same(r.Violations[0], best.Violations[0]) {
			best = r
			return true
		}
		return false
	}
	for chunk := max(1, len(best.Plan.Actions)/2); chunk > 0; {
		removed := false
		for at := 0; at < len(best.Plan.Actions); {
			next := best.Plan
			next.Actions = slices.Delete(slices.Clone(next.Actions), at, min(len(next.Actions), at+chunk))
			if try(next) {
				removed = true
			} else {
				at += chunk
			}
		}
		switch {
		case chunk > 1:
			chunk /= 2
		case !removed:
			chunk = 0
		}
	}
	for _, simpler := range []func(*Plan){
		func(p *Plan) { p.Network.Loss = 0 },
		func(p *Plan) { p.Network.Duplicates = 0 },
		func(p *Plan) { p.Network.Abort = 0 },
		func(p *Plan) { p.Network.Delay = 50e6 },
		func(p *Plan) { p.Byzantine = nil },
		func(p *Plan) { p.Found = false },
	} {
		next := best.Plan
		simpler(&next)
		try(next)
	}
	return best
}

// String tells a history: what was done and said, and what broke.
func (r Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "seed %d: %d of %d, liars %s, founded in the run: %v\n", r.Plan.Seed, r.Plan.K, r.Plan.N, letters(r.Plan.Byzantine), r.Plan.Found)
	fmt.Fprintf(&b, "network: %+v\n", r.Plan.Network)
	for _, a := range r.Plan.Actions {
		fmt.Fprintf(&b, "  %s\n", a)
	}
	fmt.Fprintf(&b, "what came of it:\n")
	for _, l := range r.Log {
		fmt.Fprintf(&b, "  %s\n", l)
	}
	for _, v := range r.Violations {
		fmt.Fprintf(&b, "BROKEN at %s\n", v)
	}
	return b.String()
}

func letters(who []int) string {
	if len(who) == 0 {
		return "none"
	}
	var b strings.Builder
	for _, i := range who {
		b.WriteByte(byte('A' + i))
	}
	return b.String()
}
