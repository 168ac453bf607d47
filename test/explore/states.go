package explore

import (
	"slices"

	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
)

// hold holds a state of the group against the rules.
func (w *world) hold() error {
	for _, rule := range []func() error{w.agree, w.statuses, w.approved, w.sent} {
		if err := rule(); err != nil {
			return err
		}
	}
	return nil
}

// agree: nodes that hold the same entries and read the same epochs say the same.
func (w *world) agree() error {
	for i, n := range w.each() {
		for j := range i {
			a, b := &n.says, &w.nodes[j].says
			if w.honest(i) && a.Entries == b.Entries && a.Secrets == b.Secrets && a.Says != b.Says {
				return violation("%s and %s hold the same entries and say something else", w.Members[j].Name, w.Members[i].Name)
			}
		}
	}
	return nil
}

// statuses: what is confirmed is in the chain, and the other way round; and every
// node has seen all of the chain.
func (w *world) statuses() error {
	tip := w.tip().Hash
	for i, n := range w.each() {
		if n.m.View.Tip().Hash != tip || !n.m.View.Synced() {
			return violation("%s did not follow the chain", w.Members[i].Name)
		}
		for _, p := range n.proposals {
			if mined := w.confirmed(p.TxID); mined != (p.status == group.StatusConfirmed) {
				return violation("%s: a proposal is %s, and in the chain: %v", w.Members[i].Name, p.status, mined)
			}
		}
	}
	return nil
}

// approved: so many members signed what the network was given, each by its own
// guard's word.
func (w *world) approved() error {
	enough := func(t uint32) error {
		keys := 0
		for _, n := range w.each() {
			if slices.Contains(n.signed, w.txs[t].id) {
				keys++
			}
		}
		if keys < w.Threshold {
			return violation("%d members signed %v, which is broadcast, and it takes %d", keys, w.txs[t].id, w.Threshold)
		}
		return nil
	}
	for _, t := range w.chain.mempool {
		if err := enough(t); err != nil {
			return err
		}
	}
	for _, b := range w.chain.blocks {
		for _, t := range w.blocks[b].txs {
			if err := enough(t); err != nil {
				return err
			}
		}
	}
	return nil
}

// sent: what is final anywhere is with the network, or lost to a rival.
func (w *world) sent() error {
	for i, n := range w.each() {
		if !w.honest(i) {
			continue
		}
		for _, p := range n.proposals {
			if !p.final || w.pooled(p.TxID) || w.confirmed(p.TxID) || w.rivaled(p.Proposal) {
				continue
			}
			return violation("%s: %s has all its signatures, and the network does not know of it", w.Members[i].Name, w.called(p.entry))
		}
	}
	return nil
}

// even: where nothing is under way that anybody takes, all who are honest count the
// same signatures of what may still be mined, whatever fork they were found behind.
func (w *world) even() error {
	for i, n := range w.each() {
		if !w.honest(i) {
			continue
		}
		for _, p := range n.proposals {
			if p.status == group.StatusConfirmed || p.status == group.StatusDead {
				continue
			}
			for j, x := range w.each() {
				keys := 0
				for _, g := range x.m.Approvals(p.Proposal) {
					if g.Signatures == len(p.Body.Inputs) {
						keys++
					}
				}
				if w.honest(j) && keys < p.keys {
					return violation("%s counts the signatures of %d keys on %s, and %s those of %d", w.Members[i].Name, p.keys, w.called(p.entry), w.Members[j].Name, keys)
				}
			}
		}
	}
	return nil
}

// rivaled says whether the network has another transaction on a coin of a proposal.
func (w *world) rivaled(p *group.Proposal) bool {
	spends := func(t *transaction) bool {
		return slices.ContainsFunc(t.tx.TxIn, func(in *wire.TxIn) bool {
			return slices.ContainsFunc(p.Body.Inputs, func(x event.ProposalInput) bool { return x.OutPoint() == in.PreviousOutPoint })
		})
	}
	return w.mined(spends) || slices.ContainsFunc(w.chain.mempool, func(t uint32) bool { return spends(&w.txs[t]) })
}
