package sim

import (
	"time"

	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
)

// hosted is the name of the cosigner without a node, whom the second node hosts.
const hosted = "Hal"

// host is the node that hosts, where there is a cosigner without one.
func (w *world) host() *node { return w.nodes[1] }

// hal is that cosigner.
func (w *world) hal() *person { return w.pool.people[maxCosigners+1] }

// cosigners is how many keys the wallet has.
func (p Plan) cosigners() int {
	if p.Hosted {
		return p.N + 1
	}
	return p.N
}

// enterHosted gives the hosted cosigner a place, as often as something hinders it.
func (w *world) enterHosted() {
	n := w.host()
	if !w.plan.Hosted || w.stop() {
		return
	}
	if n.in && n.up {
		if _, err := n.do(coordinator.Host{Name: hosted, Key: w.hal().account.Key().String()}); err == nil {
			_, _ = n.do(coordinator.Prove{For: hosted, How: event.ProofNone})
		}
		if r, ok := n.m.State.Roster(); ok && r.Complete() {
			return
		}
	}
	w.queue.after(5*time.Second, w.enterHosted)
}

// deviceSigns takes a proposal out of the node that hosts, has the device sign
// it, and brings the signatures back.
func (n *node) deviceSigns(a Action, p *group.Proposal, allow []string) {
	w := n.w
	if !w.plan.Hosted || n != w.host() || n.restored || n.replaced || p == nil {
		return
	}
	// Its owner looks at what the device shows before it signs.
	if _, err := n.command(a, coordinator.Export{Proposal: p.ID(), ForSigning: true, Allow: allow}); err != nil {
		return
	}
	spend, err := p.Spend(n.m.State.Active())
	if err != nil {
		return
	}
	sigs, err := spend.Sign(w.hal().account)
	if err != nil {
		w.violation("the device does not sign: %v", err)
		return
	}
	if n.honest() {
		w.checkTerms(n, p, n.m)
		w.ledger(n, &w.released, p, n.m)
	}
	w.count("signed by a device")
	_, _ = n.command(a, coordinator.Import{Proposal: p.ID(), Signatures: sigs, Allow: allow})
}
