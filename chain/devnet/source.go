package devnet

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/chain/follow"
	"github.com/quorate/quorate/coordinator/port"
)

// medianBlocks is how many blocks BIP113 takes the median of.
const medianBlocks = 11

// source is what followers see of a Devnet.
type source struct{ d *Devnet }

// arrival is a transaction in the mempool, and when it came.
type arrival struct {
	at uint64
	tx *wire.MsgTx
}

// Tip returns the best block.
func (d *Devnet) Tip(ctx context.Context) (port.BlockRef, error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if err := d.ready(ctx); err != nil {
		return port.BlockRef{}, err
	}
	best := d.chain.BestSnapshot()
	header, err := d.chain.HeaderByHash(&best.Hash)
	if err != nil {
		return port.BlockRef{}, fmt.Errorf("read header of the tip: %w", err)
	}
	return port.BlockRef{
		Height: best.Height, Hash: best.Hash,
		Time: header.Timestamp.Unix(), MedianTime: best.MedianTime.Unix(),
	}, nil
}

// ready is called with the lock held.
func (d *Devnet) ready(ctx context.Context) error {
	if d.closed {
		return follow.ErrClosed
	}
	return ctx.Err()
}

func (s source) Tip(ctx context.Context) (port.BlockRef, bool, error) {
	tip, err := s.d.Tip(ctx)
	return tip, false, err
}

func (s source) HashAt(ctx context.Context, height int32) (chainhash.Hash, error) {
	s.d.mu.RLock()
	defer s.d.mu.RUnlock()
	if err := s.d.ready(ctx); err != nil {
		return chainhash.Hash{}, err
	}
	hash, err := s.d.chain.BlockHashByHeight(height)
	if err != nil {
		// The index is in memory: the only error is that there is none.
		return chainhash.Hash{}, follow.ErrNoBlock
	}
	return *hash, nil
}

func (s source) Block(ctx context.Context, hash chainhash.Hash, height int32) (*follow.Block, error) {
	s.d.mu.RLock()
	defer s.d.mu.RUnlock()
	if err := s.d.ready(ctx); err != nil {
		return nil, err
	}
	if !s.d.chain.MainChainHasBlock(&hash) {
		return nil, follow.ErrNoBlock
	}
	block, err := s.d.chain.BlockByHash(&hash)
	if err != nil {
		return nil, fmt.Errorf("read block: %w", err)
	}
	median, err := s.d.medianTime(hash)
	if err != nil {
		return nil, err
	}
	header := block.MsgBlock().Header
	return &follow.Block{
		Ref:  port.BlockRef{Height: height, Hash: hash, Time: header.Timestamp.Unix(), MedianTime: median},
		Prev: header.PrevBlock,
		Txs:  block.MsgBlock().Transactions,
	}, nil
}

// medianTime is that of BIP113 of a block in any branch, in Unix seconds.
func (d *Devnet) medianTime(hash chainhash.Hash) (int64, error) {
	var times []int64
	for len(times) < medianBlocks && hash != (chainhash.Hash{}) {
		header, err := d.chain.HeaderByHash(&hash)
		if err != nil {
			return 0, fmt.Errorf("read header: %w", err)
		}
		times = append(times, header.Timestamp.Unix())
		hash = header.PrevBlock
	}
	slices.Sort(times)
	return times[len(times)/2], nil
}

func (s source) Unconfirmed(mark uint64) ([]*wire.MsgTx, uint64) {
	s.d.mu.RLock()
	defer s.d.mu.RUnlock()
	var txs []*wire.MsgTx
	for _, a := range s.d.arrivals {
		if a.at > mark {
			txs = append(txs, a.tx)
		}
	}
	return txs, s.d.arrived
}

var _ follow.Pooled = source{}

func (s source) Missing(ids []chainhash.Hash) ([]chainhash.Hash, follow.Sight) {
	s.d.mu.RLock()
	defer s.d.mu.RUnlock()
	var missing []chainhash.Hash
	for _, id := range ids {
		if !s.d.pool.IsTransactionInPool(&id) {
			missing = append(missing, id)
		}
	}
	return missing, follow.Sight{Whole: s.d.begun, Tip: time.Now()}
}

func (s source) Changed() <-chan struct{} {
	s.d.mu.RLock()
	defer s.d.mu.RUnlock()
	return s.d.changed
}

// Health says that all is well, which it is while the network is open.
func (d *Devnet) Health() port.ChainHealth {
	h := port.ChainHealth{Backend: "devnet"}
	tip, err := d.Tip(context.Background())
	if err != nil {
		h.Problem = err.Error()
		return h
	}
	h.Height, h.Target, h.Synced = tip.Height, tip.Height, true
	return h
}
