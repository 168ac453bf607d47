package neutrino

import (
	"context"
	"fmt"
	"slices"

	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/btcutil/v2/gcs"
	"github.com/btcsuite/btcd/btcutil/v2/gcs/builder"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"
	"github.com/lightninglabs/neutrino"

	"github.com/quorate/quorate/chain/follow"
	"github.com/quorate/quorate/coordinator/port"
)

// medianBlocks is how many block times have the median of BIP113.
const medianBlocks = 11

// source is what followers ask.
type source struct{ *Backend }

var _ follow.Filtered = source{}

// Tip implements follow.Source.
func (s source) Tip(ctx context.Context) (port.BlockRef, bool, error) {
	if err := ctx.Err(); err != nil {
		return port.BlockRef{}, false, err
	}
	// What is on disk may be old, and what only one peer has said may be a lie.
	switch n := s.connected(); {
	case n == 0:
		return port.BlockRef{}, false, s.noPeers()
	case n < s.cfg.need():
		return port.BlockRef{}, false, fewPeers(n, s.cfg.need())
	}
	return s.tip()
}

// tip returns the best block whose filter header is known, and whether there is
// more to come.
func (b *Backend) tip() (port.BlockRef, bool, error) {
	cs, err := b.service()
	if err != nil {
		return port.BlockRef{}, false, err
	}
	best, err := cs.BestBlock()
	if err != nil {
		return port.BlockRef{}, false, fmt.Errorf("read the best header: %w", err)
	}
	block, err := header(cs, best.Hash, best.Height)
	if err != nil {
		return port.BlockRef{}, false, err
	}
	return block.Ref, !b.current(), nil
}

// HashAt implements follow.Source.
func (s source) HashAt(ctx context.Context, height int32) (chainhash.Hash, error) {
	if err := ctx.Err(); err != nil {
		return chainhash.Hash{}, err
	}
	cs, err := s.service()
	if err != nil {
		return chainhash.Hash{}, err
	}
	best, err := cs.BestBlock()
	if err != nil {
		return chainhash.Hash{}, fmt.Errorf("read the best header: %w", err)
	}
	if height < 0 || height > best.Height {
		return chainhash.Hash{}, follow.ErrNoBlock
	}
	hash, err := cs.GetBlockHash(int64(height))
	if err != nil {
		return chainhash.Hash{}, follow.ErrNoBlock // a reorg took it between the two questions
	}
	return *hash, nil
}

// Header implements follow.Filtered.
func (s source) Header(ctx context.Context, hash chainhash.Hash, height int32) (*follow.Block, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	cs, err := s.service()
	if err != nil {
		return nil, err
	}
	return header(cs, hash, height)
}

func header(cs *neutrino.ChainService, hash chainhash.Hash, height int32) (*follow.Block, error) {
	h, err := cs.GetBlockHeader(&hash)
	if err != nil {
		return nil, follow.ErrNoBlock
	}
	median, err := medianTime(cs, h, height)
	if err != nil {
		return nil, err
	}
	return &follow.Block{
		Ref:  port.BlockRef{Height: height, Hash: hash, Time: h.Timestamp.Unix(), MedianTime: median},
		Prev: h.PrevBlock,
	}, nil
}

// medianTime is that of a block and the ten before it (BIP113).
func medianTime(cs *neutrino.ChainService, h *wire.BlockHeader, height int32) (int64, error) {
	times := []int64{h.Timestamp.Unix()}
	for at, prev := height-1, h.PrevBlock; at >= 0 && len(times) < medianBlocks; at-- {
		before, err := cs.GetBlockHeader(&prev)
		if err != nil {
			return 0, follow.ErrNoBlock
		}
		times = append(times, before.Timestamp.Unix())
		prev = before.PrevBlock
	}
	slices.Sort(times)
	return times[len(times)/2], nil
}

// Interests implements follow.Filtered. Of the filter it knows that its hash is
// in the chain of filter headers on which the peers agree.
func (s source) Interests(ctx context.Context, hash chainhash.Hash, height int32, scripts [][]byte) (bool, error) {
	if height == 0 {
		return false, nil // the genesis block pays nobody, and has no filter to ask for
	}
	cs, err := s.service()
	if err != nil {
		return false, err
	}
	v, err := s.fetch(ctx, cs, "filter", hash, height, func() (any, error) {
		// The library asks for one batch at a time: a question that nobody can
		// answer, of a block that has left the chain, must not last.
		return cs.GetCFilter(hash, wire.GCSFilterRegular, neutrino.OptimisticBatch(), neutrino.MaxBatchSize(filterBatch), neutrino.NumRetries(1))
	})
	if ctx.Err() == nil {
		s.filter(hash, err)
	}
	if err != nil {
		return false, err
	}
	filter := v.(*gcs.Filter)
	if filter.N() == 0 {
		return false, nil
	}
	may, err := filter.MatchAny(builder.DeriveKey(&hash), scripts)
	if err != nil {
		return false, fmt.Errorf("match the filter of block %d: %w", height, err)
	}
	return may, nil
}

// Block implements follow.Source. The library has checked the block against its
// header, and its witnesses against the block.
func (s source) Block(ctx context.Context, hash chainhash.Hash, height int32) (*follow.Block, error) {
	b, err := s.Header(ctx, hash, height)
	if err != nil {
		return nil, err
	}
	cs, err := s.service()
	if err != nil {
		return nil, err
	}
	v, err := s.fetch(ctx, cs, "block", hash, height, func() (any, error) { return cs.GetBlock(hash) })
	if err != nil {
		return nil, err
	}
	b.Txs = v.(*btcutil.Block).MsgBlock().Transactions
	return b, nil
}

// fetch waits for something from the network, but not longer than ctx: the
// library itself would wait until it is stopped. Those who want the same share
// one question.
func (s source) fetch(ctx context.Context, cs *neutrino.ChainService, what string, hash chainhash.Hash, height int32, f func() (any, error)) (any, error) {
	if s.connected() == 0 {
		return nil, s.noPeers()
	}
	wait, cancel := context.WithTimeout(ctx, fetchTime)
	defer cancel()
	key := what + hash.String()
	c := s.asking.DoChan(key, f)
	for {
		changed := s.Changed()
		if at, err := s.HashAt(ctx, height); err != nil || at != hash {
			return nil, follow.ErrNoBlock // it left the chain, and nobody serves it
		}
		select {
		case r := <-c:
			if r.Err != nil {
				return nil, fmt.Errorf("no peer served the %s of block %d (pruned nodes cannot): %w", what, height, r.Err)
			}
			return r.Val, nil
		case <-changed:
		case <-wait.Done():
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			// The next one asks anew: this question may have died with its client.
			s.asking.Forget(key)
			return nil, fmt.Errorf("no peer served the %s of block %d within %v", what, height, fetchTime)
		}
	}
}

// Unconfirmed implements follow.Source: there is no mempool to look at.
func (s source) Unconfirmed(mark uint64) ([]*wire.MsgTx, uint64) { return nil, mark }

// Changed implements follow.Source.
func (s source) Changed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}
