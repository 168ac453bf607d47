package core

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/chain/rawblock"
)

const (
	// poolBytes bounds the transactions kept of the mempool, as they are held
	// decoded. The oldest leave first: followers have seen them, and only scripts
	// that are watched later miss them until they are mined.
	poolBytes = 48 << 20
	// poolTxs bounds how many mempool transactions are known at all, some 150
	// bytes each.
	poolTxs = 600_000
	// poolWeight is the most that a standard transaction has, in weight units, and
	// poolItems what its witnesses may have. Of a heavier one only the id is known.
	poolWeight = 400_000
	poolItems  = 100_000
	// poolBatch transactions are asked for at once.
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
	tx   *wire.MsgTx // nil when dropped for its size, or refused for it, or gone
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

// fetched is a transaction as it was fetched; without tx it is only known.
type fetched struct {
	id   chainhash.Hash
	tx   *wire.MsgTx
	size int // decoded, in bytes
}

func (p *pool) add(f fetched) {
	p.at++
	e := &pooled{at: p.at, id: f.id, tx: f.tx, size: f.size}
	p.known[e.id] = e
	p.order = append(p.order, e)
	p.size += e.size
	for i := 0; p.size > poolBytes && i < len(p.order); i++ {
		p.drop(p.order[i])
	}
}

func (p *pool) drop(e *pooled) {
	p.size -= e.size
	e.tx, e.size = nil, 0
}

// keep forgets what is no longer in the mempool, and returns what is new there,
// at most one more than can be fetched, and whether anything left.
func (p *pool) keep(l listing) (fresh []chainhash.Hash, left bool) {
	p.order = slices.DeleteFunc(p.order, func(e *pooled) bool {
		if _, ok := l.set[e.id]; ok {
			return false
		}
		p.drop(e)
		delete(p.known, e.id)
		left = true
		return true
	})
	for _, id := range l.ids {
		if len(fresh) > p.room() {
			break
		}
		if _, ok := p.known[id]; !ok {
			fresh = append(fresh, id)
		}
	}
	return fresh, left
}

// room is how many more may be fetched in one poll.
func (p *pool) room() int { return max(0, min(poolStep, poolTxs-len(p.known))) }

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
	all, err := b.rpc.list(ctx, poolTxs)
	if err != nil {
		return fmt.Errorf("list the mempool: %w", err)
	}
	b.mu.Lock()
	b.pool.next = start.Add(poolShare * time.Since(start))
	fresh, left := b.pool.keep(all)
	room := b.pool.room()
	// A node without its last blocks has no mempool to speak of.
	whole := loaded && !b.behind && !all.cut && len(fresh) <= room
	b.mu.Unlock()
	all = listing{}
	if len(fresh) > room {
		fresh = fresh[:room]
		if room > 0 {
			defer b.hurry()
		}
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
	var info mempoolInfo
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
	var got []fetched
	size := 0
	for part := range slices.Chunk(ids, poolBatch) {
		some, err := b.fetchSome(ctx, part)
		if err != nil {
			return err
		}
		got = append(got, some...)
		for _, f := range some {
			size += f.size
		}
		if size > poolBytes/2 {
			// They are not held twice: here, and those before them in the pool.
			b.pooled(got)
			got, size = nil, 0
		}
	}
	b.pooled(got)
	return nil
}

func (b *Backend) pooled(got []fetched) {
	if len(got) == 0 {
		return
	}
	b.mu.Lock()
	for _, f := range parentsFirst(got) {
		b.pool.add(f)
	}
	b.mu.Unlock()
	b.notify()
}

// fetchSome asks for transactions at once. Where the answer is too large one of
// them is not standard: it is searched for by halves, and left out.
func (b *Backend) fetchSome(ctx context.Context, ids []chainhash.Hash) ([]fetched, error) {
	names := make([]string, len(ids))
	for i, id := range ids {
		names[i] = id.String()
	}
	var got []fetched
	err := b.rpc.batch(ctx, "getrawtransaction", names, func(i int, raw []byte) error {
		f, err := decodePooled(raw)
		if err != nil {
			return err
		}
		if f.tx != nil && f.id != ids[i] {
			return fmt.Errorf("%w: another transaction than asked for", ErrGarbage)
		}
		f.id = ids[i]
		got = append(got, f)
		return nil
	})
	switch n := len(ids); {
	case err == nil: // what is not among them was mined or replaced since
		return got, nil
	case !errors.Is(err, ErrTooLarge):
		return nil, fmt.Errorf("get mempool transactions: %w", err)
	case n == 1:
		return []fetched{{id: ids[0]}}, nil
	default:
		first, err := b.fetchSome(ctx, ids[:n/2])
		if err != nil {
			return nil, err
		}
		second, err := b.fetchSome(ctx, ids[n/2:])
		return append(first, second...), err
	}
}

// decodePooled decodes a transaction of the mempool, unless it is too heavy.
func decodePooled(raw []byte) (fetched, error) {
	s, err := rawblock.MeasureTx(raw)
	if err != nil {
		return fetched{}, fmt.Errorf("%w: %w", ErrGarbage, err)
	}
	if s.Weight() > poolWeight || s.Items > poolItems {
		return fetched{}, nil
	}
	tx, s, err := rawblock.DecodeTx(raw)
	if err != nil {
		return fetched{}, fmt.Errorf("%w: %w", ErrGarbage, err)
	}
	return fetched{tx.TxHash(), tx, s.Held()}, nil
}

// parentsFirst orders transactions so that each comes after those it spends from.
func parentsFirst(txs []fetched) []fetched {
	waits := make(map[chainhash.Hash]int, len(txs))
	children := map[chainhash.Hash][]fetched{}
	for _, f := range txs {
		waits[f.id] = 0
	}
	for _, f := range txs {
		if f.tx == nil {
			continue
		}
		for _, in := range f.tx.TxIn {
			if _, ok := waits[in.PreviousOutPoint.Hash]; ok {
				waits[f.id]++
				children[in.PreviousOutPoint.Hash] = append(children[in.PreviousOutPoint.Hash], f)
			}
		}
	}
	out := make([]fetched, 0, len(txs))
	for _, f := range txs {
		if waits[f.id] == 0 {
			out = append(out, f)
		}
	}
	for i := 0; i < len(out); i++ {
		for _, child := range children[out[i].id] {
			if waits[child.id]--; waits[child.id] == 0 {
				out = append(out, child)
			}
		}
	}
	return out
}
