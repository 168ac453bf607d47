package ops

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/app/backup"
	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/node"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/store"
)

// loader fills a new store, batch by batch.
type loader struct {
	db     *store.Badger
	at     time.Time
	batch  port.Batch
	size   int
	known  map[wire.OutPoint][]chainhash.Hash
	groups []journal.GroupID
}

// maxGuardOfCoin bounds the guard records of one coin, of which each is restored
// with the list of those before it. A node signs another transaction of the same
// coin only where it replaces the earlier ones by name, of which a proposal has
// 64, so 65 is what replacing alone can come to.
const maxGuardOfCoin = 256

// loadBatch is how many bytes go into one commit, at least.
const loadBatch = 1 << 20

func (l *loader) load(ctx context.Context, in *backup.Reader) error {
	for {
		i, err := in.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if err := l.add(ctx, i); err != nil {
			return err
		}
	}
	if err := l.flush(ctx); err != nil {
		return err
	}
	for _, g := range l.groups {
		b, err := coordinator.MarkRestored(g, l.at)
		if err != nil {
			return err
		}
		if err := l.db.Commit(ctx, b); err != nil {
			return err
		}
	}
	return nil
}

func (l *loader) add(ctx context.Context, i backup.Item) error {
	if i.Group != l.batch.Group || l.size >= loadBatch {
		if err := l.flush(ctx); err != nil {
			return err
		}
	}
	l.batch.Group = i.Group
	l.size += len(i.Value) + 256
	switch i.Kind {
	case backup.Entry:
		e, err := journal.Decode(i.Value)
		if err == nil {
			err = e.Verify()
		}
		if err != nil || e.Header().Group != i.Group {
			return fmt.Errorf("%w: an entry is not valid", backup.ErrCorrupt)
		}
		l.batch.Entries = append(l.batch.Entries, e)
	case backup.Record:
		if l.batch.Puts == nil {
			l.batch.Puts = map[string][]byte{}
		}
		l.batch.Puts[i.Key] = i.Value
		if isWallet(i) {
			g, _ := node.GroupOf(i.Key)
			l.groups = append(l.groups, g)
		}
	case backup.Guard:
		at := i.Guard.OutPoint
		if len(l.known[at]) == maxGuardOfCoin {
			return fmt.Errorf("%w: more than %d guard records of one coin", backup.ErrCorrupt, maxGuardOfCoin)
		}
		l.known[at] = append(l.known[at], i.Guard.TxID)
		l.batch.Guard = append(l.batch.Guard, port.GuardUpdate{GuardRecord: i.Guard, Known: l.known[at]})
	default:
		return fmt.Errorf("%w: item of kind %d out of place", backup.ErrCorrupt, i.Kind)
	}
	return nil
}

func (l *loader) flush(ctx context.Context) error {
	if len(l.batch.Entries)+len(l.batch.Puts)+len(l.batch.Guard) > 0 {
		if err := l.db.Commit(ctx, l.batch); err != nil {
			return err
		}
	}
	l.batch, l.size = port.Batch{Group: l.batch.Group}, 0
	return nil
}

func isWallet(i backup.Item) bool {
	_, ok := node.GroupOf(i.Key)
	return ok && i.Group == (journal.GroupID{})
}
