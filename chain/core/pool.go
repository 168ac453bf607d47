package core

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

const (
	// poolBytes bounds the transactions kept of the mempool, as serialized;
	// decoded they take three times as much. The oldest leave first: followers
	// have seen them, and only scripts that are watched later miss them until
	// they are mined.
	poolBytes = 16 << 20
	// poolTxs bounds how many mempool transactions are known at all, some 100
	// bytes each.
	poolTxs = 600_000
	// poolBatch transactions are asked for at once: at most 400,000 weight
	// units each by standardness, in hex 800 kB, together 40 MB.
	poolBatch = 50
	// poolStep is how many are fetched in one poll.
	poolStep = 2_000
	// poolShare: listing the mempool takes at most this part of the time.
	poolShare = 20
)

// pool is the node's mempool as polls saw it.
type pool struct {
	known map[chainhash.Hash]*pooled
	order []*pooled // by at
	at    uint64
	size  int
	next  time.Time
	whole time.Time // since when all of it is known, without a break; or zero
}

type pooled struct {
	at   uint64
	id   chainhash.Hash
	tx   *wire.MsgTx // nil when dropped for its size, or gone
	size int
}

func newPool() pool { return pool{known: map[chainhash.Hash]*pooled{}} }

func (p *pool) after(mark uint64) ([]*wire.MsgTx, uint64) {
	i, _ := slices.BinarySearchFunc(p.order, mark+1, func(e *pooled, at uint64) int {
		return int(int64(e.at) - int64(at))
	})
	var txs []*wire.MsgTx
	for _, e := range p.order[i:] {
		if e.tx != nil {
			txs = append(txs, e.tx)
		}
	}
	return txs, p.at
}

func (p *pool) add(tx *wire.MsgTx) {
	p.at++
	e := &pooled{at: p.at, id: tx.TxHash(), tx: tx, size: tx.SerializeSize()}
	p.known[e.id] = e
	p.order = append(p.order, e)
	p.size += e.size
	for i := 0; p.size > poolBytes && i < len(p.order); i++ {
		p.drop(p.order[i])
	}
}

func (p *pool) drop(e *pooled) {
	if e.tx != nil {
		p.size -= e.size
		e.tx = nil
	}
}

// keep forgets what is no longer in the mempool, and returns what is new there,
// as far as there is room, and whether anything left.
func (p *pool) keep(ids []chainhash.Hash) (fresh []chainhash.Hash, left bool) {
	now := make(map[chainhash.Hash]struct{}, len(ids))
	for _, id := range ids {
		now[id] = struct{}{}
		if _, ok := p.known[id]; !ok {
			fresh = append(fresh, id)
		}
	}
	p.order = slices.DeleteFunc(p.order, func(e *pooled) bool {
		if _, ok := now[e.id]; ok {
			return false
		}
		p.drop(e)
		delete(p.known, e.id)
		left = true
		return true
	})
	return fresh, left
}

// pollPool looks at the mempool. Listing a large one is slow for the node, so
// it is done less often then.
func (b *Backend) pollPool(ctx context.Context, moved bool) error {
	start := time.Now()
	b.mu.Lock()
	due := moved || !start.Before(b.pool.next)
	b.mu.Unlock()
	if !due {
		return nil
	}
	loaded, err := b.loaded(ctx)
	if err != nil {
		return err
	}
	var texts []string
	if err := b.rpc.call(ctx, &texts, "getrawmempool"); err != nil {
		return fmt.Errorf("list the mempool: %w", err)
	}
	ids := make([]chainhash.Hash, 0, len(texts))
	for _, t := range texts {
		id, err := chainhash.NewHashFromStr(t)
		if err != nil {
			return fmt.Errorf("%w: mempool", ErrGarbage)
		}
		ids = append(ids, *id)
	}
	b.mu.Lock()
	b.pool.next = start.Add(poolShare * time.Since(start))
	fresh, left := b.pool.keep(ids)
	room := max(0, poolTxs-len(b.pool.known))
	// A node without its last blocks has no mempool to speak of.
	whole := loaded && !b.behind && len(fresh) <= min(room, poolStep)
	b.mu.Unlock()
	fresh = fresh[:min(len(fresh), room)]
	if len(fresh) > poolStep {
		fresh = fresh[:poolStep]
		defer b.hurry()
	}
	if err := b.fetch(ctx, fresh); err != nil {
		return err
	}
	if b.sees(whole) || left {
		b.notify()
	}
	return nil
}

// sees notes whether all of the mempool is known, and returns whether that is new.
func (b *Backend) sees(whole bool) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !whole {
		b.pool.whole = time.Time{}
		return false
	}
	if !b.pool.whole.IsZero() {
		return false
	}
	b.pool.whole = time.Now()
	return true
}

// loaded says whether the node has its mempool. Bitcoin Core reads it back for a
// while after a start; btcd begins with an empty one. Of a node that cannot be
// asked nothing is said to have left.
func (b *Backend) loaded(ctx context.Context) (bool, error) {
	var info struct {
		Loaded *bool `json:"loaded"` // of Bitcoin Core
	}
	err := b.rpc.call(ctx, &info, "getmempoolinfo")
	if rpcCode(err) != 0 || errors.Is(err, ErrForbid) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("ask for the state of the mempool: %w", err)
	}
	return info.Loaded == nil || *info.Loaded, nil
}

// fetch gets transactions and adds them to the pool, parents first.
func (b *Backend) fetch(ctx context.Context, ids []chainhash.Hash) error {
	var txs []*wire.MsgTx
	for part := range slices.Chunk(ids, poolBatch) {
		names := make([]string, len(part))
		for i, id := range part {
			names[i] = id.String()
		}
		answers, err := b.rpc.batch(ctx, "getrawtransaction", names)
		if err != nil {
			return fmt.Errorf("get mempool transactions: %w", err)
		}
		for i, a := range answers {
			if a == "" {
				continue // mined or replaced since
			}
			tx, err := decodeTx(a)
			if err != nil {
				return err
			}
			if tx.TxHash() != part[i] {
				return fmt.Errorf("%w: another transaction than asked for", ErrGarbage)
			}
			txs = append(txs, tx)
		}
	}
	if len(txs) == 0 {
		return nil
	}
	b.mu.Lock()
	for _, tx := range parentsFirst(txs) {
		b.pool.add(tx)
	}
	b.mu.Unlock()
	b.notify()
	return nil
}

func decodeTx(text string) (*wire.MsgTx, error) {
	raw, err := hex.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("%w: transaction is not hex", ErrGarbage)
	}
	tx := new(wire.MsgTx)
	r := bytes.NewReader(raw)
	if err := tx.Deserialize(r); err != nil || r.Len() != 0 {
		return nil, fmt.Errorf("%w: transaction cannot be decoded", ErrGarbage)
	}
	return tx, nil
}

// parentsFirst orders transactions so that each comes after those it spends from.
func parentsFirst(txs []*wire.MsgTx) []*wire.MsgTx {
	waits := make(map[chainhash.Hash]int, len(txs))
	children := map[chainhash.Hash][]*wire.MsgTx{}
	for _, tx := range txs {
		waits[tx.TxHash()] = 0
	}
	for _, tx := range txs {
		for _, in := range tx.TxIn {
			if _, ok := waits[in.PreviousOutPoint.Hash]; ok {
				waits[tx.TxHash()]++
				children[in.PreviousOutPoint.Hash] = append(children[in.PreviousOutPoint.Hash], tx)
			}
		}
	}
	out := make([]*wire.MsgTx, 0, len(txs))
	for _, tx := range txs {
		if waits[tx.TxHash()] == 0 {
			out = append(out, tx)
		}
	}
	for i := 0; i < len(out); i++ {
		for _, child := range children[out[i].TxHash()] {
			id := child.TxHash()
			if waits[id]--; waits[id] == 0 {
				out = append(out, child)
			}
		}
	}
	return out
}
