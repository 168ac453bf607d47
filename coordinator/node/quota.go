package node

import (
	"errors"
	"sync"
	"time"

	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
)

// Quota is what the authors of a group have left. Only what was stored is
// charged, so nobody can use up the allowance of another. It is not kept: a
// node that starts again grants it anew.
type Quota struct {
	mu             sync.Mutex
	m              map[journal.Author]*allowance
	entries, bytes float64 // the full allowance of one
}

type allowance struct {
	entries, bytes float64
	at             time.Time
	until          time.Time // nothing before, where it was used up
}

// NewQuota grants each author so many entries at the start, of coordinator.QuotaBytes
// altogether; time grants more.
func NewQuota(entries int) *Quota {
	return &Quota{m: map[journal.Author]*allowance{}, entries: float64(entries), bytes: coordinator.QuotaBytes}
}

// of returns an author's allowance as of now. The caller holds the lock.
func (q *Quota) of(a journal.Author, now time.Time) *allowance {
	x := q.m[a]
	if x == nil {
		x = &allowance{entries: q.entries, bytes: q.bytes, at: now}
		q.m[a] = x
	}
	// A clock that goes back gives nothing and takes nothing.
	if passed := now.Sub(x.at).Seconds(); passed > 0 {
		x.entries = min(q.entries, x.entries+passed*coordinator.QuotaEntriesPerSec)
		x.bytes = min(q.bytes, x.bytes+passed*coordinator.QuotaBytesPerSec)
	}
	x.at = now
	return x
}

// left returns nil, or a DeferredError for an author who has nothing left.
func (q *Quota) left(a journal.Author, now time.Time) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	x := q.of(a, now)
	if x.entries >= 1 && x.bytes > 0 && !now.Before(x.until) {
		return nil
	}
	begins := !now.Before(x.until)
	if begins {
		x.until = now.Add(quotaPause)
	}
	return &port.DeferredError{Author: a, For: x.until.Sub(now), Begins: begins}
}

// charge takes from an author's allowance what was stored. What others vouch
// for may leave a debt, but never one of more than the whole.
func (q *Quota) charge(a journal.Author, bytes int, now time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	x := q.of(a, now)
	x.entries = max(-q.entries, x.entries-1)
	x.bytes = max(-q.bytes, x.bytes-float64(bytes))
}

// Admits says whether an entry may be stored now: nil, or a DeferredError.
func (q *Quota) Admits(m *coordinator.Machine, e *journal.Entry, now time.Time) error {
	author := e.Header().Author
	if author == m.State.Me() || !m.State.Knows(author) || m.Vouched(e) {
		return nil
	}
	err := q.left(m.State.Payer(author), now)
	var later *port.DeferredError
	if errors.As(err, &later) {
		later.Author = author
	}
	return err
}

// Stored charges its author for an entry that was stored.
func (q *Quota) Stored(m *coordinator.Machine, e *journal.Entry, now time.Time) {
	q.charge(m.State.Payer(e.Header().Author), len(e.Bytes()), now)
}

// quotaPause is how long the chains of an author who has used it up are not
// asked for: long enough that it costs little, and no longer, since others
// may vouch for what comes.
const quotaPause = 30 * time.Second
