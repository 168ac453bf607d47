package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/dgraph-io/badger/v4"

	"github.com/quorate/quorate/coordinator/port"
)

// Commit makes a batch durable. Besides the errors of the port it returns
// ErrBatch, ErrTooBig, port.ErrNoSpace or ErrClosed (nothing of the batch is there),
// or ErrBroken (its outcome is unknown until the store is opened again).
//
// An entry that is already held is left as it is. Deletes come before Puts. The
// context ends a Commit only before anything is written for good.
func (s *Badger) Commit(ctx context.Context, b port.Batch) error {
	if err := s.enter(); err != nil {
		return err
	}
	defer s.gate.leave()
	if s.readOnly {
		return ErrReadOnly
	}
	size, err := CheckBatch(b)
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	// Twice: once in the log, once in a table.
	if err := checkSpace(s.dir, s.reserve+2*uint64(size)); err != nil {
		return err
	}
	p, err := s.plan(b)
	if err != nil {
		return err
	}
	if len(b.Guard) > 0 {
		s.signing.Lock()
		defer s.signing.Unlock()
		if p.guard, err = s.guard.Admit(b.Guard); err != nil {
			return err
		}
	}
	if err := s.stage(ctx, p); err != nil {
		return err
	}
	dead, err := s.apply(p)
	if err != nil {
		return err
	}
	s.guard.Add(p.guard...)
	if err := s.mark.add(1); err != nil {
		s.log.Warn("less protection against lost logs", "err", err)
	}
	// The batch is durable. What is left behind here is removed at Open.
	if err := s.dropBlobs(dead); err != nil {
		s.log.Warn("superseded data not removed yet", "err", err)
	}
	return nil
}

// apply writes the batch in one transaction, again if another Commit changed
// what it rests on. It returns the blobs that are now of no use.
func (s *Badger) apply(p *plan) (dead []uint64, err error) {
	for {
		dead, err = s.try(p)
		if !errors.Is(err, badger.ErrConflict) {
			return dead, err
		}
	}
}

func (s *Badger) try(p *plan) (dead []uint64, err error) {
	err = s.update(func(txn *badger.Txn) error {
		w := writer{txn: txn, plan: p, used: make(map[uint64]bool)}
		err := w.write(s.guard.Len())
		dead = w.dead
		return err
	})
	if errors.Is(err, badger.ErrTxnTooBig) {
		return nil, fmt.Errorf("%w for one transaction", ErrTooBig)
	}
	return dead, err
}

// update runs f in a transaction and returns when that is durable. It returns
// f's errors and badger.ErrConflict as they are, with nothing written; any
// other failure breaks the store.
func (s *Badger) update(f func(*badger.Txn) error) error {
	txn := s.db.NewTransaction(true)
	if err := f(txn); err != nil {
		txn.Discard()
		return err
	}
	// In a goroutine of its own (which alone uses txn from here on): where
	// Badger cannot write it may wait for ever.
	done := make(chan error, 1)
	go func() { done <- txn.Commit() }()
	select {
	case err := <-done:
		switch {
		case errors.Is(err, badger.ErrConflict), errors.Is(err, badger.ErrTxnTooBig):
			return err
		case err != nil:
			s.broke(fmt.Errorf("commit: %w", err))
			return s.fault.get()
		}
	case <-s.fault.raised:
		return s.fault.get()
	}
	if err := s.names.sync(); err != nil {
		s.broke(err)
		return s.fault.get()
	}
	return nil
}

// writer puts a plan into one transaction.
type writer struct {
	txn  *badger.Txn
	plan *plan
	used map[uint64]bool
	dead []uint64
}

func (w *writer) write(guards int) error {
	if err := w.entries(); err != nil {
		return err
	}
	if err := w.records(); err != nil {
		return err
	}
	for _, r := range w.plan.guard {
		if err := w.txn.Set(guardKey(r), nil); err != nil {
			return fmt.Errorf("write sign guard: %w", err)
		}
	}
	if n := len(w.plan.guard); n > 0 {
		if err := w.txn.Set([]byte{spaceGuardCount}, count(uint64(guards+n))); err != nil {
			return fmt.Errorf("write sign guard: %w", err)
		}
	}
	if err := w.notices(); err != nil {
		return err
	}
	if err := w.blobs(); err != nil {
		return err
	}
	return w.number()
}

// number counts the commits of a group: see mark.
func (w *writer) number() error {
	key := groupKey(spaceCommits, w.plan.group)
	n, err := getCount(w.txn, key)
	if err != nil {
		return fmt.Errorf("count commits: %w", err)
	}
	if err := w.txn.Set(key, count(n+1)); err != nil {
		return fmt.Errorf("count commits: %w", err)
	}
	return nil
}

func (w *writer) entries() error {
	fresh := uint64(0)
	for _, e := range w.plan.entries {
		_, err := w.txn.Get(e.index)
		if err == nil {
			continue
		}
		if !errors.Is(err, badger.ErrKeyNotFound) {
			return fmt.Errorf("look for entry %s: %w", e.id, err)
		}
		if err := w.txn.Set(e.index, e.place); err != nil {
			return fmt.Errorf("write entry %s: %w", e.id, err)
		}
		if err := w.txn.Set(e.key, e.encoded); err != nil {
			return fmt.Errorf("write entry %s: %w", e.id, err)
		}
		if err := w.use(e.value); err != nil {
			return fmt.Errorf("write entry %s: %w", e.id, err)
		}
		fresh++
	}
	if fresh == 0 {
		return nil
	}
	key := groupKey(spaceCount, w.plan.group)
	held, err := getCount(w.txn, key)
	if err != nil {
		return fmt.Errorf("count entries: %w", err)
	}
	if err := w.txn.Set(key, count(held+fresh)); err != nil {
		return fmt.Errorf("count entries: %w", err)
	}
	return nil
}

func (w *writer) records() error {
	for _, key := range w.plan.deletes {
		there, err := w.supersede(key)
		if err != nil {
			return fmt.Errorf("delete record: %w", err)
		}
		if !there {
			continue
		}
		if err := w.txn.Delete(key); err != nil {
			return fmt.Errorf("delete record: %w", err)
		}
	}
	for _, r := range w.plan.records {
		if _, err := w.supersede(r.key); err != nil {
			return fmt.Errorf("write record: %w", err)
		}
		if err := w.txn.Set(r.key, r.encoded); err != nil {
			return fmt.Errorf("write record: %w", err)
		}
		if err := w.use(*r); err != nil {
			return fmt.Errorf("write record: %w", err)
		}
	}
	return nil
}

// supersede says whether a record is there, and notes its blob as dead.
func (w *writer) supersede(key []byte) (bool, error) {
	item, err := w.txn.Get(key)
	if errors.Is(err, badger.ErrKeyNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, item.Value(func(v []byte) error {
		// A value that cannot be read is no reason not to replace it.
		if _, r, isRef, err := parseValue(v); err == nil && isRef {
			w.dead = append(w.dead, r.blob)
		}
		return nil
	})
}

// use writes the pieces of a value, or notes that the staged ones are in use.
func (w *writer) use(v value) error {
	if v.staged {
		w.used[v.blob] = true
		return nil
	}
	if v.blob == 0 {
		return nil
	}
	_, err := setPieces(w.txn, v.blob, 0, v.plain)
	return err
}

// blobs marks those in use as such, and all others to be removed.
func (w *writer) blobs() error {
	for _, blob := range w.plan.staged {
		if !w.used[blob] { // its entry was held already
			w.dead = append(w.dead, blob)
			continue
		}
		if err := w.txn.Delete(blobKey(spaceStaged, blob)); err != nil {
			return fmt.Errorf("write large value: %w", err)
		}
	}
	for _, blob := range w.dead {
		if err := w.txn.Set(blobKey(spaceStaged, blob), nil); err != nil {
			return fmt.Errorf("mark superseded value: %w", err)
		}
	}
	return nil
}
