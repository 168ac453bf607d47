package policy

import (
	"fmt"
	"slices"

	"github.com/quorate/quorate/display"
)

// WorstSentences says what a policy lets leave a wallet of k of n keys at the worst, and what
// it does not bound.
func (p *Policy) WorstSentences(n, k int, names func(Key) string) []string {
	var out []string
	w := words{p, names}
	for _, x := range p.WorstCase(n, k) {
		m := p.Meters[x.Meter]
		per := [...]string{"", " for each who proposes", " to each recipient"}[min(m.Per, PerRecipient)]
		text := fmt.Sprintf("Meter %s with %s: at most %s%s leaves in any %s with a signature of an honest robot", quoted(m.Name), plural(uint64(x.Bad), "bad robot"), display.Amount(x.Most), per, spanWords(m.Window))
		switch {
		case x.Bad == p.Robots.Count():
			text = fmt.Sprintf("Meter %s with all robots bad: nothing bounds what they sign", quoted(m.Name))
		case uint64(x.Bad) > p.Tolerate:
			text += ", which is more bad robots than are tolerated"
		}
		out = append(out, text+".")
	}
	humans := n - p.Robots.Count()
	switch need := k - humans; {
	case need <= 0:
		out = append(out, fmt.Sprintf("%d members who are no robots need no robot: no meter bounds what %d of them sign.", humans, k))
	case need <= p.Robots.Count():
		out = append(out, fmt.Sprintf("All %s who are no robots and %s need no honest robot: no meter bounds what they sign.", plural(uint64(humans), "member"), plural(uint64(need), "bad robot")))
	}
	for i, r := range p.Rules {
		if free := r.unmetered(); free != "" {
			out = append(out, fmt.Sprintf("Rule %d, %s: no meter for all bounds what %s lets leave, over time.", i+1, quoted(r.Name), free))
		} else if !p.boundsAll(r) {
			out = append(out, fmt.Sprintf("Rule %d, %s: its meters count each who proposes, or each recipient, by themselves, and none counts all.", i+1, quoted(r.Name)))
		}
	}
	return append(out, w.rollback(n, k))
}

// unmetered says what of a rule signs payments without any meter.
func (r Rule) unmetered() string {
	if !slices.ContainsFunc(r.When.Kinds, Kind.payable) {
		return ""
	}
	if r.Then == Sign && len(r.Require.Meters) == 0 {
		return "it"
	}
	for i, s := range r.Steps {
		if s.N > 0 && len(s.Meters) == 0 {
			return fmt.Sprintf("step %d of its ask", i+1)
		}
	}
	return ""
}

// boundsAll says whether whatever a rule signs counts in a meter of the whole group.
func (p *Policy) boundsAll(r Rule) bool {
	all := func(meters []uint64) bool {
		return slices.ContainsFunc(meters, func(i uint64) bool { return p.Meters[i].Per == PerGroup })
	}
	if !slices.ContainsFunc(r.When.Kinds, Kind.payable) {
		return true
	}
	if r.Then == Sign && !all(r.Require.Meters) {
		return false
	}
	return !slices.ContainsFunc(r.Steps, func(s Step) bool { return s.N > 0 && !all(s.Meters) })
}

func (w words) rollback(n, k int) string {
	if w.StartQuorum >= uint64(k) || w.StartQuorum >= uint64(n-1) {
		return fmt.Sprintf("A robot whose disk goes back hears %s before it signs, so it learns what it signed.", plural(w.StartQuorum, "other member"))
	}
	return fmt.Sprintf("A robot whose disk goes back hears only %s before it signs: these may withhold what it signed, which costs at most one limit more for each time. With start_quorum = %d it does not.",
		plural(w.StartQuorum, "other member"), min(k, n-1))
}
