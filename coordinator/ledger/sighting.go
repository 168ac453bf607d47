package ledger

import (
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

// See adds an unconfirmed transaction: from the mempool, or one of our own.
func (v View) See(tx *wire.MsgTx, seen bool) (View, bool) {
	if isCoinbase(tx) || !v.concerns(tx) {
		return v, false
	}
	if old, ok := v.Tx(tx.TxHash()); ok {
		if old.Block.Height > 0 || old.Seen || !seen {
			return v, false
		}
		old.Seen = true
		v = v.put(old)
		return v, true
	}
	return v.add(tx, ViewTx{Tx: tx, Seen: seen}), true
}

// Unsee takes back that transactions were seen: no mempool shows them any more.
// They stay known, as those do that a reorg took out of their block.
func (v View) Unsee(ids []chainhash.Hash) (View, bool) {
	touched := false
	for _, id := range ids {
		if t, ok := v.Tx(id); ok && t.Block.Height == 0 && t.Seen {
			t.Seen = false
			v, touched = v.put(t), true
		}
	}
	return v, touched
}

// Sighted lists the unconfirmed transactions that were seen.
func (v View) Sighted() []chainhash.Hash {
	var out []chainhash.Hash
	for id, t := range v.at(0) {
		if t.Seen {
			out = append(out, id)
		}
	}
	return out
}
