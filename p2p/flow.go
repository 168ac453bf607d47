package p2p

import (
	"context"
	"sync"
	"time"

	"github.com/quorate/quorate/journal"
)

// flow is what moves in one group: it outlives changes of its link.
type flow struct {
	mu      sync.Mutex
	changed chan struct{} // closed and replaced when something was stored
	busy    map[journal.ChainKey]time.Time
	freed   chan struct{} // closed and replaced when a chain is let go
	waiting map[journal.Author]int
	later   map[journal.Author]time.Time // whose chains are not pulled before
}

// maxPatience is how many gossiped entries of one peer may wait at once for
// the one before them: a flood of gaps must not use up all validators.
const maxPatience = 8

// chainLease is how long a pull of one chain keeps others from pulling the same
// chain: a slow peer delays a chain by this much, and no more.
const chainLease = 5 * time.Second

func newFlow() *flow {
	return &flow{
		changed: make(chan struct{}),
		freed:   make(chan struct{}),
		busy:    map[journal.ChainKey]time.Time{},
		waiting: map[journal.Author]int{},
		later:   map[journal.Author]time.Time{},
	}
}

// queue says whether one more entry of a peer may wait; the caller then calls
// unqueue.
func (f *flow) queue(p journal.Author) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.waiting[p] >= maxPatience {
		return false
	}
	f.waiting[p]++
	return true
}

func (f *flow) unqueue(p journal.Author) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.waiting[p]--; f.waiting[p] == 0 {
		delete(f.waiting, p)
	}
}

// defers has the chains of an author not pulled for a while. Only authors that
// are known above are deferred, so this is bounded.
func (f *flow) defers(a journal.Author, d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.later[a] = time.Now().Add(d)
}

// deferred says whether the chains of an author are not to be pulled now.
func (f *flow) deferred(a journal.Author) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	until, ok := f.later[a]
	if ok && !time.Now().Before(until) {
		delete(f.later, a)
		return false
	}
	return ok
}

// stored wakes everybody who waits for an entry to arrive.
func (f *flow) stored() {
	f.mu.Lock()
	close(f.changed)
	f.changed = make(chan struct{})
	f.mu.Unlock()
}

// watch returns a channel that is closed at the next stored.
func (f *flow) watch() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.changed
}

// take leases those of the chains that nobody pulls now, at most limit.
func (f *flow) take(chains []journal.ChainKey, limit int) []journal.ChainKey {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := time.Now()
	var out []journal.ChainKey
	for _, c := range chains {
		if len(out) == limit {
			break
		}
		if since, ok := f.busy[c]; ok && now.Sub(since) < chainLease {
			continue
		}
		f.busy[c] = now
		out = append(out, c)
	}
	return out
}

// release ends leases.
func (f *flow) release(chains []journal.ChainKey) {
	f.mu.Lock()
	for _, c := range chains {
		delete(f.busy, c)
	}
	close(f.freed)
	f.freed = make(chan struct{})
	f.mu.Unlock()
}

// await returns when a lease ended, after chainLease at the latest.
func (f *flow) await(ctx context.Context) error {
	f.mu.Lock()
	freed := f.freed
	f.mu.Unlock()
	t := time.NewTimer(chainLease)
	defer t.Stop()
	select {
	case <-freed:
	case <-t.C:
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}
