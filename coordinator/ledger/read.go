package ledger

import (
	"iter"
	"slices"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal/pmap"
)

// Birthday returns the height before which the wallet was not paid.
func (v View) Birthday() int32 { return v.birthday }

// CaughtUp says whether the stream has got to the tip since the start; see Synced.
func (v View) CaughtUp() bool { return v.caughtUp }

// Begun says whether any block is known.
func (v View) Begun() bool { return len(v.blocks) > 0 }

// Out returns an output that pays the wallet, spent or not.
func (v View) Out(o wire.OutPoint) (ViewOut, bool) { return v.outs.Get(mapkey.Coin(o)) }

// Unspent yields the outputs that pay the wallet and that no block spends.
func (v View) Unspent() iter.Seq[ViewOut] {
	return func(yield func(ViewOut) bool) {
		for _, o := range v.unspent.All() {
			if !yield(o) {
				return
			}
		}
	}
}

// Txs yields the transactions of interest, by txid.
func (v View) Txs() iter.Seq2[chainhash.Hash, ViewTx] {
	return func(yield func(chainhash.Hash, ViewTx) bool) {
		for k, t := range v.txs.All() {
			if !yield(chainhash.Hash([]byte(k)), t) {
				return
			}
		}
	}
}

// Place returns where in the wallet a watched script is.
func (v View) Place(script []byte) (Place, bool) { return v.scripts.Get(byScript(script)) }

// Owns says whether a script is one of the wallet's own that this view watches.
func (v View) Owns(script []byte) bool {
	_, ok := v.Place(script)
	return ok
}

// Used returns one past the last index of a branch that was paid to.
func (v View) Used(branch uint32) uint32 { return v.used[branch] }

// Watched returns how many indexes are watched, by branch.
func (v View) Watched() [2]uint32 { return v.watched }

// Moves says whether a transaction has to do with coins of the wallet: one
// that was of interest once need not.
func (v View) Moves(tx *wire.MsgTx, id chainhash.Hash) bool {
	for _, i := range tx.TxIn {
		if _, ours := v.Out(i.PreviousOutPoint); ours {
			return true
		}
	}
	return len(v.Outputs(tx, id)) > 0
}

// Related lists transactions of which a change of one may decide: itself, its
// rivals, and what spends it.
func (v View) Related(id chainhash.Hash) []chainhash.Hash {
	t, ok := v.Tx(id)
	if !ok {
		return nil
	}
	out := []chainhash.Hash{id}
	for _, i := range t.Tx.TxIn {
		out = slices.AppendSeq(out, v.Rivals(i.PreviousOutPoint))
	}
	for _, o := range v.Outputs(t.Tx, id) {
		out = slices.AppendSeq(out, v.Rivals(o.OutPoint))
	}
	return out
}

// SpendersOf yields the transactions that spend an output of a transaction, which need not
// be known: one once for each output.
func (v View) SpendersOf(id chainhash.Hash) iter.Seq[chainhash.Hash] {
	return func(yield func(chainhash.Hash) bool) {
		for _, by := range pmap.Prefix(v.spends, mapkey.ByCoinTx(mapkey.Coins(id))) {
			if !yield(by) {
				return
			}
		}
	}
}

// HistoryPos is a place in the history: that of the last item shown. Height is
// 0 for one that was unconfirmed.
type HistoryPos struct {
	Height int32
	TxID   chainhash.Hash
}

// Newest yields the transactions of interest in the order of the history: those
// in no block first, then by height, the highest first, and of one height by
// txid. It begins after a place, or with the first for nil.
func (v View) Newest(after *HistoryPos) iter.Seq2[chainhash.Hash, ViewTx] {
	var from byHeight
	if after != nil {
		from = historyPlace(after.Height, after.TxID) + "\x00"
	}
	return func(yield func(chainhash.Hash, ViewTx) bool) {
		for k := range v.places.From(from) {
			id := chainhash.Hash([]byte(k[4:]))
			if t, ok := v.Tx(id); ok && !yield(id, t) {
				return
			}
		}
	}
}

// News yields the transactions that changed since they were Told of.
func (v View) News() iter.Seq[chainhash.Hash] { return ids(v.news) }

// Told forgets what is News.
func (v View) Told() View {
	v.news = pmap.Map[mapkey.ByTx, bool]{}
	return v
}

// Changes says whether transactions differ from what is stored.
func (v View) Changes() bool { return v.changed.Len() > 0 }

// Changed yields those that do.
func (v View) Changed() iter.Seq[chainhash.Hash] { return ids(v.changed) }

// Saved notes that a transaction is stored as it is now.
func (v View) Saved(id chainhash.Hash) View {
	v.changed = v.changed.Delete(mapkey.Of(id))
	return v
}

func ids(of pmap.Map[mapkey.ByTx, bool]) iter.Seq[chainhash.Hash] {
	return func(yield func(chainhash.Hash) bool) {
		for k := range of.All() {
			if !yield(chainhash.Hash([]byte(k))) {
				return
			}
		}
	}
}

// BlockAt returns the block of a height, of those kept for reorgs.
func (v View) BlockAt(height int32) (port.BlockRef, bool) {
	if n := int(height - v.tip.Height); len(v.blocks) > 0 && n <= 0 && -n < len(v.blocks) {
		return v.blocks[len(v.blocks)-1+n], true
	}
	return port.BlockRef{}, false
}
