package policy

import (
	"fmt"
	"slices"
)

// Warnings are about what a policy allows and its author may not have meant.
func (p *Policy) Warnings() []string {
	var out []string
	if !slices.ContainsFunc(p.Rules, func(r Rule) bool {
		return r.Then == Sign && r.When.Initiators.Empty() && r.When.Labels == nil && (slices.Contains(r.When.Kinds, Consolidation) || slices.Contains(r.When.Kinds, Cancel))
	}) {
		out = append(out, "No rule lets a robot send coins back to the wallet for everybody (kind cancel or consolidation): what it signed and nobody uses counts in the meters until people spend its coins.")
	}
	for _, r := range p.Rules {
		if r.Then == Sign && r.Require.FeeMax == 0 && r.Require.FeeShareMax == 0 && r.Require.FeeRateMax == 0 && len(r.Require.Meters) == 0 {
			out = append(out, fmt.Sprintf("Rule %s bounds no fee: all coins may go to whoever mines it.", quoted(r.Name)))
		}
	}
	groups, recipients, meters := p.used()
	for i, g := range p.Groups {
		if !slices.Contains(groups, uint64(i)) {
			out = append(out, fmt.Sprintf("No rule names group %s.", quoted(g.Name)))
		}
	}
	for i, r := range p.Recipients {
		if !slices.Contains(recipients, uint64(i)) {
			out = append(out, fmt.Sprintf("No rule names recipient %s.", quoted(r.Name)))
		}
	}
	for i, m := range p.Meters {
		if !slices.Contains(meters, uint64(i)) {
			out = append(out, fmt.Sprintf("No rule names meter %s: it bounds nothing.", quoted(m.Name)))
		}
	}
	return out
}

// used are the indexes of what rules name.
func (p *Policy) used() (groups, recipients, meters []uint64) {
	for _, r := range p.Rules {
		groups = append(groups, r.When.Initiators.Groups...)
		recipients = append(recipients, r.When.To...)
		meters = append(meters, r.Require.Meters...)
		if r.When.Labels != nil {
			groups = append(groups, r.When.Labels.By.Groups...)
		}
		for _, a := range r.Require.Approvals {
			groups = append(groups, a.Of.Groups...)
		}
		for _, s := range r.Steps {
			groups, meters = append(groups, s.Who.Groups...), append(meters, s.Meters...)
		}
	}
	return groups, recipients, meters
}
