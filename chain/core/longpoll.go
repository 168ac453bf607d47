package core

import (
	"context"
	"errors"
	"time"
)

// waitAtMost is how long the node is asked to wait for a block in one call.
const waitAtMost = 20 * time.Second

// longPoll has the node itself say when there is a new block, where it can
// (Bitcoin Core, not btcd), so that the next look at it comes at once. It only
// ever makes polling sooner: whatever goes wrong here is left to the polling to
// find and to name. One of the node's RPC threads is kept busy by it.
func (b *Backend) longPoll(ctx context.Context) {
	defer close(b.longDone)
	for ctx.Err() == nil {
		b.mu.Lock()
		changed, height := b.changed, b.tip.Height
		// A node that is syncing has a new block all the time.
		use := b.hasTip && b.faults.Noted() == "" && !b.syncing && !b.noWait && !b.cfg.NoLongPoll && time.Now().After(b.crowdedTill)
		b.mu.Unlock()
		if use {
			if b.await(ctx, height) {
				continue
			}
			b.mu.Lock()
			changed = b.changed
			if b.tip.Height > height {
				b.mu.Unlock()
				continue
			}
			b.mu.Unlock()
		}
		select {
		case <-ctx.Done():
		case <-changed:
		}
	}
}

// crowdedFor is how long the long poll is left out where the node is short of threads.
const crowdedFor = 5 * time.Minute

// looked notes how long a look at the node took: one that is slow, or that the node was
// too busy for, may be so because this node's own long poll holds a thread, and others
// wait for one too.
func (b *Backend) looked(took time.Duration, err error) {
	if !errors.Is(err, ErrBusy) && (err != nil || took <= b.cfg.Slow) {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.crowdedTill = time.Now().Add(crowdedFor)
	if b.endWait != nil {
		b.endWait()
	}
}

// await waits for a block above a height. It returns false when there is no use
// in asking again before something changed.
func (b *Backend) await(ctx context.Context, height int32) bool {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	b.mu.Lock()
	b.endWait = cancel
	b.mu.Unlock()
	wait := min(waitAtMost, b.cfg.Timeout/2)
	var at struct {
		Height int32 `json:"height"`
	}
	start := time.Now()
	// By height and not by "the next block", which may be there already.
	err := b.rpc.wait(ctx, &at, "waitforblockheight", height+1, max(1, wait.Milliseconds()))
	switch {
	case err == nil && at.Height > height:
		b.hurry()
		return false
	case err == nil && time.Since(start) >= wait/2:
		return true
	case err == nil, errors.Is(err, ErrForbid), rpcCode(err) != 0:
		b.cfg.Log.Debug("the Bitcoin node does not tell of new blocks by itself: polling only", "error", err)
		b.mu.Lock()
		b.noWait = true
		b.mu.Unlock()
	}
	return false
}
