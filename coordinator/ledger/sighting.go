package ledger

import (
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/journal/pmap"
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
		return v.unseeRivals(tx), true
	}
	v = v.add(tx, ViewTx{Tx: tx, Seen: seen})
	if seen {
		v = v.unseeRivals(tx)
	}
	return v, true
}

// unseeRivals takes back that others over the coins of a transaction that was seen were
// seen, with what spends their outputs: a mempool holds one of them alone, and the last
// that is shown is the one. A deposit whose fee was raised would count twice.
func (v View) unseeRivals(tx *wire.MsgTx) View {
	id := tx.TxHash()
	var gone []chainhash.Hash
	for _, i := range tx.TxIn {
		for by := range v.Rivals(i.PreviousOutPoint) {
			if by != id {
				gone = append(gone, by)
			}
		}
	}
	for len(gone) > 0 {
		by := gone[len(gone)-1]
		gone = gone[:len(gone)-1]
		t, ok := v.Tx(by)
		if !ok || t.Block.Height > 0 || !t.Seen {
			continue
		}
		t.Seen = false
		v = v.put(t)
		for _, child := range pmap.Prefix(v.spends, mapkey.ByCoinTx(mapkey.Coins(by))) {
			if child != id {
				gone = append(gone, child)
			}
		}
	}
	return v
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
