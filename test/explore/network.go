package explore

import (
	"fmt"
	"iter"
	"slices"

	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/wallet"
)

// follow shows a node what it has not seen of the chain, once what it knows is
// gone that is no part of it.
func (w *world) follow(i int) error {
	known := w.nodes[i].m.View.Follow().Known
	var calls []call
	for ; len(known) > 0; known = known[:len(known)-1] {
		last := known[len(known)-1]
		n, ok := w.blockOf[last.Hash]
		if !ok {
			return violation("%s knows a block that never was", w.Members[i].Name)
		}
		if n < w.base || slices.Contains(w.chain.blocks, n) {
			break
		}
		calls = append(calls, call{disconnected, n})
	}
	from := int32(0)
	if len(known) > 0 {
		from = known[len(known)-1].Height
	}
	for b := range w.all() {
		if w.blocks[b].ref.Height > from {
			calls = append(calls, call{connected, b})
		}
	}
	calls = append(calls, sightings(w.chain.mempool)...)
	return w.tell(i, append(calls, call{caughtUp, 0})...)
}

// rescan shows a node again what is in the blocks from a height on.
func (w *world) rescan(i int, from int32) error {
	calls := []call{{watched, 0}}
	for b := range w.all() {
		if x := &w.blocks[b]; x.ref.Height >= from && len(x.txs) > 0 {
			calls = append(calls, call{rescanned, b})
		}
	}
	return w.tell(i, append(calls, call{caughtUp, 0})...)
}

// all yields the blocks of the chain, by their numbers.
func (w *world) all() iter.Seq[uint32] {
	return func(yield func(uint32) bool) {
		for b := range w.base {
			if !yield(b) {
				return
			}
		}
		for _, b := range w.chain.blocks {
			if !yield(b) {
				return
			}
		}
	}
}

func sightings(txs []uint32) []call {
	var out []call
	for _, t := range txs {
		out = append(out, call{seen, t})
	}
	return out
}

// tell hands a node what it asked for, or what nobody asked for: it has to take
// each of them.
func (w *world) tell(i int, calls ...call) error {
	for _, c := range calls {
		if ok, err := w.do(i, c, never); err != nil {
			return err
		} else if !ok {
			return violation("%s refuses what the chain tells it (%v)", w.Members[i].Name, c)
		}
	}
	return nil
}

// broadcast hands a transaction to the network, which shows it to all.
func (w *world) broadcast(i int, t uint32) error {
	id := w.txs[t].id
	known := w.confirmed(id) || w.pooled(id)
	if !known && !w.accept(t) {
		return w.tell(i, call{refused, t})
	}
	if err := w.tell(i, call{taken, t}); err != nil || known {
		return err
	}
	for j := range w.each() {
		if err := w.tell(j, call{seen, t}); err != nil {
			return err
		}
	}
	return nil
}

// number returns the number of a transaction that a node broadcasts. What is
// broadcast passes the script engine, and is what somebody proposed.
func (s *setting) number(name string, n *node, tx *wire.MsgTx) (uint32, error) {
	id := tx.TxHash()
	at := slices.IndexFunc(n.proposals, func(p proposal) bool { return p.TxID == id })
	if at < 0 {
		return 0, violation("%s broadcasts %v, which nobody proposed", name, id)
	}
	if t, ok := s.txOf[tx.WitnessHash()]; ok {
		return t, nil
	}
	fee, err := s.pays(n, n.proposals[at].Proposal, tx)
	if err != nil {
		return 0, violation("%s broadcasts %v: %v", name, id, err)
	}
	t := uint32(len(s.txs))
	s.txOf[tx.WitnessHash()] = t
	s.txs = append(s.txs, transaction{id, tx, fee})
	return t, nil
}

// pays says whether a transaction is what a proposal says, and passes the script
// engine. It returns its fee.
func (s *setting) pays(n *node, p *group.Proposal, tx *wire.MsgTx) (int64, error) {
	if len(tx.TxIn) != len(p.Body.Inputs) || len(tx.TxOut) != len(p.Body.Outputs) {
		return 0, fmt.Errorf("%d inputs and %d outputs, of %d and %d", len(tx.TxIn), len(tx.TxOut), len(p.Body.Inputs), len(p.Body.Outputs))
	}
	var fee int64
	var prev []wallet.Output
	for k, in := range p.Body.Inputs {
		o := in.OutPoint()
		from, ok := n.m.View.Tx(o.Hash)
		if !ok || int(o.Index) >= len(from.Tx.TxOut) || tx.TxIn[k].PreviousOutPoint != o {
			return 0, fmt.Errorf("it spends %v, which is no coin that was proposed", tx.TxIn[k].PreviousOutPoint)
		}
		out := from.Tx.TxOut[o.Index]
		prev = append(prev, wallet.Output{PkScript: out.PkScript, Amount: out.Value})
		fee += out.Value
	}
	for k, o := range p.Body.Outputs {
		script := o.PkScript
		if o.Change != nil {
			change, err := n.m.State.Active().Descriptor.Script(wallet.BranchChange, *o.Change)
			if err != nil {
				return 0, fmt.Errorf("change: %w", err)
			}
			script = change.PkScript
		}
		if tx.TxOut[k].Value != o.Amount || string(tx.TxOut[k].PkScript) != string(script) {
			return 0, fmt.Errorf("output %d is not what was proposed", k)
		}
		fee -= o.Amount
	}
	if err := wallet.CheckTx(tx, prev); err != nil {
		return 0, fmt.Errorf("the script engine refuses it: %w", err)
	}
	return fee, nil
}
