package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/dgraph-io/badger/v4"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
)

// DumpItem is one thing that a store holds: an entry, a record, or a record of
// the sign guard.
type DumpItem struct {
	Group journal.GroupID // of an entry or a record
	Entry *journal.Entry
	Key   string // of a record: Entry and Guard are nil
	Value []byte
	Guard *port.GuardRecord
}

// Dump calls yield for everything that the store holds, as of one moment:
// entries, guard and records agree with each other, whatever is committed
// meanwhile. It returns ErrCorrupt, naming what is damaged or missing, and
// yield's own errors.
func (s *Badger) Dump(ctx context.Context, yield func(DumpItem) error) error {
	return s.view(func(txn *badger.Txn) error {
		if err := dumpEntries(ctx, txn, yield); err != nil {
			return err
		}
		if err := dumpRecords(ctx, txn, yield); err != nil {
			return err
		}
		return dumpGuard(ctx, txn, yield)
	})
}

func dumpEntries(ctx context.Context, txn *badger.Txn, yield func(DumpItem) error) error {
	got := map[journal.GroupID]uint64{}
	err := scan(txn, []byte{spaceEntry}, func(item *badger.Item) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		e, err := readEntry(txn, item)
		if err != nil {
			return err
		}
		g := journal.GroupID(item.Key()[1:33])
		got[g]++
		return yield(DumpItem{Group: g, Entry: e})
	})
	if err != nil {
		return err
	}
	return scan(txn, []byte{spaceCount}, func(item *badger.Item) error {
		if len(item.Key()) != 33 {
			return fmt.Errorf("%w: count key of %d bytes", ErrCorrupt, len(item.Key()))
		}
		g := journal.GroupID(item.Key()[1:])
		want, err := getCount(txn, item.KeyCopy(nil))
		if err != nil {
			return err
		}
		if got[g] != want {
			return fmt.Errorf("%w: group %s has %d of %d entries", ErrCorrupt, g, got[g], want)
		}
		return nil
	})
}

func dumpRecords(ctx context.Context, txn *badger.Txn, yield func(DumpItem) error) error {
	return scan(txn, []byte{spaceRecord}, func(item *badger.Item) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		k := item.KeyCopy(nil)
		if len(k) < 33 {
			return fmt.Errorf("%w: record key of %d bytes", ErrCorrupt, len(k))
		}
		v, err := readValue(txn, item)
		if err != nil {
			return fmt.Errorf("read record %q: %w", k[33:], err)
		}
		return yield(DumpItem{Group: journal.GroupID(k[1:33]), Key: string(k[33:]), Value: v})
	})
}

func dumpGuard(ctx context.Context, txn *badger.Txn, yield func(DumpItem) error) error {
	n := uint64(0)
	err := scan(txn, []byte{spaceGuard}, func(item *badger.Item) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		r, err := parseGuardKey(item.Key())
		if err != nil {
			return err
		}
		n++
		return yield(DumpItem{Guard: &r})
	})
	if err != nil {
		return err
	}
	want, err := getCount(txn, []byte{spaceGuardCount})
	if err != nil && !errors.Is(err, badger.ErrKeyNotFound) {
		return err
	}
	if n != want {
		return fmt.Errorf("%w: sign guard has %d of %d records", ErrCorrupt, n, want)
	}
	return nil
}
