package sim

import (
	"errors"

	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/refusal"
)

// proposeDue is what service.Node does beside an actor.
func (n *node) proposeDue() {
	if !n.up || !n.honest() || n.m.State.Active() == nil || n.w.lastCoin != (wire.OutPoint{}) { // the last payment is to have its coin
		return
	}
	if n.w.calm != nil && n.w.calm.members[n.i] {
		return // so has one in the middle
	}
	for _, due := range n.m.DueSchedules(n.clock()) {
		if _, made := n.m.MadeFor(due); made {
			if _, err := n.do(coordinator.Passed{Occasion: due}); err == nil {
				n.w.count("payments found proposed")
			}
			continue
		}
		sch, ok := n.m.ScheduleOf(due.Schedule)
		if !ok {
			continue
		}
		x := coordinator.Propose{Outputs: sch.Outputs, FeeRate: 2000, Occasion: &due}
		held := n.holdsFor(due.Hash())
		_, err := n.do(x)
		var r *refusal.Refusal
		if errors.As(err, &r) {
			_, _ = n.do(coordinator.Delayed{ID: due.Schedule, Problem: r.Text, Code: r.Rule})
		}
		if err == nil {
			if held {
				n.w.violation("%s proposes a payment that it holds a proposal for", n.name)
			}
			n.w.count("payments proposed when due")
		}
	}
}

// holdsFor says whether a node holds a proposal of its own for an occasion.
func (n *node) holdsFor(of [32]byte) bool {
	for p := range n.m.State.AllProposals {
		if is, ok := p.Body.For(); ok && is == of && n.m.State.SameMember(p.Author(), n.id()) {
			return true
		}
	}
	return false
}
