package store

import (
	"context"
	"encoding/binary"
	"fmt"

	"github.com/dgraph-io/badger/v4"

	"github.com/quorate/quorate/coordinator/port"
)

// notices numbers the notices of a batch and writes them. Of two transactions that
// do so at once one is a conflict, and is done again with the numbers after.
func (w *writer) notices() error {
	if len(w.plan.notices) == 0 {
		return nil
	}
	last, err := getCount(w.txn, []byte{spaceNoticeLast})
	if err != nil {
		return fmt.Errorf("number notices: %w", err)
	}
	for _, n := range w.plan.notices {
		if last == 0 {
			last = FirstNotice(n) - 1
		}
		last++
		v := append(binary.BigEndian.AppendUint64(nil, uint64(n.At)), n.Data...)
		if err := w.txn.Set(noticeKey(last, n.Alarm), inline(v)); err != nil {
			return fmt.Errorf("write notice: %w", err)
		}
	}
	if err := w.txn.Set([]byte{spaceNoticeLast}, count(last)); err != nil {
		return fmt.Errorf("number notices: %w", err)
	}
	return nil
}

// Notices returns a part of the outbox (see port.Store), or ErrCorrupt.
func (s *Badger) Notices(ctx context.Context, after uint64, limit int) (port.Notices, error) {
	var out port.Notices
	err := s.view(func(txn *badger.Txn) (err error) {
		if out.Last, err = getCount(txn, []byte{spaceNoticeLast}); err != nil {
			return fmt.Errorf("read outbox: %w", err)
		}
		if out.Dropped, err = getCount(txn, []byte{spaceDropped}); err != nil {
			return fmt.Errorf("read outbox: %w", err)
		}
		if after >= out.Last {
			return ctx.Err()
		}
		it := txn.NewIterator(badger.IteratorOptions{Prefix: []byte{spaceNotice}})
		defer it.Close()
		for it.Seek(noticeKey(after+1, false)); it.Valid() && len(out.Items) < limit; it.Next() {
			if err := ctx.Err(); err != nil {
				return err
			}
			n, err := readNotice(it.Item())
			if err != nil {
				return err
			}
			out.Items = append(out.Items, n)
		}
		return nil
	})
	if err != nil {
		return port.Notices{}, err
	}
	return out, nil
}

func readNotice(item *badger.Item) (n port.NumberedNotice, err error) {
	if n.Number, n.Alarm, err = parseNoticeKey(item.Key()); err != nil {
		return n, err
	}
	err = item.Value(func(v []byte) error {
		plain, _, isRef, err := parseValue(v)
		if err == nil && (isRef || len(plain) < 8) {
			err = fmt.Errorf("%w: value of another form", ErrCorrupt)
		}
		if err != nil {
			return err
		}
		n.At, n.Data = int64(binary.BigEndian.Uint64(plain)), append([]byte{}, plain[8:]...)
		return nil
	})
	if err != nil {
		return n, fmt.Errorf("read notice %d: %w", n.Number, err)
	}
	return n, nil
}

// trimEach is how many notices one transaction drops.
const trimEach = 4096

// TrimNotices drops what is beyond the limits (see port.Store). What a crash
// leaves is dropped the next time.
func (s *Badger) TrimNotices(ctx context.Context, keep port.NoticeLimits) error {
	for {
		n, err := s.trimOnce(ctx, keep)
		if err != nil {
			return fmt.Errorf("trim the outbox: %w", err)
		}
		if n < trimEach {
			return nil
		}
	}
}

func (s *Badger) trimOnce(ctx context.Context, keep port.NoticeLimits) (int, error) {
	var keys [][]byte
	err := s.view(func(txn *badger.Txn) (err error) {
		keys, err = beyond(ctx, txn, keep)
		return err
	})
	if err != nil || len(keys) == 0 {
		return 0, err
	}
	if err := s.enter(); err != nil {
		return 0, err
	}
	defer s.gate.leave()
	return len(keys), s.update(func(txn *badger.Txn) error {
		dropped, err := getCount(txn, []byte{spaceDropped})
		if err != nil {
			return err
		}
		for _, k := range keys {
			number, _, err := parseNoticeKey(k)
			if err != nil {
				return err
			}
			dropped = max(dropped, number)
			if err := txn.Delete(k); err != nil {
				return err
			}
		}
		return txn.Set([]byte{spaceDropped}, count(dropped))
	})
}

// beyond lists the oldest notices that are beyond the limits, trimEach at most.
func beyond(ctx context.Context, txn *badger.Txn, keep port.NoticeLimits) (keys [][]byte, err error) {
	counts := map[bool]int{}
	each := func(f func(item *badger.Item, alarm bool) (more bool, err error)) error {
		it := txn.NewIterator(badger.IteratorOptions{Prefix: []byte{spaceNotice}})
		defer it.Close()
		for it.Rewind(); it.Valid(); it.Next() {
			if err := ctx.Err(); err != nil {
				return err
			}
			_, alarm, err := parseNoticeKey(it.Item().Key())
			if err != nil {
				return err
			}
			if more, err := f(it.Item(), alarm); !more || err != nil {
				return err
			}
		}
		return nil
	}
	if err := each(func(_ *badger.Item, alarm bool) (bool, error) { counts[alarm]++; return true, nil }); err != nil {
		return nil, err
	}
	most := map[bool]int{true: keep.Alarms, false: keep.Others}
	young := map[bool]bool{}
	err = each(func(item *badger.Item, alarm bool) (bool, error) {
		if counts[alarm] <= most[alarm] {
			if young[alarm] {
				return !young[!alarm] || counts[!alarm] > most[!alarm], nil
			}
			// Whatever the clock said meanwhile: it is the order that counts.
			n, err := readNotice(item)
			if err != nil {
				return false, err
			}
			if n.At >= keep.Since {
				young[alarm] = true
				return true, nil
			}
		}
		counts[alarm]--
		keys = append(keys, item.KeyCopy(nil))
		return len(keys) < trimEach, nil
	})
	return keys, err
}
