package robot

import (
	"slices"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/policy"
)

// labelled are the rules whose When.Labels holds of all coins that a proposal spends,
// ascending. A coin's label is that of the output itself, by each member what it said last:
// what others say of it, or in place of it, does not matter.
func labelled(s group.State, p *policy.Policy, q *group.Proposal) (out []uint64) {
	var rules []uint64
	for n, r := range p.Rules {
		if r.When.Labels != nil {
			rules = append(rules, uint64(n))
		}
	}
	for _, in := range q.Body.Inputs {
		if len(rules) == 0 {
			return nil
		}
		said := lastSaid(s, event.OutputTarget(in.OutPoint()))
		rules = slices.DeleteFunc(rules, func(n uint64) bool {
			l := p.Rules[n].When.Labels
			by := p.Keys(l.By)
			for k, text := range said {
				if by.Has(k) && slices.Contains(l.Any, text) {
					return false
				}
			}
			return true
		})
	}
	return rules
}

// lastSaid is what each member calls something, by key: the latest of its identities that
// ever said so.
func lastSaid(s group.State, t event.LabelTarget) map[policy.Key]string {
	type word struct {
		place int
		text  string
	}
	words := map[policy.Key]word{}
	last, _ := s.LastLabels(t)
	for _, f := range last {
		k, place, ok := placeOf(s, f.Ref.Chain.Author)
		if old, had := words[k]; ok && (!had || place >= old.place) {
			words[k] = word{place, f.Text}
		}
	}
	out := map[policy.Key]string{}
	for k, w := range words {
		out[k] = w.text
	}
	return out
}

// placeOf says for which key an identity writes or wrote, and the how many-th of it it is.
func placeOf(s group.State, who journal.Author) (key policy.Key, place int, ok bool) {
	k, ok := s.Active().KeyOf(who)
	if !ok {
		return 0, 0, false
	}
	place = slices.Index(s.Active().Identities(k), who)
	return policy.Key(k), place, place >= 0
}
