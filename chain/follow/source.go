// Package follow turns a chain that can be asked (what is the tip, which block
// is at a height, what is in the mempool) into the coordinator's stream of
// notices. The chain backends that can be asked share it, so that reorgs,
// rescans and restarts are handled in one place.
package follow

import (
	"context"
	"errors"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/port"
)

// Errors of following a chain.
var (
	// ErrNoBlock is returned by a Source for a height above its tip, or for a
	// block that it does not have in its best chain.
	ErrNoBlock = errors.New("block is not in the best chain")
	// ErrUnlinked is reported when a source keeps naming blocks that do not
	// build on each other.
	ErrUnlinked = errors.New("blocks do not build on each other")
	// ErrAbove is reported of a stream that is to begin where there is no block: the
	// height at which the wallet began is wrong, or the chain is.
	ErrAbove = errors.New("a wallet is looked for above the chain (`wallet rescan` sets right where it begins)")
	// ErrClosed is returned when the follower or its backend is closed.
	ErrClosed = errors.New("chain follower is closed")
)

// Source is a chain that can be asked. It is safe for concurrent use. The best
// chain may change between any two calls.
type Source interface {
	// Tip returns the best block, and whether the source is still catching up
	// with its own network (its chain may then be shorter than what was seen before).
	Tip(ctx context.Context) (tip port.BlockRef, syncing bool, err error)
	// HashAt returns the hash of the best chain's block at a height, or ErrNoBlock.
	HashAt(ctx context.Context, height int32) (chainhash.Hash, error)
	// Block returns the block of that hash, said to be at that height. The
	// source has checked that its content belongs to the hash.
	Block(ctx context.Context, hash chainhash.Hash, height int32) (*Block, error)
	// Unconfirmed returns the transactions in the mempool that arrived after
	// mark, each after those it spends from, and the mark to ask with next time.
	Unconfirmed(mark uint64) ([]*wire.MsgTx, uint64)
	// Changed returns a channel that is closed at the next change of tip or mempool.
	Changed() <-chan struct{}
}

// Pooled is a Source with a mempool of which it can tell what has left it.
type Pooled interface {
	Source
	// Missing returns those of the transactions that are not in the mempool, and
	// how far that can be relied on.
	Missing(ids []chainhash.Hash) ([]chainhash.Hash, Sight)
}

// Sight says how a source sees its mempool.
type Sight struct {
	// Whole is since when it sees all of it without a break; zero while it does
	// not: the node is not reachable, reads its mempool back, or has blocks to catch up.
	Whole time.Time
	// Tip is when the tip was asked for that the source shows.
	Tip time.Time
}

// Filtered is a Source that can tell that a block holds nothing of interest
// without fetching it.
type Filtered interface {
	Source
	// Interests says whether the block may pay one of the scripts or spend from
	// one; true is always a right answer.
	Interests(ctx context.Context, hash chainhash.Hash, height int32, scripts [][]byte) (bool, error)
	// Header returns the block of that hash without its transactions, or ErrNoBlock.
	Header(ctx context.Context, hash chainhash.Hash, height int32) (*Block, error)
}

// Block is a block with its place in the chain. Txs is empty where the source
// told that none is of interest.
type Block struct {
	Ref  port.BlockRef
	Prev chainhash.Hash
	Txs  []*wire.MsgTx
}
