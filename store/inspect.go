package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/dgraph-io/badger/v4"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
)

// Damage is one thing in a store that is not as it was written.
type Damage struct {
	// Code is a stable name: entry_damaged, entry_index, index_dangling,
	// entry_count, record_damaged, guard_damaged.
	Code  string
	Group journal.GroupID
	// Where names the entry or the record.
	Where string
	Err   error
}

// Inspect is a Dump that goes on behind what is damaged, and looks at what a
// Dump does not need: the index by id, in both directions. It yields what is
// whole, and tells of what is not.
func (s *Badger) Inspect(ctx context.Context, yield func(DumpItem), damaged func(Damage)) error {
	return s.view(func(txn *badger.Txn) error {
		i := &inspection{txn: txn, yield: yield, damaged: damaged, entries: map[journal.GroupID]map[journal.EntryID]bool{}}
		for _, look := range []struct {
			space byte
			at    func(*badger.Item)
		}{{spaceEntry, i.entry}, {spaceID, i.index}, {spaceCount, i.count}, {spaceRecord, i.record}, {spaceGuard, i.guard}} {
			err := scan(txn, []byte{look.space}, func(item *badger.Item) error {
				look.at(item)
				return ctx.Err()
			})
			if err != nil {
				return err
			}
		}
		for g := range i.entries {
			if _, err := txn.Get(groupKey(spaceCount, g)); err != nil {
				damaged(Damage{"entry_count", g, "group " + g.String(), fmt.Errorf("the number of entries is missing: %w", err)})
			}
		}
		return nil
	})
}

type inspection struct {
	txn     *badger.Txn
	yield   func(DumpItem)
	damaged func(Damage)
	entries map[journal.GroupID]map[journal.EntryID]bool // by key, whole or not
}

func (i *inspection) entry(item *badger.Item) {
	k := item.KeyCopy(nil)
	id, err := entryKeyID(k)
	if err != nil {
		i.damaged(Damage{"entry_damaged", journal.GroupID{}, fmt.Sprintf("key %x", k), err})
		return
	}
	g := journal.GroupID(k[1:33])
	if i.entries[g] == nil {
		i.entries[g] = map[journal.EntryID]bool{}
	}
	i.entries[g][id] = true
	where := "entry " + id.String()
	e, err := readEntry(i.txn, item)
	if err == nil {
		err = e.Verify()
	}
	if err != nil {
		i.damaged(Damage{"entry_damaged", g, where, err})
		return
	}
	i.yield(DumpItem{Group: g, Entry: e})
	at, err := i.txn.Get(idKey(g, id))
	if err == nil {
		err = at.Value(func(v []byte) error {
			chain, seq, err := parsePlace(v)
			if err == nil && (chain != e.Chain() || seq != e.Position().Seq) {
				err = errors.New("the index names another place")
			}
			return err
		})
	}
	if err != nil {
		i.damaged(Damage{"entry_index", g, where, err})
	}
}

func (i *inspection) index(item *badger.Item) {
	k := item.KeyCopy(nil)
	if len(k) != 65 {
		i.damaged(Damage{"index_dangling", journal.GroupID{}, fmt.Sprintf("key %x", k), errors.New("not a key of the index")})
		return
	}
	g, id := journal.GroupID(k[1:33]), journal.EntryID(k[33:])
	if !i.entries[g][id] {
		i.damaged(Damage{"index_dangling", g, "entry " + id.String(), errors.New("the entry is missing")})
	}
}

func (i *inspection) count(item *badger.Item) {
	k := item.KeyCopy(nil)
	if len(k) != 33 {
		i.damaged(Damage{"entry_count", journal.GroupID{}, fmt.Sprintf("key %x", k), errors.New("not a count")})
		return
	}
	g := journal.GroupID(k[1:])
	want, err := getCount(i.txn, k)
	if have := uint64(len(i.entries[g])); err == nil && have != want {
		err = fmt.Errorf("%d of %d entries are there", have, want)
	}
	if err != nil {
		i.damaged(Damage{"entry_count", g, "group " + g.String(), err})
	}
}

func (i *inspection) record(item *badger.Item) {
	k := item.KeyCopy(nil)
	if len(k) < 33 {
		i.damaged(Damage{"record_damaged", journal.GroupID{}, fmt.Sprintf("key %x", k), errors.New("not a key of a record")})
		return
	}
	g := journal.GroupID(k[1:33])
	v, err := readValue(i.txn, item)
	if err != nil {
		i.damaged(Damage{"record_damaged", g, string(k[33:]), err})
		return
	}
	i.yield(DumpItem{Group: g, Key: string(k[33:]), Value: v})
}

func (i *inspection) guard(item *badger.Item) {
	r, err := parseGuardKey(item.Key())
	if err != nil {
		i.damaged(Damage{"guard_damaged", journal.GroupID{}, fmt.Sprintf("key %x", item.Key()), err})
		return
	}
	i.yield(DumpItem{Guard: &port.GuardRecord{OutPoint: r.OutPoint, TxID: r.TxID}})
}
