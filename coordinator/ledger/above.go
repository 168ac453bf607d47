package ledger

import (
	"iter"

	"github.com/btcsuite/btcd/chainhash/v2"
)

// maxAbove bounds how many unconfirmed transactions are gone through, far beyond what a
// mempool takes of one chain.
const maxAbove = 512

// Above yields a transaction that is in no block, and those in no block that it rests
// on, the nearest first, as far as they are known here.
func (v View) Above(ids ...chainhash.Hash) iter.Seq[chainhash.Hash] {
	return func(yield func(chainhash.Hash) bool) {
		seen := map[chainhash.Hash]bool{}
		for len(ids) > 0 && len(seen) < maxAbove {
			id := ids[0]
			ids = ids[1:]
			t, ok := v.Tx(id)
			if !ok || t.Block.Height > 0 || seen[id] {
				continue
			}
			if seen[id] = true; !yield(id) {
				return
			}
			for _, in := range t.Tx.TxIn {
				ids = append(ids, in.PreviousOutPoint.Hash)
			}
		}
	}
}
