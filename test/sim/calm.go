package sim

import (
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/journal"
)

// calmFor is how long k honest members have to get one payment final while
// liars lie and everybody else's machines fail.
const calmFor = 150 * time.Second

// beginCalm ends what is wrong with the honest, if there are enough of them.
func (w *world) beginCalm() {
	honest := w.honest()
	if len(honest) < w.plan.K || len(w.plan.Byzantine) >= w.plan.K || w.stop() { // k liars spend what they like
		return
	}
	for _, n := range honest {
		if n.restored || n.replaced || !n.in || n.m.State.Active() == nil {
			return
		}
	}
	c := &calm{members: map[int]bool{}, until: w.queue.now + calmFor}
	w.calm = c
	for _, n := range honest {
		c.members[n.i] = true
		n.disk.times, n.blind, n.armed = 0, false, nil
		if !n.up {
			n.restart()
		}
	}
	for p := range w.cuts {
		if c.members[p[0]] && c.members[p[1]] {
			delete(w.cuts, p)
		}
	}
	w.count("calm times")
	w.note("calm begins")
	for _, n := range honest {
		w.syncAll(n)
	}
	w.pollAll()
	tx := w.pay(honest[0].m.State.Active(), 1, 210_000)
	if tx == nil {
		return
	}
	c.coin = wire.OutPoint{Hash: tx.TxHash()}
	w.queue.after(10*time.Second, w.calmly)
}

// calmly goes on with the payment, until it is final at all of them.
func (w *world) calmly() {
	c := w.calm
	if w.stop() || c == nil {
		return
	}
	honest := w.honest()
	if w.chain.confirmed(c.coin.Hash) == 0 {
		w.mine()
	}
	allow := []string{refusal.DoublePayment, refusal.CoinFrozen}
	proposer := honest[int(w.plan.Seed)%len(honest)]
	if c.proposal == (journal.EntryID{}) {
		v, err := proposer.command(Action{Kind: "calm"}, coordinator.Propose{
			Outputs: []event.ProposalOutput{{PkScript: recipient(201), Amount: 130_000}}, FeeRate: 3000, Coins: []wire.OutPoint{c.coin}, Allow: allow,
		})
		if x, ok := v.(coordinator.Proposed); ok && err == nil {
			c.proposal = x.Proposal
		}
		c.last = err
	}
	final := c.proposal != (journal.EntryID{})
	for _, n := range honest {
		p, ok := n.m.State.Proposal(c.proposal)
		if !ok {
			final = false
			continue
		}
		if n.m.State.Final(p) {
			continue
		}
		final = false
		if n != proposer {
			if _, err := n.command(Action{Kind: "calm"}, coordinator.Approve{Proposal: c.proposal, Allow: allow}); err != nil {
				c.last = err
			}
		}
	}
	switch {
	case final:
		w.count("payments final in the middle of it")
		w.calm = nil
	case w.queue.now >= c.until:
		w.violation("%d honest members of %d, who are connected and agree, got no payment final in %v: %v", len(honest), w.plan.N, calmFor, c.last)
	default:
		w.queue.after(5*time.Second, w.calmly)
	}
}
