package p2ptest

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
)

// Inbox is a port.Inbox in memory. It takes entries of every author.
type Inbox struct {
	mu      sync.Mutex
	chains  journal.Chains
	entries map[journal.EntryID]*journal.Entry
	at      map[journal.ChainKey]map[uint64][]journal.EntryID
	order   []journal.EntryID
	wanted  map[journal.EntryID]bool
	claims  map[journal.Author]port.Claim
	claimed int
	hook    func(from journal.Author, e *journal.Entry)
}

var _ port.Inbox = (*Inbox)(nil)

// NewInbox returns an empty inbox.
func NewInbox() *Inbox {
	return &Inbox{
		entries: map[journal.EntryID]*journal.Entry{},
		at:      map[journal.ChainKey]map[uint64][]journal.EntryID{},
		wanted:  map[journal.EntryID]bool{},
		claims:  map[journal.Author]port.Claim{},
	}
}

// SetHook sets what Receive calls before anything else.
func (b *Inbox) SetHook(hook func(from journal.Author, e *journal.Entry)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.hook = hook
}

// Receive adds an entry to its chain.
func (b *Inbox) Receive(_ context.Context, from journal.Author, e *journal.Entry) error {
	b.mu.Lock()
	hook := b.hook
	b.mu.Unlock()
	if hook != nil {
		hook(from, e)
	}
	return b.Put(e)
}

// ReceiveRun receives one entry after the other.
func (b *Inbox) ReceiveRun(ctx context.Context, from journal.Author, es []*journal.Entry) []error {
	var errs []error
	for _, e := range es {
		errs = append(errs, b.Receive(ctx, from, e))
	}
	return errs
}

// Put adds an entry that did not come over the network.
func (b *Inbox) Put(e *journal.Entry) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	next, outcome, err := b.chains.Add(e, b.wanted[e.ID()])
	var missing *journal.MissingError
	switch {
	case errors.As(err, &missing):
		return &port.GapError{Chain: e.Chain(), From: missing.From, Need: missing.Need}
	case err != nil:
		return port.IgnoreUnlinked
	case outcome == journal.Duplicate:
		return nil
	}
	b.chains = next
	b.entries[e.ID()] = e
	m := b.at[e.Chain()]
	if m == nil {
		m = map[uint64][]journal.EntryID{}
		b.at[e.Chain()] = m
	}
	seq := e.Position().Seq
	m[seq] = append(m[seq], e.ID())
	slices.SortFunc(m[seq], func(x, y journal.EntryID) int { return slices.Compare(x[:], y[:]) })
	b.order = append(b.order, e.ID())
	delete(b.wanted, e.ID())
	return nil
}

// Claim returns the frontier and the forks.
func (b *Inbox) Claim() port.Claim {
	b.mu.Lock()
	defer b.mu.Unlock()
	return port.Claim{Frontier: b.chains.Frontier(), Forks: b.chains.Forks()}
}

// PeerClaim keeps the last claim of each peer.
func (b *Inbox) PeerClaim(from journal.Author, c port.Claim) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.claims[from] = c
	b.claimed++
}

// Claims returns how many claims came from peers.
func (b *Inbox) Claims() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.claimed
}

// Entries serves a range of one chain.
func (b *Inbox) Entries(_ context.Context, chain journal.ChainKey, seq uint64, limit, maxBytes int) ([]*journal.Entry, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []*journal.Entry
	for ids := b.at[chain][seq]; len(ids) > 0; ids = b.at[chain][seq] {
		for _, id := range ids {
			e := b.entries[id]
			if len(out) == limit || (len(out) > 0 && maxBytes < len(e.Bytes())) {
				return out, nil
			}
			maxBytes -= len(e.Bytes())
			out = append(out, e)
		}
		seq++
	}
	return out, nil
}

// Entry serves one entry.
func (b *Inbox) Entry(_ context.Context, id journal.EntryID) (*journal.Entry, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if e := b.entries[id]; e != nil {
		return e, nil
	}
	return nil, port.ErrNotFound
}

// Wanted returns what Want named and did not come yet.
func (b *Inbox) Wanted() []journal.EntryID {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Collect(maps.Keys(b.wanted))
}

// Want asks for an entry by id.
func (b *Inbox) Want(id journal.EntryID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.wanted[id] = true
}

// Has says whether an entry is held.
func (b *Inbox) Has(e *journal.Entry) bool {
	_, err := b.Entry(context.Background(), e.ID())
	return err == nil
}

// Len returns the number of entries held.
func (b *Inbox) Len() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.entries)
}

// Order returns the ids in the order in which they were stored.
func (b *Inbox) Order() []journal.EntryID {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.order)
}

// ClaimOf returns the last claim of a peer.
func (b *Inbox) ClaimOf(a journal.Author) port.Claim {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.claims[a]
}
