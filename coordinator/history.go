package coordinator

import (
	"bytes"
	"cmp"
	"math"
	"slices"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

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
	Block BlockRef
	// Proposal is the one that stands for it (see State.lead), or zero.
	Proposal journal.EntryID
}

// HistoryPos is a place in the history: that of the last item shown. Height is
// 0 for one that was unconfirmed.
type HistoryPos struct {
	Height int32
	TxID   chainhash.Hash
}

func (p HistoryPos) compare(q HistoryPos) int {
	newest := func(height int32) int32 {
		if height == 0 {
			return math.MaxInt32
		}
		return height
	}
	return cmp.Or(cmp.Compare(newest(q.Height), newest(p.Height)), bytes.Compare(p.TxID[:], q.TxID[:]))
}

// History returns what moved the wallet's coins, newest first: unconfirmed
// ones, then by height, and of one height by txid; at most limit of what comes
// after a place (nil for all), and whether there is more. What can no longer
// confirm, or is in no block and no mempool, is not part of it.
func (m *Machine) History(after *HistoryPos, limit int) (items []HistoryItem, more bool) {
	var places []HistoryPos
	for k, t := range m.View.txs.All() {
		p := HistoryPos{t.Block.Height, chainhash.Hash([]byte(k))}
		if (after == nil || p.compare(*after) > 0) && counts(m.State, m.View, p.TxID) && m.View.moves(t.Tx, p.TxID) {
			places = append(places, p)
		}
	}
	slices.SortFunc(places, HistoryPos.compare)
	if more = len(places) > limit; more {
		places = places[:limit]
	}
	for _, p := range places {
		items = append(items, m.historyItem(p.TxID))
	}
	return items, more
}

// moves says whether a transaction has to do with coins of the wallet: one
// that was of interest once need not.
func (v View) moves(tx *wire.MsgTx, id chainhash.Hash) bool {
	for _, i := range tx.TxIn {
		if _, ours := v.outs.Get(coinKey(i.PreviousOutPoint)); ours {
			return true
		}
	}
	return len(v.outputs(tx, id)) > 0
}

func (m *Machine) historyItem(id chainhash.Hash) HistoryItem {
	t, _ := m.View.Tx(id)
	x := HistoryItem{TxID: id, Block: t.Block}
	for _, o := range m.View.outputs(t.Tx, id) {
		x.Amount += o.Amount
	}
	var in int64
	own := true
	for _, i := range t.Tx.TxIn {
		o, ours := m.View.outs.Get(coinKey(i.PreviousOutPoint))
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
	if p, ok := m.State.lead(id); ok {
		x.Proposal = p.Ref.ID
	} else if p, ok := m.State.anyOf(id); ok {
		x.Proposal = p.Ref.ID
	}
	return x
}
