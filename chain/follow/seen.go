package follow

import (
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator"
)

// maxTold bounds the memory of mempool sightings: 50,000 hashes. Beyond it
// they are forgotten, and a transaction may be told twice.
const maxTold = 50_000

// minedDepth is for how many blocks a mined transaction is remembered, so that
// a stale view of the mempool does not show it as unconfirmed.
const minedDepth = 100

// mempoolView is what one follower told of the mempool.
type mempoolView struct {
	mark  uint64
	told  map[chainhash.Hash]struct{}
	mined map[chainhash.Hash]int32
}

func newMempoolView() mempoolView {
	return mempoolView{told: map[chainhash.Hash]struct{}{}, mined: map[chainhash.Hash]int32{}}
}

func (v *mempoolView) connected(height int32, hits []*wire.MsgTx) {
	for _, tx := range hits {
		v.mined[tx.TxHash()] = height
		delete(v.told, tx.TxHash())
	}
	for id, h := range v.mined {
		if h < height-minedDepth {
			delete(v.mined, id)
		}
	}
}

// disconnected forgets what was told: the view takes every transaction of the
// block for one that nobody has seen, and those that were told while it was there
// must be told again.
func (v *mempoolView) disconnected(height int32) {
	for id, h := range v.mined {
		if h >= height {
			delete(v.mined, id)
		}
	}
	clear(v.told)
	v.mark = 0
}

// sight streams the transactions of interest that are new in the mempool.
func (f *Follower) sight() error {
	txs, next := f.src.Unconfirmed(f.pool.mark)
	var hits []*wire.MsgTx
	for _, tx := range txs {
		if !f.match.tx(tx) {
			continue
		}
		id := tx.TxHash()
		_, told := f.pool.told[id]
		_, mined := f.pool.mined[id]
		if told || mined {
			continue
		}
		if len(f.pool.told) >= maxTold {
			clear(f.pool.told)
		}
		f.pool.told[id] = struct{}{}
		hits = append(hits, tx)
	}
	f.pool.mark = next
	if len(hits) == 0 {
		return nil
	}
	return f.send(coordinator.ChainNotice{Kind: coordinator.Seen, Block: f.position(), Txs: hits})
}
