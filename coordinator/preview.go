package coordinator

import (
	"errors"
	"slices"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/journal"
)

// Drafted is what a Propose would come to.
type Drafted struct {
	// Repeats is the proposal that its request id gave before; nothing else is there then.
	Repeats *journal.EntryID
	// Proposal is as it would be entered; nobody holds it.
	Proposal *group.Proposal
	Shown    Shown
	// Overridden are the rules that refuse, and that it overrides by name.
	Overridden []*refusal.Refusal
	// Left are coins that stay although all is sent, since each costs more than it brings.
	Left []Coin
}

// Preview returns what a Propose would come to now, by the code that proposes, or the
// error that it would give. It changes nothing, since the machine is a value.
func (m Machine) Preview(x Propose, in Input) (Drafted, error) {
	s := &step{m: m, before: m, in: in}
	done, err := s.repeated(x)
	if err != nil {
		return Drafted{}, err
	}
	if done {
		id, _ := m.Asked(x.RequestID)
		return Drafted{Repeats: &id}, nil
	}
	p, seed, at, err := s.plan(x)
	if err != nil {
		return Drafted{}, err
	}
	out := Drafted{Proposal: p, Shown: Shown{Seed: seed}}
	if out.Shown.Digest, err = digest(p.Body); err != nil {
		return Drafted{}, err
	}
	for err := range m.refusals(asked{p: p, now: s.now(), stage: at, chainAge: in.ChainAge}) {
		var r *refusal.Refusal
		if errors.As(err, &r) {
			out.Overridden = append(out.Overridden, r)
		}
	}
	if x.All > 0 && len(x.Coins) == 0 {
		for _, c := range Coins(m.State, m.View, s.now()) {
			taken := slices.ContainsFunc(p.Body.Inputs, func(i event.ProposalInput) bool { return i.OutPoint() == c.OutPoint })
			if !taken {
				out.Left = append(out.Left, c)
			}
		}
	}
	return out, nil
}
