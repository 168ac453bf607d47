package follow

import (
	"errors"
	"fmt"

	"github.com/quorate/quorate/coordinator/port"
)

// advance streams what leads from the last streamed block to the tip.
func (f *Follower) advance() error {
	// A reorg between two questions is ordinary, five in a row are not.
	for range 5 {
		err := f.advanceOnce()
		if !errors.Is(err, errMoved) {
			return err
		}
	}
	return fmt.Errorf("after block %d: %w", f.position().Height, ErrUnlinked)
}

func (f *Follower) advanceOnce() error {
	tip, syncing, err := f.src.Tip(f.ctx)
	if err != nil {
		return fmt.Errorf("ask for the tip: %w", err)
	}
	f.behind, f.tip = syncing, tip.Height
	if len(f.refs) > 0 && tip.Hash == f.position().Hash {
		return nil
	}
	if syncing && tip.Height < f.position().Height {
		// The backend starts over; what it does not know yet has not left the chain.
		return nil
	}
	if err := f.retreat(tip.Height); err != nil {
		return err
	}
	for height := f.position().Height; height < tip.Height; height++ {
		if err := f.connect(height + 1); err != nil {
			return err
		}
		f.takeWatches()
	}
	return nil
}

// retreat streams Disconnected for the blocks that left the best chain.
func (f *Follower) retreat(tip int32) error {
	for len(f.refs) > 0 {
		last := f.refs[len(f.refs)-1]
		if last.Height <= tip {
			hash, err := f.src.HashAt(f.ctx, last.Height)
			if err != nil && !errors.Is(err, ErrNoBlock) {
				return fmt.Errorf("ask for block %d: %w", last.Height, err)
			}
			if err == nil && hash == last.Hash {
				return nil
			}
		}
		if err := f.send(port.ChainNotice{Kind: port.Disconnected, Block: last.BlockRef, Prev: last.prev}); err != nil {
			return err
		}
		f.refs = f.refs[:len(f.refs)-1]
		if len(f.refs) == 0 {
			f.base = min(f.base, last.Height-1)
		}
		f.settle = true
		f.pool.disconnected(last.Height)
		f.recent.disconnected(last.Height)
		for _, j := range f.jobs {
			j.back(f.position(), len(f.refs) > 0)
		}
	}
	return nil
}

// connect streams the next block.
func (f *Follower) connect(height int32) error {
	hash, err := f.src.HashAt(f.ctx, height)
	if errors.Is(err, ErrNoBlock) {
		return errMoved
	}
	if err != nil {
		return fmt.Errorf("ask for block %d: %w", height, err)
	}
	b, err := f.src.fetch(f.ctx, hash, height, f.match)
	if errors.Is(err, ErrNoBlock) {
		return errMoved
	}
	if err != nil {
		return fmt.Errorf("get block %d: %w", height, err)
	}
	if len(f.refs) > 0 && b.Prev != f.position().Hash {
		return errMoved
	}
	n := port.ChainNotice{Kind: port.Connected, Block: b.Ref, Prev: b.Prev, Txs: b.Txs}
	if err := f.send(n); err != nil {
		return err
	}
	f.pool.connected(height, f.recent.block(f.match, b))
	f.refs = append(f.refs, mark{b.Ref, b.Prev})
	if len(f.refs) > 2*maxRefs {
		f.refs = append([]mark(nil), f.refs[len(f.refs)-maxRefs:]...)
	}
	f.settle = true
	return nil
}
