package policy

import (
	"fmt"
	"strings"

	"github.com/quorate/quorate/display"
)

// Sentences says all that a policy says, in plain English, from the typed form alone: what
// people read before they vote. The policy passes Validate; names are those of the keys'
// members.
func (p *Policy) Sentences(names func(Key) string) []string {
	w := words{p, names}
	out := []string{
		fmt.Sprintf("Policy %s: the nodes of %s are robots. They sign by themselves what a rule below says, and nothing else.", quoted(p.Title), w.keys(p.Robots, "and")),
		w.tolerated(),
		w.change(),
		w.start(),
	}
	for _, g := range p.Groups {
		out = append(out, fmt.Sprintf("Group %s: %s.", quoted(g.Name), w.keys(g.Keys, "and")))
	}
	for _, r := range p.Recipients {
		out = append(out, r.sentence())
	}
	for _, m := range p.Meters {
		out = append(out, m.sentence())
	}
	for i := range p.Rules {
		out = append(out, p.RuleSentence(i, names))
	}
	last := "Anything else is denied."
	if len(p.Rules) == 0 {
		last = "There is no rule: everything is denied."
	}
	return append(out, last)
}

// words makes text of parts of a policy.
type words struct {
	*Policy
	names func(Key) string
}

func (w words) tolerated() string {
	switch robots := w.Robots.Count(); {
	case w.Tolerate == uint64(robots):
		return "The limits hold whatever the robots' keys do: all of them may be bad."
	case w.Tolerate == 0:
		return "The limits hold only while no robot's key is bad."
	default:
		return fmt.Sprintf("The limits hold while at most %d of the %d robots' keys are bad.", w.Tolerate, robots)
	}
}

func (w words) change() string {
	if w.ChangeDelay == 0 {
		return "A looser policy takes effect as soon as it is approved, without a delay."
	}
	return fmt.Sprintf("A looser policy takes effect %s after it was approved, a tighter one at once.", spanWords(w.ChangeDelay))
}

func (w words) start() string {
	if w.StartQuorum == 0 {
		return "After a start a robot signs without having heard anybody."
	}
	return fmt.Sprintf("After each start a robot signs nothing until it has heard %s.", plural(w.StartQuorum, "other member"))
}

func (r Recipient) sentence() string {
	var parts []string
	if len(r.Addresses) > 0 {
		parts = append(parts, plainList(r.Addresses, "and"))
	}
	for _, d := range r.Descriptors {
		parts = append(parts, fmt.Sprintf("the addresses of %s up to %d past the last one that was paid", display.Line(d), r.Lookahead))
	}
	return fmt.Sprintf("Recipient %s: %s.", quoted(r.Name), strings.Join(parts, ", and "))
}

func (m Meter) sentence() string {
	per := [...]string{"", " for each who proposes", " to each recipient"}[min(m.Per, PerRecipient)]
	text := fmt.Sprintf("Meter %s: with the fees, at most %s leaves%s in any %s.", quoted(m.Name), display.Amount(m.Limit), per, spanWords(m.Window))
	switch m.Pool {
	case 0:
		return text + " Each robot signs within its share of that."
	case 100:
		return text + " Robots sign only with each other's leave."
	}
	return text + fmt.Sprintf(" Robots share %d%% of that with each other's leave; of the rest each signs within its share.", m.Pool)
}

// keys are members, joined.
func (w words) keys(s Keys, last string) string {
	var out []string
	for k := range Key(MaxKeys) {
		if s.Has(k) {
			out = append(out, display.Line(w.names(k)))
		}
	}
	return plainList(out, last)
}

// who are groups, each with its members, and members.
func (w words) who(x Who, last string) string {
	var out []string
	for _, g := range x.Groups {
		out = append(out, fmt.Sprintf("%s (%s)", quoted(w.Groups[g].Name), w.keys(w.Groups[g].Keys, last)))
	}
	if x.Keys != 0 {
		out = append(out, w.keys(x.Keys, last))
	}
	return plainList(out, last)
}

// quoted is a text of the policy as it may be shown.
func quoted(s string) string { return `"` + display.Line(s) + `"` }

// plainList joins texts: "a, b and c".
func plainList(list []string, last string) string {
	if len(list) < 2 {
		return strings.Join(list, "")
	}
	return strings.Join(list[:len(list)-1], ", ") + " " + last + " " + list[len(list)-1]
}

// spanWords is a length of time in the largest unit that it is whole in; days from two on.
func spanWords(seconds int64) string {
	for _, u := range []struct {
		from, size int64
		name       string
	}{{2 * 86400, 86400, "day"}, {3600, 3600, "hour"}, {60, 60, "minute"}} {
		if seconds >= u.from && seconds%u.size == 0 {
			return plural(uint64(seconds/u.size), u.name)
		}
	}
	return plural(uint64(max(seconds, 0)), "second")
}

// shareWords shows millionths as percent.
func shareWords(millionths uint64) string {
	s := fmt.Sprintf("%d.%04d", millionths/10_000, millionths%10_000)
	return strings.TrimRight(strings.TrimRight(s, "0"), ".") + "%"
}

// rateWords shows satoshis for 1000 vbytes as people write fee rates.
func rateWords(rate int64) string {
	s := fmt.Sprintf("%d.%03d", rate/1000, rate%1000)
	return strings.TrimRight(strings.TrimRight(s, "0"), ".") + " sat/vB"
}
