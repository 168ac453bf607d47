package ops

import (
	"context"
	"errors"
	"io/fs"
	"os"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/app"
	"github.com/quorate/quorate/app/keystore"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/store"
)

// open reads the store without changing a file; only to mend it, or where the system
// reads nothing without, it is opened as a node does.
func (d *doctor) open(dir string, key []byte) (*store.Badger, error) {
	if !d.Mend {
		db, err := store.OpenReadOnly(dir, key, d.o.Log)
		if err == nil {
			if err = db.CheckWritable(); err != nil {
				return nil, errors.Join(err, db.Close()) // a node could not run
			}
		}
		if !errors.Is(err, errors.ErrUnsupported) {
			return db, err
		}
	}
	return store.Open(dir, key, d.o.Log)
}

// store looks at what a stopped node holds. Only bytes that were read and are wrong
// are corrupt.
func (d *doctor) store(ctx context.Context, c keystore.Content) error {
	const unopened = "the store was not opened"
	dir := d.path(app.StoreName)
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		_ = d.Look("store", func() error {
			d.Says("store_missing", "there is no store: the node was never started, or its wallets are gone", dir, "if it had wallets, restore a backup in another data directory; do not start it")
			return nil
		})
		d.Unseen("there is no store", "space", "history")
		return nil
	}
	self, err := app.Secrets{Identity: c.IdentitySeed, Sealing: c.SealingSeed}.Self()
	if err != nil {
		return api.Fail("failed", err.Error(), "")
	}
	db, err := d.open(dir, c.DatabaseKey[:])
	if err == nil {
		_ = d.Look("store", func() error { return nil })
		if free, need, known := db.Space(); known && free < need {
			_ = d.Look("space", func() error {
				e := app.SystemError(unopened, d.o.DataDir, port.ErrNoSpace)
				d.Says(e.Code, e.Message, dir, e.Hint)
				return nil
			})
		} else {
			_ = d.Look("space", func() error { return nil })
		}
		return errors.Join(d.Look("history", func() error { return d.Contents(ctx, db, self) }), db.Close())
	}
	e := app.SystemError(unopened, d.o.DataDir, err)
	if errors.Is(err, port.ErrNoSpace) {
		_ = d.Look("space", func() error { d.Says(e.Code, e.Message, dir, e.Hint); return nil })
		d.Unseen("the disk is full", "store", "history")
		return nil
	}
	if errors.Is(err, store.ErrUnclean) {
		d.Unseen("the node did not stop in order, and what it wrote last is still to be taken in: start it, and ask again while it runs; or `quorate doctor --mend` takes it in", "store", "space", "history")
		return nil
	}
	d.Unseen(unopened, "space", "history")
	switch {
	case errors.Is(err, store.ErrLocked):
		d.Says("store_in_use", "a process holds the store, and none answers on the node's socket: it is starting or stopping, or its socket was removed", dir, "wait and try again; else end it (`fuser "+dir+"/quorate.lock` names it), and start the node")
	case errors.Is(err, store.ErrKey):
		d.Says("wrong_store_key", "the store belongs to another keystore", dir, "put the keystore back that belongs to it, or restore a backup in another data directory")
	case errors.Is(err, store.ErrNewer):
		d.Says("store_newer", "the store was written by a newer version", dir, "use that version")
	case errors.Is(err, store.ErrCorrupt):
		_ = d.Look("store", func() error {
			d.Says("store_corrupt", err.Error(), dir, app.RestoreElsewhere)
			return nil
		})
		return nil
	case e != nil:
		d.Says(e.Code, e.Message, dir, e.Hint)
	default:
		d.Says("store_unreadable", err.Error(), dir, "keep a copy before anything else; a newer version may read it")
	}
	d.Unseen(unopened, "store")
	return nil
}
