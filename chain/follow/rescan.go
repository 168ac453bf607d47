package follow

import (
	"fmt"
	"math"

	"github.com/btcsuite/btcd/chainhash/v2"

	"github.com/quorate/quorate/coordinator"
)

// rescanStep is how many blocks a rescan looks at before new blocks get a turn.
const rescanStep = 32

// rescan looks for scripts in blocks that were streamed before they were
// watched. Nothing is streamed before the scan has reached the block from
// which the stream goes on, and linked to it: otherwise a reorg in between
// could show a block that was never Connected.
type rescan struct {
	match      *matcher
	from, next int32
	target     int32
	last       chainhash.Hash
	hits       []coordinator.BlockRef
}

func newRescan(target int32) *rescan {
	return &rescan{match: newMatcher(), from: math.MaxInt32, target: target}
}

// disconnected starts the scan again if it looked at the block; what is
// connected in its place is streamed anyway.
func (r *rescan) disconnected(height int32) {
	r.target = min(r.target, height-1)
	if height < r.next {
		r.restart()
	}
}

func (r *rescan) restart() {
	r.next, r.hits = r.from, nil
}

// rescanSome goes a step further with the first job.
func (f *Follower) rescanSome() error {
	j := f.jobs[0]
	for range rescanStep {
		if j.next > j.target {
			break
		}
		if err := f.look(j); err != nil {
			return err
		}
	}
	if j.next <= j.target {
		return nil
	}
	for len(j.hits) > 0 {
		b, err := f.src.Block(f.ctx, j.hits[0].Hash, j.hits[0].Height)
		if err != nil {
			// If it has just left the chain, the next turn disconnects it.
			return fmt.Errorf("get block %d: %w", j.hits[0].Height, err)
		}
		n := coordinator.ChainNotice{Kind: coordinator.Rescanned, Block: b.Ref, Prev: b.Prev, Txs: b.Txs}
		if err := f.send(n); err != nil {
			return err
		}
		// A stale view of the mempool must not bring them back as unconfirmed.
		f.pool.connected(b.Ref.Height, j.match.block(b))
		j.hits = j.hits[1:]
	}
	for o := range j.match.outs {
		if len(f.match.outs) < maxOutPoints {
			f.match.outs[o] = struct{}{}
		}
	}
	f.jobs = f.jobs[1:]
	return nil
}

// look examines the next block of a job.
func (f *Follower) look(j *rescan) error {
	hash, own := f.streamed(j.next)
	if !own {
		var err error
		hash, err = f.src.HashAt(f.ctx, j.next)
		if err != nil {
			return fmt.Errorf("ask for block %d: %w", j.next, err)
		}
	}
	b, err := fetch(f.ctx, f.src, hash, j.next, j.match)
	if err != nil {
		return fmt.Errorf("get block %d: %w", j.next, err)
	}
	if j.next > j.from && b.Prev != j.last {
		at := j.next
		j.restart()
		return fmt.Errorf("rescan at block %d: %w", at, ErrUnlinked)
	}
	if len(j.match.block(b)) > 0 {
		j.hits = append(j.hits, b.Ref)
	}
	j.last = b.Ref.Hash
	j.next++
	return nil
}

// streamed returns the hash of a block that this follower streamed or was given.
func (f *Follower) streamed(height int32) (chainhash.Hash, bool) {
	// Heights ascend and end at the position without gaps, but for known blocks.
	for i := max(0, len(f.refs)-1-int(f.position().Height-height)); i < len(f.refs); i++ {
		if f.refs[i].Height >= height {
			return f.refs[i].Hash, f.refs[i].Height == height
		}
	}
	return chainhash.Hash{}, false
}
