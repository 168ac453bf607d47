package robot

import (
	"iter"

	"github.com/btcsuite/btcd/chainhash/v2"

	"github.com/quorate/quorate/coordinator/ledger"
)

// deepest is the height of the newest block that is so deep that no reorg is expected to take
// it back; below 0 where none is.
func deepest(view ledger.View) int32 {
	return max(-1, view.Tip().Height-ledger.BuriedDepth+1)
}

// Final returns the median time past of that block, 0 where it is not known: then every
// window holds all.
func Final(view ledger.View) int64 {
	b, _ := view.BlockAt(deepest(view))
	return max(0, b.MedianTime)
}

// deepSince yields the transactions in blocks above a height that are so deep now, and those
// that changed and are so deep, each at least once.
func deepSince(view ledger.View, after int32, changed iter.Seq[chainhash.Hash]) iter.Seq[chainhash.Hash] {
	return func(yield func(chainhash.Hash) bool) {
		for id := range changed {
			// What spends its outputs may be of the wallet only now.
			for by := range view.SpendersOf(id) {
				if view.Confirmations(by) >= ledger.BuriedDepth && !yield(by) {
					return
				}
			}
			if view.Confirmations(id) >= ledger.BuriedDepth && !yield(id) {
				return
			}
		}
		deep := deepest(view)
		if deep <= after {
			return
		}
		for id, t := range view.Newest(&ledger.HistoryPos{Height: deep + 1, TxID: lastTxID()}) {
			if t.Block.Height <= max(0, after) || !yield(id) {
				return
			}
		}
	}
}

// lastTxID is behind all others of its height.
func lastTxID() (id chainhash.Hash) {
	for i := range id {
		id[i] = 0xff
	}
	return id
}
