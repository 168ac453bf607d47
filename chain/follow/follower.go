package follow

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"

	"github.com/quorate/quorate/coordinator/port"
)

// maxRefs is how many streamed blocks are remembered: 50,000 of some 100 bytes.
// A reorg that is deeper than that within one run is not followed below it.
const maxRefs = 50_000

// Options say what to follow and from where; see port.Chain.Follow.
type Options struct {
	Known   []port.BlockRef
	From    int32
	Scripts [][]byte
	// Retry is the first wait after an error of the source; it doubles up to
	// RetryMax. Zero means one second and thirty.
	Retry, RetryMax time.Duration
	// Answer is how long the source may take for one answer; zero means 90 s.
	Answer time.Duration
	// Grace is how long a transaction must be missing from the mempool before it
	// is told as Unseen. Zero means ten minutes.
	Grace time.Duration
	// Report is called with every error of the source, and with nil when the
	// stream works again. It may be nil.
	Report func(error)
}

// mark is a streamed (or known) block.
type mark struct {
	port.BlockRef
	prev chainhash.Hash
}

// Follower is a port.Follower over a Source.
type Follower struct {
	src     patient
	opt     Options
	ctx     context.Context
	stop    context.CancelFunc
	done    chan struct{}
	notices chan port.ChainNotice
	poke    chan struct{}

	mu       sync.Mutex
	pending  []watch
	expected []chainhash.Hash

	// What follows belongs to the goroutine of run.
	refs   []mark // ascending heights; what was streamed is contiguous
	base   int32  // where the stream starts when refs is empty
	match  *matcher
	recent recent
	jobs   []*rescan
	pool   mempoolView
	settle bool   // CaughtUp is due
	behind bool   // the source was still syncing
	tip    int32  // of the source
	taken  uint64 // calls of Watch that are in effect
	fresh  bool   // the stream began without a known block
	failed bool
}

type watch struct {
	scripts [][]byte
	from    int32
}

// start begins to follow; the follower ends with ctx or Close.
func start(ctx context.Context, src Source, opt Options) *Follower {
	if opt.Retry <= 0 {
		opt.Retry = time.Second
	}
	if opt.RetryMax < opt.Retry {
		opt.RetryMax = max(opt.Retry, 30*time.Second)
	}
	if opt.Grace <= 0 {
		opt.Grace = graceTime
	}
	if opt.Answer <= 0 {
		opt.Answer = answerTime
	}
	f := &Follower{
		src: patient{src, opt.Answer}, opt: opt, base: min(max(opt.From, -1), math.MaxInt32-1),
		done: make(chan struct{}), poke: make(chan struct{}, 1),
		// Two: one being handled, one ready. A block of the main network can
		// take 20 MB once decoded, so a deep queue costs too much.
		notices: make(chan port.ChainNotice, 2),
		match:   newMatcher(), settle: true, fresh: len(opt.Known) == 0,
		pool: newMempoolView(),
	}
	for _, k := range opt.Known {
		f.refs = append(f.refs, mark{BlockRef: k})
	}
	f.match.add(opt.Scripts)
	f.ctx, f.stop = context.WithCancel(ctx)
	go f.run()
	return f
}

// Notices is closed after Close, or when the context of Follow ends.
func (f *Follower) Notices() <-chan port.ChainNotice { return f.notices }

// Close ends the stream and waits until it has ended.
func (f *Follower) Close() error {
	f.stop()
	<-f.done
	return nil
}

// Watch adds scripts from a height on; blocks streamed before that hold them
// come again as Rescanned. It returns at once, or with ErrClosed.
func (f *Follower) Watch(ctx context.Context, scripts [][]byte, from int32) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if f.ctx.Err() != nil {
		return ErrClosed
	}
	f.mu.Lock()
	f.pending = append(f.pending, watch{scripts, from})
	f.mu.Unlock()
	f.wake()
	return nil
}

// Expect names transactions that are told as Unseen when they are in no mempool.
func (f *Follower) Expect(txids []chainhash.Hash) {
	f.mu.Lock()
	f.expected = append(f.expected, txids...)
	f.mu.Unlock()
	f.wake()
}

func (f *Follower) wake() {
	select {
	case f.poke <- struct{}{}:
	default:
	}
}

func (f *Follower) run() {
	defer close(f.done)
	defer close(f.notices)
	defer f.stop()
	defer f.report(nil)
	wait := f.opt.Retry
	for f.ctx.Err() == nil {
		changed := f.src.Changed()
		more, err := f.turn()
		var again <-chan time.Time
		var timer *time.Timer
		switch {
		case f.ctx.Err() != nil:
			return
		case err != nil:
			f.report(err)
			timer = time.NewTimer(wait)
			wait = min(2*wait, f.opt.RetryMax)
		default:
			f.report(nil)
			wait = f.opt.Retry
			if more {
				continue
			}
			if !f.pool.next.IsZero() {
				timer = time.NewTimer(time.Until(f.pool.next))
			}
		}
		if timer != nil {
			again = timer.C
		}
		select {
		case <-f.ctx.Done():
		case <-changed:
		case <-f.poke:
		case <-again:
		}
		if timer != nil {
			timer.Stop()
		}
	}
}

func (f *Follower) report(err error) {
	if f.opt.Report == nil || (err == nil && !f.failed) {
		return
	}
	f.failed = err != nil
	f.opt.Report(err)
}

// turn does all that can be done now, and says whether a rescan has more to do.
func (f *Follower) turn() (more bool, err error) {
	f.takeWatches()
	f.takeExpected()
	// Before the tip is asked for: what is mined is then in a block that is
	// streamed before anything is said to have left.
	left := f.miss()
	if err := f.advance(); err != nil {
		return false, err
	}
	var scanned error
	if len(f.jobs) > 0 {
		scanned = f.rescanSome()
	}
	// Old blocks that cannot be had do not hide what happens now.
	if err := f.sight(); err != nil {
		return false, err
	}
	if err := f.leave(left); err != nil {
		return false, err
	}
	if scanned != nil || len(f.jobs) > 0 {
		return true, scanned
	}
	// A source that is itself behind shows an old chain: nobody has caught up then.
	if !f.behind && len(f.refs) == 0 && f.base > f.tip {
		return false, fmt.Errorf("%w: it begins after block %d, and the chain ends with block %d", ErrAbove, f.base, f.tip)
	}
	if f.settle && !f.behind && f.position().Height <= f.tip {
		if err := f.send(port.ChainNotice{Kind: port.CaughtUp, Block: f.position(), Watches: f.taken}); err != nil {
			return false, err
		}
		f.settle = false
	}
	return false, nil
}

func (f *Follower) send(n port.ChainNotice) error {
	select {
	case f.notices <- n:
		return nil
	case <-f.ctx.Done():
		return f.ctx.Err()
	}
}

// position is the last block streamed or known; only its height is set when
// the stream has not started.
func (f *Follower) position() port.BlockRef {
	if len(f.refs) == 0 {
		return port.BlockRef{Height: f.base}
	}
	return f.refs[len(f.refs)-1].BlockRef
}

// takeWatches puts the scripts of Watch calls into effect.
func (f *Follower) takeWatches() {
	f.mu.Lock()
	pending := f.pending
	f.pending = nil
	f.mu.Unlock()
	f.taken += uint64(len(pending))
	for _, w := range pending {
		if f.match.add(w.scripts) {
			// A transaction in the mempool may pay the new script.
			f.pool.mark = 0
		}
		f.settle = true
		until := f.position().Height
		if w.from > until {
			continue
		}
		from := max(w.from, 1)
		if f.fresh {
			// What lies below the stream was never streamed, and nobody would say so
			// if it left the chain.
			from = max(from, f.base+1)
		}
		until = f.recent.until(w.scripts, from, until)
		if from > until {
			continue
		}
		n := len(f.jobs)
		if n == 0 || f.jobs[n-1].begun() {
			f.jobs = append(f.jobs, newRescan())
			n++
		}
		f.jobs[n-1].add(w.scripts, from, until)
	}
}

// errMoved says that the chain changed between two questions: ask again.
var errMoved = errors.New("best chain changed")
