package follow

import (
	"bytes"
	"maps"
	"slices"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/port"
)

// maxTold bounds the memory of mempool sightings: 50,000 hashes. Beyond it
// they are forgotten, and a transaction may be told twice.
const maxTold = 50_000

// minedDepth is for how many blocks a mined transaction is remembered, so that
// a stale view of the mempool does not show it as unconfirmed.
const minedDepth = 100

// graceTime is how long a transaction must be missing before it is said to have
// left: by then a node that was started again has its mempool, and what is
// handed over again each minute is back.
const graceTime = 10 * time.Minute

// mempoolView is what one follower told of the mempool.
type mempoolView struct {
	mark  uint64
	told  map[chainhash.Hash]struct{}
	mined map[chainhash.Hash]int32
	// held are transactions that the owner takes for unconfirmed, and since when
	// each is missing; zero for one that is there.
	held map[chainhash.Hash]time.Time
	next time.Time // when to look again at what is missing, or zero
}

func newMempoolView() mempoolView {
	return mempoolView{told: map[chainhash.Hash]struct{}{}, mined: map[chainhash.Hash]int32{}, held: map[chainhash.Hash]time.Time{}}
}

// hold notes that a transaction is there, or expected to be.
func (v *mempoolView) hold(id chainhash.Hash) {
	if _, known := v.held[id]; known || len(v.held) < maxTold {
		v.held[id] = time.Time{}
	}
}

func (v *mempoolView) connected(height int32, hits []*wire.MsgTx) {
	for _, tx := range hits {
		v.mined[tx.TxHash()] = height
		delete(v.told, tx.TxHash())
		delete(v.held, tx.TxHash())
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
		if !mined {
			f.pool.hold(id)
		}
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
	return f.send(port.ChainNotice{Kind: port.Seen, Block: f.position(), Txs: hits})
}

// takeExpected puts what the owner expects to what was told.
func (f *Follower) takeExpected() {
	f.mu.Lock()
	ids := f.expected
	f.expected = nil
	f.mu.Unlock()
	for _, id := range ids {
		if _, mined := f.pool.mined[id]; !mined {
			f.pool.hold(id)
		}
	}
}

// miss returns the transactions that have been missing for long enough, and
// notes when to look again at the others that are missing.
func (f *Follower) miss() []chainhash.Hash {
	f.pool.next = time.Time{}
	src, ok := f.src.Source.(Pooled)
	if !ok || len(f.pool.held) == 0 {
		return nil
	}
	missing, sight := src.Missing(slices.Collect(maps.Keys(f.pool.held)))
	now := time.Now()
	var left []chainhash.Hash
	since := make(map[chainhash.Hash]time.Time, len(missing))
	for _, id := range missing {
		if sight.Whole.IsZero() {
			break // it is not known to be missing
		}
		at := f.pool.held[id]
		if at.IsZero() || at.Before(sight.Whole) {
			at = now
		}
		since[id] = at
		// A tip that was asked for earlier may be without the block that holds it.
		if now.Sub(at) >= f.opt.Grace && sight.Tip.After(at) {
			left = append(left, id)
			continue
		}
		next := at.Add(f.opt.Grace)
		if !next.After(now) {
			next = now.Add(f.opt.Retry)
		}
		if f.pool.next.IsZero() || next.Before(f.pool.next) {
			f.pool.next = next
		}
	}
	for id := range f.pool.held {
		f.pool.held[id] = since[id]
	}
	return left
}

// leave streams what has left the mempool and is in no block. While the source
// has blocks to catch up, they may hold it.
func (f *Follower) leave(left []chainhash.Hash) error {
	if f.behind {
		return nil
	}
	left = slices.DeleteFunc(left, func(id chainhash.Hash) bool {
		// Mined or there again by now.
		return f.pool.held[id].IsZero()
	})
	if len(left) == 0 {
		return nil
	}
	slices.SortFunc(left, func(a, b chainhash.Hash) int { return bytes.Compare(a[:], b[:]) })
	for _, id := range left {
		delete(f.pool.held, id)
		delete(f.pool.told, id)
	}
	return f.send(port.ChainNotice{Kind: port.Unseen, Block: f.position(), TxIDs: left})
}
