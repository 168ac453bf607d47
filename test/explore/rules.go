package explore

import (
	"context"
	"slices"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/wallet"
)

// check holds every rule about a node. What it says depends on the state of that
// node alone, and is asked once for each.
func (w *world) check(i int) error {
	if !w.honest(i) {
		return nil
	}
	for _, rule := range []func(int) error{w.guarded, w.single, w.statuses, w.reloaded} {
		if err := rule(i); err != nil {
			return err
		}
	}
	return nil
}

// honest says whether a member keeps to the protocol.
func (w *world) honest(i int) bool { return !w.liar || i < len(w.nodes)-1 }

// guarded: of two transactions on one coin that a node signed, one replaces the
// other.
func (w *world) guarded(i int) error {
	by := map[wire.OutPoint][]chainhash.Hash{}
	for _, g := range w.nodes[i].disk.guard.All() {
		for _, other := range by[g.OutPoint] {
			if !w.replaces(i, g.TxID, other) && !w.replaces(i, other, g.TxID) {
				return violation("%s signed %v and %v, and neither replaces the other", w.Members[i].Name, other, g.TxID)
			}
		}
		by[g.OutPoint] = append(by[g.OutPoint], g.TxID)
	}
	return nil
}

func (w *world) replaces(i int, a, b chainhash.Hash) bool {
	return slices.ContainsFunc(w.nodes[i].m.Proposals(), func(p *coordinator.Proposal) bool {
		return p.TxID == a && slices.Contains(p.Body.Replaces, b)
	})
}

// single: no place of an honest member's chain holds two entries anywhere.
func (w *world) single(i int) error {
	for j := range w.nodes {
		if !w.honest(j) {
			continue
		}
		k := journal.ChainKey{Author: w.Members[j].Self.Identity.Author(), Incarnation: 1}
		if w.nodes[i].m.State.Chains().ForkedAt(k) != 0 {
			return violation("%s, who is honest, wrote two entries at one place, as %s sees", w.Members[j].Name, w.Members[i].Name)
		}
	}
	return nil
}

// statuses: a status follows from the signatures held and from the chain.
func (w *world) statuses(i int) error {
	n := &w.nodes[i]
	for _, p := range n.m.Proposals() {
		full := 0
		for _, g := range n.m.Approvals(p) {
			if g.Signatures == len(p.Body.Inputs) {
				full++
			}
		}
		final, got := n.m.State.Final(p), n.m.Status(p, w.now())
		switch {
		case final != (full >= w.Threshold):
			return violation("%s: a proposal with %d of %d signatures is final: %v", w.Members[i].Name, full, w.Threshold, final)
		case w.chain.confirmed(p.TxID) != (got == coordinator.StatusConfirmed):
			return violation("%s: a proposal is %s, and in the chain: %v", w.Members[i].Name, got, w.chain.confirmed(p.TxID))
		}
		if final {
			if _, err := n.m.Tx(p); err != nil {
				return violation("%s: a proposal with all its signatures is no transaction: %v", w.Members[i].Name, err)
			}
		}
	}
	return nil
}

// agree: nodes that hold the same entries and read the same epochs say the same.
func (w *world) agree() error {
	for i, n := range w.nodes {
		for j, x := range w.nodes[:i] {
			a, b := n.says, x.says
			if w.honest(i) && a.Entries == b.Entries && a.Secrets == b.Secrets && a.Says != b.Says {
				return violation("%s and %s hold the same entries and say something else", w.Members[j].Name, w.Members[i].Name)
			}
		}
	}
	return nil
}

// reloaded: what is on the disk makes the machine that runs.
func (w *world) reloaded(i int) error {
	n := &w.nodes[i]
	d := n.disk
	m, err := coordinator.Load(context.Background(), &d, w.Members[i].Self, w.Group)
	if err != nil {
		return violation("%s does not load: %v", w.Members[i].Name, err)
	}
	if again, err := m.State.Digest(); err != nil || again != n.says {
		return violation("%s: a restart now would make another state of the same entries", w.Members[i].Name)
	}
	return nil
}

// final: what a node broadcasts passes the script engine, and is what somebody proposed.
func (w *world) final(i int, tx *wire.MsgTx) error {
	id := tx.TxHash()
	if !slices.ContainsFunc(w.nodes[i].m.Proposals(), func(p *coordinator.Proposal) bool { return p.TxID == id }) {
		return violation("%s broadcasts %v, which nobody proposed", w.Members[i].Name, id)
	}
	var prev []wallet.Output
	for _, in := range tx.TxIn {
		o, ok := w.prev(i, in.PreviousOutPoint)
		if !ok {
			return violation("%s broadcasts %v, which spends what it does not know", w.Members[i].Name, id)
		}
		prev = append(prev, o)
	}
	if err := wallet.CheckTx(tx, prev); err != nil {
		return violation("%s broadcasts what the script engine refuses: %v", w.Members[i].Name, err)
	}
	return nil
}
