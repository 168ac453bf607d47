package coordinator

import (
	"slices"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/ledger"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
)

// HistoryItem is a transaction that moved the wallet's coins.
type HistoryItem struct {
	TxID chainhash.Hash
	// Amount is what the wallet has more of by it, in satoshis: below zero for a spend.
	Amount int64
	// Fee is there where all inputs are the wallet's own.
	Fee *int64
	// Block is zero while it is unconfirmed.
	Block port.BlockRef
	// Paid is what it pays to others, where all inputs are the wallet's own: of what
	// somebody pays in, the rest is that one's own affair.
	Paid []Paid
	// Proposal is the one that stands for it (see State.lead), or zero.
	Proposal journal.EntryID
}

// Paid is an output to somebody else, in satoshis. The label is its proposal's
// author's words, "" where there are none.
type Paid struct {
	PkScript []byte
	Amount   int64
	Label    string
}

// Period is a part of the history by the times of blocks, in Unix seconds: from Since
// on, before Until; 0 for no bound. What is not confirmed is later than all.
type Period struct{ Since, Until int64 }

func (p Period) holds(b port.BlockRef) bool {
	if b.Height == 0 {
		return p.Until == 0
	}
	return b.Time >= p.Since && (p.Until == 0 || b.Time < p.Until)
}

// History returns what moved the wallet's coins, newest first: unconfirmed
// ones, then by height, and of one height by txid; at most limit of what comes
// after a place (nil for all) within a period, and whether there is more. What can no longer
// confirm, or is in no block and no mempool, is not part of it.
func (m *Machine) History(after *ledger.HistoryPos, limit int, within Period) (items []HistoryItem, more bool) {
	for id, t := range m.View.Newest(after) {
		if !within.holds(t.Block) || !counts(m.State, m.View, id) || !m.View.Moves(t.Tx, id) {
			continue
		}
		if len(items) == limit {
			return items, true
		}
		items = append(items, m.historyItem(id))
	}
	return items, false
}

func (m *Machine) historyItem(id chainhash.Hash) HistoryItem {
	t, _ := m.View.Tx(id)
	x := HistoryItem{TxID: id, Block: t.Block}
	for _, o := range m.View.Outputs(t.Tx, id) {
		x.Amount += o.Amount
	}
	var in int64
	own := true
	for _, i := range t.Tx.TxIn {
		o, ours := m.View.Out(i.PreviousOutPoint)
		own = own && ours
		in += o.Amount
	}
	x.Amount -= in
	if own {
		fee := in
		for _, o := range t.Tx.TxOut {
			fee -= o.Value
		}
		x.Fee = &fee
	}
	p, ok := m.State.Lead(id)
	if !ok {
		p, ok = m.State.AnyOf(id)
	}
	if ok {
		x.Proposal = p.Ref.ID
	}
	if own {
		x.Paid = m.paidBy(t.Tx, p)
	}
	return x
}

// paidBy is what a transaction of the wallet's coins pays to others, with the labels of
// its proposal, or nil where there is none.
func (m *Machine) paidBy(tx *wire.MsgTx, p *group.Proposal) (out []Paid) {
	labels := map[string]string{}
	if p != nil {
		for _, o := range p.Body.Outputs {
			if o.Label != "" {
				labels[string(o.PkScript)] = o.Label
			}
		}
	}
	for _, o := range tx.TxOut {
		if !m.View.Owns(o.PkScript) {
			out = append(out, Paid{PkScript: o.PkScript, Amount: o.Value, Label: labels[string(o.PkScript)]})
		}
	}
	return out
}

// Labels returns the labels that show of what is the wallet's, by target.
func (m *Machine) Labels() []group.Label { return m.State.LabelledTargets(m.Labelled) }

// Labelled says whether a target is this wallet's, as far as this node knows: a
// transaction that it sees or that is proposed, an output of one, an address
// that it watches.
func (m *Machine) Labelled(t event.LabelTarget) bool {
	if t.Kind == event.LabelAddress {
		return m.View.Owns(t.Script())
	}
	outputs := 0
	if tx, ok := m.View.Tx(t.TxID()); ok {
		outputs = len(tx.Tx.TxOut)
	} else if p, ok := m.State.Lead(t.TxID()); ok {
		outputs = len(p.Body.Outputs)
	}
	switch t.Kind {
	case event.LabelTx:
		return outputs > 0
	case event.LabelOutput:
		return int64(t.OutPoint().Index) < int64(outputs)
	}
	return false
}

// LeasedBy returns the members who handed out a receive address, tainted or not.
func (m *Machine) LeasedBy(index uint32) []journal.Author {
	var out []journal.Author
	for who := range m.State.LeasedBy(index) {
		if !slices.Contains(out, who) {
			out = append(out, who)
		}
	}
	return out
}
