package explore

import (
	"slices"

	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/port"
)

// moved holds a turn against the rules: n is what came of it.
func (r *run) moved(n *node, c call, value any) error {
	was, name := r.from, r.Members[r.from.member].Name
	for _, e := range was.held {
		if _, has := slices.BinarySearch(n.held, e); !has {
			return violation("%s lost an entry that it held", name)
		}
	}
	for k := range was.disk.guard.All() {
		if _, ok := n.disk.guard.Get(k); !ok {
			return violation("%s forgot what it signed", name)
		}
	}
	if len(n.signed) > len(was.signed) && !c.what.byUser() {
		return violation("%s signed what its user did not ask for", name)
	}
	if x, ok := value.(coordinator.Proposed); ok && !n.disk.holds(x.Proposal) {
		return violation("%s says that it proposed what is not durable", name)
	}
	if c.what == cmdApprove && len(n.signed) > len(was.signed) {
		if p := was.proposal(c.about); p == nil || p.status == group.StatusWithdrawn || p.status == group.StatusConfirmed || p.status == group.StatusDead {
			return violation("%s signed what it must not sign any more", name)
		}
	}
	if was.m.View.Synced() && !n.m.View.Synced() {
		return violation("%s has caught up with the chain, and looks at all of it anew", name)
	}
	for _, p := range was.proposals {
		now := n.proposal(p.entry)
		switch {
		case now == nil:
			continue // a fork took its effect
		case p.final && !now.final:
			return violation("%s: what was final is no more", name)
		case p.status == group.StatusConfirmed && now.status != p.status && c.what != disconnected:
			return violation("%s: what was confirmed is %s, without a reorg", name, now.status)
		case p.status != now.status && c.what != started && n.decides(now) && !r.hears(n, now):
			return violation("%s: what was %s is %s, and nobody is told", name, p.status, now.status)
		}
	}
	return nil
}

// decides says whether a proposal is its author's first of a transaction: of
// further ones nobody is told.
func (n *node) decides(p *proposal) bool {
	return !slices.ContainsFunc(n.proposals, func(q proposal) bool {
		return q.TxID == p.TxID && q.Author() == p.Author() && q.Ref.Seq < p.Ref.Seq
	})
}

// hears says whether a proposal's status was told as it is.
func (r *run) hears(of *node, p *proposal) bool {
	said := of.m.State.Said(of.m.View, p.Proposal, p.status)
	return slices.ContainsFunc(r.told, func(n port.Notice) bool {
		return n.Type == "proposal" && n.Proposal == p.Ref.ID && n.Status == string(said)
	})
}
