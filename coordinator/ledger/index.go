package ledger

import (
	"encoding/binary"
	"math"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/journal/pmap"
)

// What a View finds its transactions by. Every change of one goes through put
// or remove, which keep it up to date.

// historyPlace is the place of a transaction in the order of the history: those in
// no block first, then by height, the highest first, and of one height by txid.
func historyPlace(height int32, id chainhash.Hash) byHeight {
	return heightOf(height) + byHeight(id[:])
}

func heightOf(height int32) byHeight {
	from := uint32(0)
	if height > 0 {
		from = math.MaxUint32 - uint32(height)
	}
	return byHeight(binary.BigEndian.AppendUint32(make([]byte, 0, 36), from))
}

// at yields the transactions that are in a block of a height, or in none (0).
func (v View) at(height int32) func(yield func(chainhash.Hash, ViewTx) bool) {
	return func(yield func(chainhash.Hash, ViewTx) bool) {
		for k := range pmap.Prefix(v.places, heightOf(height)) {
			id := chainhash.Hash([]byte(k[4:]))
			if t, ok := v.Tx(id); !ok || !yield(id, t) {
				return
			}
		}
	}
}

// confirmed yields the transactions that are in a block, the newest first.
func (v View) confirmed() func(yield func(chainhash.Hash, ViewTx) bool) {
	return func(yield func(chainhash.Hash, ViewTx) bool) {
		for k := range v.places.From(heightOf(math.MaxInt32)) {
			id := chainhash.Hash([]byte(k[4:]))
			if t, ok := v.Tx(id); !ok || !yield(id, t) {
				return
			}
		}
	}
}

// put keeps a transaction as it is now.
func (v View) put(t ViewTx) View {
	id := t.Tx.TxHash()
	if old, ok := v.Tx(id); ok {
		v.places = v.places.Delete(historyPlace(old.Block.Height, id))
	}
	if t.Seen || t.Block.Height > 0 {
		v = v.Sent(id)
	}
	v.txs = v.txs.Set(mapkey.Of(id), t)
	v.places = v.places.Set(historyPlace(t.Block.Height, id), true)
	for _, i := range t.Tx.TxIn {
		v = v.recount(i.PreviousOutPoint)
	}
	return v.noted(id)
}

// remove forgets a transaction.
func (v View) remove(tx *wire.MsgTx) View {
	id := tx.TxHash()
	if old, ok := v.Tx(id); ok {
		v.places = v.places.Delete(historyPlace(old.Block.Height, id))
	}
	v.txs = v.txs.Delete(mapkey.Of(id))
	for n := range tx.TxOut {
		o := mapkey.Coin(wire.OutPoint{Hash: id, Index: uint32(n)})
		v.outs, v.unspent = v.outs.Delete(o), v.unspent.Delete(o)
	}
	for _, i := range tx.TxIn {
		v.spends = v.spends.Delete(mapkey.CoinTx(i.PreviousOutPoint, id))
		v = v.recount(i.PreviousOutPoint)
	}
	return v.noted(id)
}

// recount works out anew whether a coin is spent in a block.
func (v View) recount(o wire.OutPoint) View {
	k := mapkey.Coin(o)
	out, ours := v.outs.Get(k)
	if !ours {
		return v
	}
	if _, spent := v.SpentBy(o); spent {
		v.unspent = v.unspent.Delete(k)
	} else {
		v.unspent = v.unspent.Set(k, out)
	}
	return v
}

// noted remembers that a transaction changed: for the store, and for what is
// looked at in this step.
func (v View) noted(id chainhash.Hash) View {
	v.changed, v.news = v.changed.Set(mapkey.Of(id), true), v.news.Set(mapkey.Of(id), true)
	return v
}
