package store

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/dgraph-io/badger/v4"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
)

// Walk calls yield for every entry of a group, each chain in order of seq, the
// entries of a forked seq lowest id first. It sees the store as it was when it
// began; yield may call the store, but not Close it. Besides yield's own errors
// it returns ErrCorrupt, naming the entry.
func (s *Badger) Walk(ctx context.Context, group journal.GroupID, yield func(*journal.Entry) error) error {
	return s.view(func(txn *badger.Txn) error {
		want, err := getCount(txn, groupKey(spaceCount, group))
		if err != nil {
			return fmt.Errorf("walk entries: %w", err)
		}
		got := uint64(0)
		err = scan(txn, groupKey(spaceEntry, group), func(item *badger.Item) error {
			if err := ctx.Err(); err != nil {
				return err
			}
			e, err := readEntry(txn, item)
			if err != nil {
				return err
			}
			got++
			return yield(e)
		})
		if err != nil {
			return err
		}
		if got != want {
			return fmt.Errorf("%w: group %s has %d of %d entries", ErrCorrupt, group, got, want)
		}
		return nil
	})
}

// Entry returns one entry, port.ErrNotFound, or ErrCorrupt.
func (s *Badger) Entry(ctx context.Context, group journal.GroupID, id journal.EntryID) (e *journal.Entry, err error) {
	err = s.view(func(txn *badger.Txn) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		at, err := txn.Get(idKey(group, id))
		if errors.Is(err, badger.ErrKeyNotFound) {
			return fmt.Errorf("entry %s: %w", id, port.ErrNotFound)
		}
		if err != nil {
			return fmt.Errorf("read index of entry %s: %w", id, err)
		}
		var key []byte
		err = at.Value(func(v []byte) error {
			chain, seq, err := parsePlace(v)
			key = entryKey(group, chain, journal.Position{Seq: seq, ID: id})
			return err
		})
		if err != nil {
			return fmt.Errorf("read index of entry %s: %w", id, err)
		}
		item, err := txn.Get(key)
		if errors.Is(err, badger.ErrKeyNotFound) {
			return fmt.Errorf("%w: entry %s is in the index only", ErrCorrupt, id)
		}
		if err != nil {
			return fmt.Errorf("read entry %s: %w", id, err)
		}
		e, err = readEntry(txn, item)
		return err
	})
	return e, err
}

// Range returns the entries of a chain from a seq on: none if limit is below 1,
// else one at least if there is one, even if it is larger than maxBytes.
func (s *Badger) Range(ctx context.Context, group journal.GroupID, chain journal.ChainKey, seq uint64, limit, maxBytes int) ([]*journal.Entry, error) {
	var out []*journal.Entry
	err := s.view(func(txn *badger.Txn) error {
		it := txn.NewIterator(badger.IteratorOptions{Prefix: chainKey(group, chain)})
		defer it.Close()
		size := 0
		for it.Seek(seqKey(group, chain, seq)); it.Valid() && len(out) < limit; it.Next() {
			if err := ctx.Err(); err != nil {
				return err
			}
			e, err := readEntry(txn, it.Item())
			if err != nil {
				return err
			}
			size += len(e.Bytes())
			if len(out) > 0 && size > maxBytes {
				return nil
			}
			out = append(out, e)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// Records returns the records of a group whose key starts with prefix, or
// ErrCorrupt, naming the record. The caller owns what it gets.
func (s *Badger) Records(ctx context.Context, group journal.GroupID, prefix string) (map[string][]byte, error) {
	out := make(map[string][]byte)
	err := s.view(func(txn *badger.Txn) error {
		head := len(recordKey(group, ""))
		return scan(txn, recordKey(group, prefix), func(item *badger.Item) error {
			if err := ctx.Err(); err != nil {
				return err
			}
			key := string(item.Key()[head:])
			v, err := readValue(txn, item)
			if err != nil {
				return fmt.Errorf("read record %q: %w", key, err)
			}
			out[key] = v
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// Guard returns every record of the sign guard, by outpoint and txid.
func (s *Badger) Guard(ctx context.Context) ([]port.GuardRecord, error) {
	if err := s.enter(); err != nil {
		return nil, err
	}
	defer s.gate.leave()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return s.guard.List(), nil
}

func (s *Badger) view(f func(*badger.Txn) error) error {
	if err := s.enter(); err != nil {
		return err
	}
	defer s.gate.leave()
	err := s.db.View(f)
	// What a commit left in memory that then failed must not be believed.
	if fault := s.fault.get(); fault != nil {
		return fault
	}
	return err
}

func readEntry(txn *badger.Txn, item *badger.Item) (*journal.Entry, error) {
	id, err := entryKeyID(item.Key())
	if err != nil {
		return nil, err
	}
	raw, err := readValue(txn, item)
	if err != nil {
		return nil, fmt.Errorf("read entry %s: %w", id, err)
	}
	return decodeEntry(raw, id)
}

func decodeEntry(raw []byte, id journal.EntryID) (*journal.Entry, error) {
	e, err := journal.DecodeStored(raw, id)
	if err != nil {
		return nil, fmt.Errorf("read entry %s: %w: %w", id, ErrCorrupt, err)
	}
	return e, nil
}

// readValue returns a copy of a value, put together if it is a blob.
func readValue(txn *badger.Txn, item *badger.Item) (out []byte, err error) {
	var r ref
	var isRef bool
	err = item.Value(func(v []byte) error {
		var plain []byte
		plain, r, isRef, err = parseValue(v)
		out = append([]byte{}, plain...)
		return err
	})
	if err != nil || !isRef {
		return out, err
	}
	out = make([]byte, 0, r.length)
	next := uint32(0)
	err = scan(txn, blobKey(spaceBlob, r.blob), func(item *badger.Item) error {
		if k := item.Key(); len(k) != chunkKeyLen || binary.BigEndian.Uint32(k[9:]) != next {
			return fmt.Errorf("%w: piece %d of a large value is missing", ErrCorrupt, next)
		}
		next++
		return item.Value(func(v []byte) error {
			out = append(out, v...)
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	if uint64(len(out)) != r.length || checksum(out) != r.crc {
		return nil, fmt.Errorf("%w: wrong checksum of a large value", ErrCorrupt)
	}
	return out, nil
}
