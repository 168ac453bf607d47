package coordinator

import (
	"errors"
	"sync"
	"time"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
)

// quota is what the authors of a group have left. Only what was stored is
// charged, so nobody can use up the allowance of another. It is not kept: a
// node that starts again grants it anew.
type quota struct {
	mu             sync.Mutex
	m              map[journal.Author]*allowance
	entries, bytes float64 // the full allowance of one
}

type allowance struct {
	entries, bytes float64
	at             time.Time
	until          time.Time // nothing before, where it was used up
}

func newQuota() *quota {
	return &quota{m: map[journal.Author]*allowance{}, entries: quotaEntries, bytes: quotaBytes}
}

// of returns an author's allowance as of now. The caller holds the lock.
func (q *quota) of(a journal.Author, now time.Time) *allowance {
	x := q.m[a]
	if x == nil {
		x = &allowance{entries: q.entries, bytes: q.bytes, at: now}
		q.m[a] = x
	}
	// A clock that goes back gives nothing and takes nothing.
	if passed := now.Sub(x.at).Seconds(); passed > 0 {
		x.entries = min(q.entries, x.entries+passed*quotaEntriesPerSec)
		x.bytes = min(q.bytes, x.bytes+passed*quotaBytesPerSec)
	}
	x.at = now
	return x
}

// left returns nil, or a DeferredError for an author who has nothing left.
func (q *quota) left(a journal.Author, now time.Time) error {
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
func (q *quota) charge(a journal.Author, bytes int, now time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	x := q.of(a, now)
	x.entries = max(-q.entries, x.entries-1)
	x.bytes = max(-q.bytes, x.bytes-float64(bytes))
}

// vouched says whether enough other members claim to hold an entry that one of
// them took it within its own allowance. Claims are the word of who makes them, up
// to k-1 members collude, and the author may be one of them: k-1 others are one
// more than can lie. Where no so many are left besides the author and this node,
// which is where all must sign, nobody vouches.
func (m *Machine) vouched(e *journal.Entry) bool {
	h := e.Header()
	need := max(1, m.State.Genesis().Threshold-1)
	if need > m.State.Genesis().Cosigners-2 {
		return false
	}
	for _, who := range m.State.Members() {
		if who == h.Author || who == m.State.Me() {
			continue
		}
		if f, ok := m.claims.Get(string(who[:])); ok && f[e.Chain()].Seq >= h.Seq {
			if need--; need == 0 {
				return true
			}
		}
	}
	return false
}

// admits says whether an entry may be stored now: nil, or a DeferredError.
func (q *quota) admits(m *Machine, e *journal.Entry, now time.Time) error {
	author := e.Header().Author
	if author == m.State.Me() || !m.State.Knows(author) || m.vouched(e) {
		return nil
	}
	err := q.left(m.State.Payer(author), now)
	var later *port.DeferredError
	if errors.As(err, &later) {
		later.Author = author
	}
	return err
}

// stored charges for an entry that was stored.
func (q *quota) stored(m *Machine, e *journal.Entry, now time.Time) {
	q.charge(m.State.Payer(e.Header().Author), len(e.Bytes()), now)
}

// Allowances are what an Actor asks before it stores what others wrote, for a
// shell around a Machine that is none.
type Allowances struct{ q *quota }

// NewAllowances grants each author so many entries at the start; time grants
// more, as it does in an Actor. Bytes are not counted apart.
func NewAllowances(entries int) *Allowances {
	q := newQuota()
	q.entries = float64(entries)
	return &Allowances{q}
}

// Admits returns nil for an entry that may be stored now, or a DeferredError.
func (a *Allowances) Admits(m *Machine, e *journal.Entry, now time.Time) error {
	return a.q.admits(m, e, now)
}

// Stored charges its author for an entry that was stored.
func (a *Allowances) Stored(m *Machine, e *journal.Entry, now time.Time) { a.q.stored(m, e, now) }
