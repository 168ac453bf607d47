package ledger

import (
	"github.com/btcsuite/btcd/chainhash/v2"

	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/journal/pmap"
)

// Around counts the transactions in no block that are connected with some by what they
// spend, themselves among them, as far as they are known here and not left out: what a
// mempool calls a cluster.
func (v View) Around(leaveOut func(chainhash.Hash) bool, ids ...chainhash.Hash) int {
	seen := map[chainhash.Hash]bool{}
	for len(ids) > 0 && len(seen) < maxAbove {
		id := ids[0]
		ids = ids[1:]
		t, ok := v.Tx(id)
		if !ok || t.Block.Height > 0 || seen[id] || leaveOut(id) {
			continue
		}
		seen[id] = true
		for _, in := range t.Tx.TxIn {
			ids = append(ids, in.PreviousOutPoint.Hash)
		}
		for _, child := range pmap.Prefix(v.spends, mapkey.ByCoinTx(mapkey.Coins(id))) {
			ids = append(ids, child)
		}
	}
	return len(seen)
}
