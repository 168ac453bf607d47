// Package none is the chain backend of a node that sees no chain: it signs
// nothing that it cannot verify, but it keeps and passes on what others decide.
package none

import (
	"context"
	"sync"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/wallet"
)

// Backend implements port.Chain and knows nothing. The zero value is
// ready to use.
type Backend struct{}

var _ port.Chain = Backend{}

// Tip returns ErrUnsupported.
func (Backend) Tip(context.Context) (port.BlockRef, error) {
	return port.BlockRef{}, port.ErrUnsupported
}

// Follow returns a follower that never sends anything.
func (Backend) Follow(ctx context.Context, _ []port.BlockRef, _ int32, _ [][]byte) (port.Follower, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	f := &follower{notices: make(chan port.ChainNotice)}
	f.unhook = context.AfterFunc(ctx, f.end)
	return f, nil
}

// TestAccept returns ErrUnsupported.
func (Backend) TestAccept(context.Context, *wire.MsgTx) error { return port.ErrUnsupported }

// Broadcast returns ErrUnsupported.
func (Backend) Broadcast(context.Context, *wire.MsgTx) (port.Reach, error) {
	return "", port.ErrUnsupported
}

// FeeRate returns ErrNoEstimate.
func (Backend) FeeRate(context.Context, int) (wallet.FeeRate, error) {
	return 0, port.ErrNoEstimate
}

// Health says that there is no backend.
func (Backend) Health() port.ChainHealth {
	return port.ChainHealth{
		Backend: "none",
		Problem: `no connection to the Bitcoin network is configured (chain.backend = "none")`,
	}
}

type follower struct {
	once    sync.Once
	unhook  func() bool
	notices chan port.ChainNotice
}

func (f *follower) end() { f.once.Do(func() { close(f.notices) }) }

func (f *follower) Notices() <-chan port.ChainNotice { return f.notices }

func (f *follower) Watch(ctx context.Context, _ [][]byte, _ int32) error { return ctx.Err() }

func (f *follower) Expect([]chainhash.Hash) {}

func (f *follower) Close() error {
	f.unhook()
	f.end()
	return nil
}
