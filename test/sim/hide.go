package sim

import (
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/journal"
)

// hide has a member whom nobody else hears approve a proposal. That one's disk
// dies, an earlier backup takes its place, and the liar, who alone has the
// approval, says that it has none. Then the member is asked to pay with the same coin.
func (l *liar) hide(r [4]uint32) {
	w := l.n.w
	honest := w.honest()
	n := honest[int(r[0])%len(honest)]
	if w.plan.K < 2 || w.calm != nil || w.queue.now > quiet-time.Minute || n.restored || n.replaced || n.disk.times > 0 || !w.connected(l.n, n) {
		return
	}
	if n.backup(); n.kept == nil {
		return
	}
	for _, x := range w.nodes {
		if x != n && x != l.n {
			w.cut(n, x, time.Minute)
		}
	}
	chain := journal.ChainKey{Author: n.id(), Incarnation: 1}
	held := n.kept.chains[chain]
	l.show[n.i] = 0
	e := l.write(0, l.hostile([4]uint32{r[0], r[1], r[2], 1}, true))
	if e == nil || len(held) == 0 {
		return
	}
	less := held[len(held)-1].Position()
	n.later(25*time.Second, func() {
		p, ok := n.m.State.Proposal(e.ID())
		if !ok || w.calm != nil {
			return
		}
		if _, err := n.command(Action{Kind: LieHide}, coordinator.Approve{Proposal: p.ID(), Allow: []string{refusal.DoublePayment}}); err != nil {
			return
		}
		w.count("approvals hidden")
		for _, x := range w.nodes {
			l.claims[x.i] = func(c *port.Claim) {
				if _, ok := c.Frontier[chain]; ok {
					c.Frontier[chain] = less
				}
			}
		}
		n.restore(5 * time.Second)
		w.queue.after(time.Minute, func() { n.payAgain(p.Body.Inputs[0].OutPoint(), 12) })
	})
}

// payAgain proposes to pay with a coin, until it may.
func (n *node) payAgain(coin wire.OutPoint, tries int) {
	if tries == 0 || n.w.stop() || n.replaced {
		return
	}
	if n.up && n.in && n.m.State.Active() != nil {
		_, err := n.command(Action{Kind: LieHide}, coordinator.Propose{
			Outputs: []event.ProposalOutput{{PkScript: recipient(202), Amount: 20_000}}, FeeRate: 2000, Coins: []wire.OutPoint{coin},
			Allow: []string{refusal.DoublePayment},
		})
		if err == nil {
			return
		}
	}
	n.w.queue.after(20*time.Second, func() { n.payAgain(coin, tries-1) })
}
