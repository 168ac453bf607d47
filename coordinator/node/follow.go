package node

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/ledger"
	"github.com/quorate/quorate/coordinator/port"
)

// watch adds scripts to the running stream; one that starts later has them all.
func (a *Actor) watch(x coordinator.WatchScripts) {
	f, call, err := a.callWatch(x)
	if f == nil {
		return
	}
	if err != nil && a.ctx.Err() == nil {
		// The stream starts again, with all scripts, when it is closed.
		a.ports.Log.Warn("watch further addresses", "wallet", a.group.String()[:8], "error", err)
		_ = f.Close()
		return
	}
	a.tell(coordinator.Watched{Call: call})
}

// callWatch counts the calls in the order in which the follower takes them.
func (a *Actor) callWatch(x coordinator.WatchScripts) (f port.Follower, call uint64, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.follower == nil {
		return nil, 0, nil
	}
	ctx, cancel := context.WithTimeout(a.ctx, broadcastTime)
	defer cancel()
	a.watches++
	return a.follower, a.watches, a.follower.Watch(ctx, x.Scripts, x.From)
}

// follow streams the chain into the actor, starting again from the blocks then
// known when the stream ends.
func (a *Actor) follow() {
	for a.ctx.Err() == nil {
		m := a.Machine()
		x := coordinator.Follow(m.View.Follow())
		if len(x.Known) == 0 && !a.born(&x) {
			select {
			case <-a.ctx.Done():
				return
			case <-time.After(followRetry):
			}
			continue
		}
		f, err := a.ports.Chain.Follow(a.ctx, x.Known, x.From, x.Scripts)
		if err != nil {
			if a.ctx.Err() == nil {
				a.ports.Log.Warn("follow the chain", "wallet", a.group.String()[:8], "error", err)
			}
		} else {
			a.stream(f, m.Stream())
		}
		select {
		case <-a.ctx.Done():
			return
		case <-time.After(followRetry):
		}
	}
}

// bornBefore is how long before its first entry here a wallet cannot have been
// paid: for clocks that are wrong, and blocks that claim a false time.
const bornBefore = 7 * 24 * time.Hour

// born finds the height at which a wallet that was never followed begins: the
// chain may not have been known when it was made. It says whether to go on.
func (a *Actor) born(x *coordinator.Follow) bool {
	d, ok := a.ports.Chain.(port.Dated)
	began, dated := a.Machine().Began()
	if !ok || !dated {
		return true
	}
	height, err := d.HeightAt(a.ctx, began.Add(-bornBefore))
	if err != nil {
		if a.ctx.Err() == nil && !errors.Is(err, port.ErrNotSynced) {
			a.ports.Log.Warn("find the wallet's first block", "wallet", a.group.String()[:8], "error", err)
		}
		return false
	}
	if height <= x.From {
		return true
	}
	if _, err := Do(a.ctx, a, coordinator.Born{Height: height}); err != nil {
		return false
	}
	x.From = height
	return true
}

// stream takes in what a follower tells until it ends, or until the chain is
// to be scanned again: then it is no longer the stream of that number.
func (a *Actor) stream(f port.Follower, number uint64) {
	a.mu.Lock()
	a.follower, a.watches = f, 0
	a.mu.Unlock()
	defer func() {
		a.mu.Lock()
		a.follower = nil
		a.mu.Unlock()
		_ = f.Close()
	}()
	m := a.Machine()
	if m.Stream() != number {
		return // it was not there yet to be closed
	}
	v := m.View
	f.Expect(v.Sighted())
	if again, ok := v.Unfinished(); ok {
		// Of last time, or asked for while the stream was being opened.
		a.done.Go(func() { a.watch(coordinator.WatchScripts(again)) })
	}
	for n := range f.Notices() {
		if _, err := Do(a.ctx, a, coordinator.Streamed{Notice: n, Stream: number}); err != nil {
			// A block that does not extend what is known, or one that could not
			// be stored: begin again from the last block that was stored.
			if a.ctx.Err() == nil && !errors.Is(err, coordinator.ErrOldStream) {
				a.ports.Log.Warn("take in a block", "wallet", a.group.String()[:8], "height", n.Block.Height, "error", err)
			}
			return
		}
	}
}

// lookBack executes a LookBack over a stream of its own.
func (a *Actor) lookBack(x coordinator.LookBack) {
	out, err := a.lookAt(x)
	if err != nil {
		if a.ctx.Err() != nil {
			return
		}
		a.ports.Log.Warn("look for addresses in old blocks; it is tried again", "wallet", a.group.String()[:8], "error", err)
	}
	out.From, out.Err = x.From, err
	a.tell(coordinator.LookedBackIn{Found: out})
}

func (a *Actor) lookAt(x coordinator.LookBack) (ledger.LookedBack, error) {
	var out ledger.LookedBack
	if x.Until <= x.From {
		out.End = a.Machine().View.Tip()
		return out, nil
	}
	f, err := a.ports.Chain.Follow(a.ctx, nil, x.From, x.Scripts)
	if err != nil {
		return out, fmt.Errorf("follow the chain: %w", err)
	}
	defer func() { _ = f.Close() }()
	m := ledger.NewPicker(x.Scripts)
	for n := range f.Notices() {
		switch n.Kind {
		case port.Connected:
			if txs := m.Pick(n.Txs); len(txs) > 0 {
				out.Blocks = append(out.Blocks, ledger.LookedBlock{Block: n.Block, Txs: txs})
			}
			if n.Block.Height >= x.Until {
				out.End = n.Block
				return out, nil
			}
		case port.Disconnected:
			if k := len(out.Blocks); k > 0 && out.Blocks[k-1].Block == n.Block {
				out.Blocks = out.Blocks[:k-1]
			}
		default: // what is in no block, or near the tip, is the stream's
		}
	}
	if err := context.Cause(a.ctx); err != nil {
		return out, fmt.Errorf("follow the chain: %w", err)
	}
	return out, errMovedChain
}

// refollow closes the running stream; the loop of follow opens the next one.
func (a *Actor) refollow() {
	a.mu.Lock()
	f := a.follower
	a.mu.Unlock()
	if f != nil {
		_ = f.Close()
	}
}

// errMovedChain means that the chain ended before the blocks that were to be
// looked at.
var errMovedChain = errors.New("the stream ended before the last block")
