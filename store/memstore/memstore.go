package memstore

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/tidwall/btree"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/store"
)

// Store keeps in memory what Badger keeps on a disk. It is safe for concurrent
// use.
type Store struct {
	mu     sync.Mutex
	closed bool
	// tree is copied on write: a reader takes a copy and needs no lock.
	tree  *btree.Map[string, []byte]
	guard *store.GuardBook

	lastNotice, dropped uint64 // numbers of notices
}

var _ port.Store = (*Store)(nil)

// New returns an empty store.
func New() *Store {
	return &Store{tree: btree.NewMap[string, []byte](0), guard: store.NewGuardBook()}
}

// Reopen closes the store and returns another one that holds the same: what a
// node finds after a crash.
func (m *Store) Reopen() *Store {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	next := &Store{tree: m.tree.Copy(), guard: store.NewGuardBook(), lastNotice: m.lastNotice, dropped: m.dropped}
	next.guard.Add(m.guard.List()...)
	return next
}

// Close makes every later call return store.ErrClosed.
func (m *Store) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return store.ErrClosed
	}
	m.closed = true
	return nil
}

// Commit applies a batch at once; see store.Badger.Commit.
func (m *Store) Commit(ctx context.Context, b port.Batch) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return store.ErrClosed
	}
	if _, err := store.CheckBatch(b); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	guard, err := m.guard.Admit(b.Guard)
	if err != nil {
		return err
	}
	for _, e := range b.Entries {
		index := idKey(b.Group, e.ID())
		if _, held := m.tree.Get(index); held {
			continue
		}
		key := entryKey(b.Group, e)
		m.tree.Set(index, []byte(key))
		m.tree.Set(key, slices.Clone(e.Bytes()))
	}
	for _, k := range b.Deletes {
		m.tree.Delete(recordKey(b.Group, k))
	}
	for k, v := range b.Puts {
		m.tree.Set(recordKey(b.Group, k), append([]byte{}, v...))
	}
	m.number(b.Notices)
	m.guard.Add(guard...)
	return nil
}

// Walk calls yield for every entry of a group; see store.Badger.Walk.
func (m *Store) Walk(ctx context.Context, group journal.GroupID, yield func(*journal.Entry) error) error {
	prefix := groupKey(group)
	return m.scan(ctx, prefix, prefix, func(k string, v []byte) (bool, error) {
		e, err := decode(k, v)
		if err != nil {
			return false, err
		}
		return true, yield(e)
	})
}

// Entry returns one entry, or port.ErrNotFound.
func (m *Store) Entry(ctx context.Context, group journal.GroupID, id journal.EntryID) (*journal.Entry, error) {
	tree, err := m.copy(ctx)
	if err != nil {
		return nil, err
	}
	key, held := tree.Get(idKey(group, id))
	if !held {
		return nil, fmt.Errorf("entry %s: %w", id, port.ErrNotFound)
	}
	v, _ := tree.Get(string(key))
	return decode(string(key), v)
}

// Range returns the entries of a chain from a seq on; see store.Badger.Range.
func (m *Store) Range(ctx context.Context, group journal.GroupID, chain journal.ChainKey, seq uint64, limit, maxBytes int) ([]*journal.Entry, error) {
	var out []*journal.Entry
	size := 0
	err := m.scan(ctx, chainKey(group, chain), seqKey(group, chain, seq), func(k string, v []byte) (bool, error) {
		if len(out) >= limit {
			return false, nil
		}
		e, err := decode(k, v)
		if err != nil {
			return false, err
		}
		size += len(e.Bytes())
		if len(out) > 0 && size > maxBytes {
			return false, nil
		}
		out = append(out, e)
		return true, nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// Records returns the records of a group whose key starts with prefix.
func (m *Store) Records(ctx context.Context, group journal.GroupID, prefix string) (map[string][]byte, error) {
	out := make(map[string][]byte)
	head := len(recordKey(group, ""))
	from := recordKey(group, prefix)
	err := m.scan(ctx, from, from, func(k string, v []byte) (bool, error) {
		out[k[head:]] = append([]byte{}, v...)
		return true, nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// Guard returns every record of the sign guard, by outpoint and txid.
func (m *Store) Guard(ctx context.Context) ([]port.GuardRecord, error) {
	if _, err := m.copy(ctx); err != nil {
		return nil, err
	}
	return m.guard.List(), nil
}

// copy returns the tree as it is now, for reading.
func (m *Store) copy(ctx context.Context) (*btree.Map[string, []byte], error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return nil, store.ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return m.tree.Copy(), nil
}

// scan calls f with the keys of a prefix from a key on, until it returns false
// or an error.
func (m *Store) scan(ctx context.Context, prefix, from string, f func(string, []byte) (bool, error)) error {
	tree, err := m.copy(ctx)
	if err != nil {
		return err
	}
	tree.Ascend(from, func(k string, v []byte) bool {
		if !strings.HasPrefix(k, prefix) {
			return false
		}
		var more bool
		more, err = f(k, v)
		return more && err == nil
	})
	return err
}

// decode reads an entry; what it returns shares nothing with the store.
func decode(key string, raw []byte) (*journal.Entry, error) {
	e, err := journal.DecodeStored(raw, idOf(key))
	if err != nil {
		return nil, fmt.Errorf("read entry %s: %w: %w", idOf(key), store.ErrCorrupt, err)
	}
	return e, nil
}
