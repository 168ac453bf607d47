package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/tidwall/btree"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
)

// Memory is a store without a disk, for tests and simulations: the same keys
// and values in a tree. It is safe for concurrent use.
type Memory struct {
	mu     sync.Mutex
	closed bool
	// tree is copied on write: a reader takes a copy and needs no lock.
	tree  *btree.Map[string, []byte]
	guard *guardBook
}

var _ port.Store = (*Memory)(nil)

// NewMemory returns an empty store.
func NewMemory() *Memory {
	return &Memory{tree: btree.NewMap[string, []byte](0), guard: newGuardBook()}
}

// Reopen closes the store and returns another one that holds the same: what a
// node finds after a crash.
func (m *Memory) Reopen() *Memory {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	next := &Memory{tree: m.tree.Copy(), guard: newGuardBook()}
	next.guard.add(m.guard.list()...)
	return next
}

// Close makes every later call return ErrClosed.
func (m *Memory) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return ErrClosed
	}
	m.closed = true
	return nil
}

// Commit applies a batch at once; see Badger.Commit.
func (m *Memory) Commit(ctx context.Context, b port.Batch) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return ErrClosed
	}
	if _, err := checkBatch(b); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	guard, err := m.guard.admit(b.Guard)
	if err != nil {
		return err
	}
	for _, e := range b.Entries {
		index := string(idKey(b.Group, e.ID()))
		if _, held := m.tree.Get(index); held {
			continue
		}
		m.tree.Set(index, place(e.Chain(), e.Position().Seq))
		m.tree.Set(string(entryKey(b.Group, e.Chain(), e.Position())), inline(e.Bytes()))
	}
	for _, k := range b.Deletes {
		m.tree.Delete(string(recordKey(b.Group, k)))
	}
	for k, v := range b.Puts {
		m.tree.Set(string(recordKey(b.Group, k)), inline(v))
	}
	m.guard.add(guard...)
	return nil
}

// Walk calls yield for every entry of a group; see Badger.Walk.
func (m *Memory) Walk(ctx context.Context, group journal.GroupID, yield func(*journal.Entry) error) error {
	prefix := string(groupKey(spaceEntry, group))
	return m.scan(ctx, prefix, prefix, func(k string, v []byte) (bool, error) {
		e, err := memoryEntry(k, v)
		if err != nil {
			return false, err
		}
		return true, yield(e)
	})
}

// Entry returns one entry, or port.ErrNotFound.
func (m *Memory) Entry(ctx context.Context, group journal.GroupID, id journal.EntryID) (e *journal.Entry, err error) {
	tree, err := m.copy(ctx)
	if err != nil {
		return nil, err
	}
	at, held := tree.Get(string(idKey(group, id)))
	if !held {
		return nil, fmt.Errorf("entry %s: %w", id, port.ErrNotFound)
	}
	chain, seq, err := parsePlace(at)
	if err != nil {
		return nil, fmt.Errorf("read index of entry %s: %w", id, err)
	}
	key := string(entryKey(group, chain, journal.Position{Seq: seq, ID: id}))
	v, held := tree.Get(key)
	if !held {
		return nil, fmt.Errorf("%w: entry %s is in the index only", ErrCorrupt, id)
	}
	return memoryEntry(key, v)
}

// Range returns the entries of a chain from a seq on; see Badger.Range.
func (m *Memory) Range(ctx context.Context, group journal.GroupID, chain journal.ChainKey, seq uint64, limit, maxBytes int) ([]*journal.Entry, error) {
	var out []*journal.Entry
	size := 0
	from := string(seqKey(group, chain, seq))
	err := m.scan(ctx, string(chainKey(group, chain)), from, func(k string, v []byte) (bool, error) {
		if len(out) >= limit {
			return false, nil
		}
		e, err := memoryEntry(k, v)
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
func (m *Memory) Records(ctx context.Context, group journal.GroupID, prefix string) (map[string][]byte, error) {
	out := make(map[string][]byte)
	head := len(recordKey(group, ""))
	from := string(recordKey(group, prefix))
	err := m.scan(ctx, from, from, func(k string, v []byte) (bool, error) {
		plain, _, _, err := parseValue(v)
		if err != nil {
			return false, fmt.Errorf("read record %q: %w", k[head:], err)
		}
		out[k[head:]] = slices.Clone(plain)
		return true, nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// Guard returns every record of the sign guard, by outpoint and txid.
func (m *Memory) Guard(ctx context.Context) ([]port.GuardRecord, error) {
	if _, err := m.copy(ctx); err != nil {
		return nil, err
	}
	return m.guard.list(), nil
}

// copy returns the tree as it is now, for reading.
func (m *Memory) copy(ctx context.Context) (*btree.Map[string, []byte], error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return nil, ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return m.tree.Copy(), nil
}

// scan calls f with the keys of a prefix from a key on, until it returns false
// or an error.
func (m *Memory) scan(ctx context.Context, prefix, from string, f func(string, []byte) (bool, error)) error {
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

func memoryEntry(key string, v []byte) (*journal.Entry, error) {
	id, err := entryKeyID([]byte(key))
	if err != nil {
		return nil, err
	}
	plain, _, _, err := parseValue(v)
	if err != nil {
		return nil, fmt.Errorf("read entry %s: %w", id, err)
	}
	return decodeEntry(plain, id)
}
