package core

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/chain/follow"
	"github.com/quorate/quorate/chain/rawblock"
	"github.com/quorate/quorate/coordinator/port"
)

// Errors of blocks that a node returns.
var (
	// ErrLie is returned when an answer contradicts what was asked for.
	ErrLie = errors.New("the Bitcoin node returned a false block")
	// ErrPruned is returned when the node has thrown a block away.
	ErrPruned = errors.New("the Bitcoin node is pruned and no longer has the block: a node that keeps all blocks since the wallet began is needed")
)

const medianBlocks = 11 // BIP113

// Block fetches a block and checks all that can be checked without the chain
// before it: hash, proof of work, difficulty, merkle roots, height, structure.
func (s source) Block(ctx context.Context, hash chainhash.Hash, height int32) (*follow.Block, error) {
	s.mu.Lock()
	cached := s.blocks.by[hash]
	s.mu.Unlock()
	if cached != nil && cached.Ref.Height == height {
		return cached, nil
	}
	var raw []byte
	err := s.rpc.call(ctx, &raw, "getblock", hash.String(), 0)
	switch {
	case rpcCode(err) == codeNoBlock:
		return nil, follow.ErrNoBlock
	case rpcCode(err) == codeMisc && strings.Contains(err.Error(), "pruned"):
		return nil, ErrPruned
	case err != nil:
		return nil, err
	}
	block, held, err := s.checkBlock(raw, hash, height)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	header := block.MsgBlock().Header
	s.headers.put(hash, &header, 1)
	s.mu.Unlock()
	out, err := s.Header(ctx, hash, height)
	if err != nil {
		return nil, err
	}
	out.Txs = block.MsgBlock().Transactions
	s.mu.Lock()
	s.blocks.put(hash, out, held)
	s.mu.Unlock()
	return out, nil
}

// Header implements follow.Filtered: a block without its transactions, with the
// checks that do not need them: hash, proof of work, difficulty. That it builds
// on the block before is checked by the follower.
func (s source) Header(ctx context.Context, hash chainhash.Hash, height int32) (*follow.Block, error) {
	header, err := s.oneHeader(ctx, hash)
	if rpcCode(err) == codeNoBlock {
		return nil, follow.ErrNoBlock
	}
	if err != nil {
		return nil, fmt.Errorf("get its header: %w", err)
	}
	_, median, err := s.header(ctx, hash)
	if err != nil {
		return nil, fmt.Errorf("get headers before it: %w", err)
	}
	if err := s.checkDifficulty(ctx, header, height); err != nil {
		return nil, err
	}
	return &follow.Block{
		Ref:  port.BlockRef{Height: height, Hash: hash, Time: header.Timestamp.Unix(), MedianTime: median},
		Prev: header.PrevBlock,
	}, nil
}

// checkBlock checks a block against hash and height, and then decodes it: what
// is not the block that was asked for takes no memory. It returns how many bytes
// the block takes decoded, too.
func (b *Backend) checkBlock(raw []byte, hash chainhash.Hash, height int32) (*btcutil.Block, int, error) {
	header, err := rawblock.Header(raw)
	if err != nil {
		return nil, 0, fmt.Errorf("%w: it cannot be decoded", ErrLie)
	}
	if err := b.checkHeader(&header, hash); err != nil {
		return nil, 0, err
	}
	shape, err := rawblock.Check(raw)
	if err != nil {
		return nil, 0, fmt.Errorf("%w: %w", ErrLie, err)
	}
	msg, err := rawblock.Decode(raw, shape)
	if err != nil {
		return nil, 0, fmt.Errorf("%w: %w", ErrLie, err)
	}
	block := btcutil.NewBlock(msg)
	if height == 0 {
		return block, shape.Held(), nil // its hash is that of the network
	}
	if err := blockchain.CheckBlockSanity(block, b.params.PowLimit, blockClock{header.Timestamp}); err != nil {
		return nil, 0, fmt.Errorf("%w: %s", ErrLie, follow.OneLine(err.Error()))
	}
	if height >= b.params.BIP0034Height {
		if err := blockchain.CheckSerializedHeight(block.Transactions()[0], height); err != nil {
			return nil, 0, fmt.Errorf("%w: it is not of height %d", ErrLie, height)
		}
	}
	return block, shape.Held(), nil
}

// checkHeader checks a header's hash and proof of work.
func (b *Backend) checkHeader(h *wire.BlockHeader, hash chainhash.Hash) error {
	if h.BlockHash() != hash {
		return fmt.Errorf("%w: another hash than asked for", ErrLie)
	}
	target := blockchain.CompactToBig(h.Bits)
	if target.Sign() <= 0 || target.Cmp(b.params.PowLimit) > 0 || blockchain.HashToBig(&hash).Cmp(target) > 0 {
		return fmt.Errorf("%w: header without proof of work", ErrLie)
	}
	return nil
}

// blockClock keeps the local clock out of the checks: the node has its own, and
// a cosigner whose clock is slow must not stop seeing blocks.
type blockClock struct{ at time.Time }

func (c blockClock) AdjustedTime() time.Time         { return c.at }
func (c blockClock) AddTimeSample(string, time.Time) {}
func (c blockClock) Offset() time.Duration           { return 0 }

// checkDifficulty checks that the target moves only when it may and no further
// than it may, on networks without a rule for slow blocks.
func (s source) checkDifficulty(ctx context.Context, h *wire.BlockHeader, height int32) error {
	if s.params.ReduceMinDifficulty || s.params.PoWNoRetargeting || height < 1 {
		return nil
	}
	prev, err := s.oneHeader(ctx, h.PrevBlock)
	if err != nil {
		return fmt.Errorf("get header before it: %w", err)
	}
	period := int32(s.params.TargetTimespan / s.params.TargetTimePerBlock)
	if height%period != 0 {
		if h.Bits != prev.Bits {
			return fmt.Errorf("%w: its difficulty is wrong", ErrLie)
		}
		return nil
	}
	most := new(big.Int).Mul(blockchain.CompactToBig(prev.Bits), big.NewInt(s.params.RetargetAdjustmentFactor))
	if blockchain.CompactToBig(h.Bits).Cmp(most) > 0 {
		return fmt.Errorf("%w: its difficulty is too low", ErrLie)
	}
	return nil
}

// header returns a header and its median time past (BIP113, in Unix seconds),
// which is computed here: btcd does not tell it.
func (b *Backend) header(ctx context.Context, hash chainhash.Hash) (*wire.BlockHeader, int64, error) {
	first, err := b.oneHeader(ctx, hash)
	if err != nil {
		return nil, 0, err
	}
	times := []int64{first.Timestamp.Unix()}
	for at := first; len(times) < medianBlocks && at.PrevBlock != (chainhash.Hash{}); {
		if at, err = b.oneHeader(ctx, at.PrevBlock); err != nil {
			return nil, 0, err
		}
		times = append(times, at.Timestamp.Unix())
	}
	slices.Sort(times)
	return first, times[len(times)/2], nil
}

// oneHeader fetches a header and checks its hash and proof of work.
func (b *Backend) oneHeader(ctx context.Context, hash chainhash.Hash) (*wire.BlockHeader, error) {
	b.mu.Lock()
	h := b.headers.by[hash]
	b.mu.Unlock()
	if h != nil {
		return h, nil
	}
	var raw []byte
	if err := b.rpc.call(ctx, &raw, "getblockheader", hash.String(), false); err != nil {
		return nil, err
	}
	got, err := rawblock.Header(raw)
	if err != nil || len(raw) != wire.MaxBlockHeaderPayload {
		return nil, fmt.Errorf("%w: header", ErrGarbage)
	}
	if err := b.checkHeader(&got, hash); err != nil {
		return nil, err
	}
	h = &got
	b.mu.Lock()
	b.headers.put(hash, h, 1)
	b.mu.Unlock()
	return h, nil
}
