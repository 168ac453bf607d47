package coordinator

import (
	"github.com/btcsuite/btcd/chainhash/v2"

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
	// Proposal is the one that stands for it (see State.lead), or zero.
	Proposal journal.EntryID
}

// History returns what moved the wallet's coins, newest first: unconfirmed
// ones, then by height, and of one height by txid; at most limit of what comes
// after a place (nil for all), and whether there is more. What can no longer
// confirm, or is in no block and no mempool, is not part of it.
func (m *Machine) History(after *ledger.HistoryPos, limit int) (items []HistoryItem, more bool) {
	for id, t := range m.View.Newest(after) {
		if !counts(m.State, m.View, id) || !m.View.Moves(t.Tx, id) {
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
	if p, ok := m.State.Lead(id); ok {
		x.Proposal = p.Ref.ID
	} else if p, ok := m.State.AnyOf(id); ok {
		x.Proposal = p.Ref.ID
	}
	return x
}
