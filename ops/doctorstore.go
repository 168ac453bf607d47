package ops

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/app"
	"github.com/quorate/quorate/app/keystore"
	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/node"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/store"
)

func (d *doctor) store(ctx context.Context, c keystore.Content) error {
	dir := d.path(app.StoreName)
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		d.says("store_missing", "there is no store: the node was never started, or its wallets are gone", dir, "if it had wallets, restore a backup in another data directory; do not start it")
		return nil
	}
	db, err := store.Open(dir, c.DatabaseKey[:], d.o.Log)
	switch {
	case errors.Is(err, store.ErrLocked):
		return d.running(ctx)
	case errors.Is(err, port.ErrNoSpace):
		d.says("disk_full", err.Error(), dir, "free some space")
		return nil
	case errors.Is(err, store.ErrKey):
		d.says("wrong_store_key", "the store belongs to another keystore", dir, "put the keystore back that belongs to it, or restore a backup in another data directory")
		return nil
	case errors.Is(err, store.ErrNewer):
		d.says("store_newer", "the store was written by a newer version", dir, "use that version")
		return nil
	case err != nil:
		d.says("store_corrupt", err.Error(), dir, "keep a copy, and restore a backup in another data directory: the others hold what came after it")
		return nil
	}
	return errors.Join(d.contents(ctx, db, c), db.Close())
}

// contents reads everything in the store.
func (d *doctor) contents(ctx context.Context, db *store.Badger, c keystore.Content) error {
	recs := map[journal.GroupID]map[string][]byte{{}: {}}
	entries := map[journal.GroupID][]*journal.Entry{}
	var guard []port.GuardRecord
	err := db.Inspect(ctx, func(i store.DumpItem) {
		switch {
		case i.Entry != nil:
			entries[i.Group] = append(entries[i.Group], i.Entry)
		case i.Guard != nil:
			guard = append(guard, *i.Guard)
		default:
			if recs[i.Group] == nil {
				recs[i.Group] = map[string][]byte{}
			}
			recs[i.Group][i.Key] = i.Value
		}
	}, func(x store.Damage) { d.damaged(ctx, db, x) })
	if err != nil {
		return api.Fail("store", "the store could not be read: "+err.Error(), "")
	}
	self, err := app.Secrets{Identity: c.IdentitySeed, Sealing: c.SealingSeed}.Self()
	if err != nil {
		return api.Fail("failed", err.Error(), "")
	}
	listed := map[journal.GroupID]bool{}
	for k := range recs[journal.GroupID{}] {
		if g, ok := node.GroupOf(k); ok {
			listed[g] = true
		}
	}
	for g := range entries {
		if !listed[g] {
			d.says("wallet_unlisted", "entries of a wallet are stored that is not in the list of wallets", g.String(), restoreElsewhere)
			listed[g] = true
		}
	}
	groups := make([]journal.GroupID, 0, len(listed))
	for g := range listed {
		groups = append(groups, g)
	}
	slices.SortFunc(groups, func(a, b journal.GroupID) int { return slices.Compare(a[:], b[:]) })
	for _, g := range groups {
		if len(entries[g]) == 0 && len(recs[g]) == 0 {
			continue // the node died between naming it and founding it: nothing was acknowledged
		}
		for _, f := range coordinator.Examine(ctx, self, g, recs[g], entries[g], guard, d.o.Now) {
			a := d.says(f.Code, f.What, strings.TrimSpace("wallet "+g.String()[:8]+" "+f.Where), advice(f.Code))
			if f.Mend != nil {
				a.Do = doMend
				d.mend(a, func() error { return db.Commit(ctx, *f.Mend) })
			}
		}
	}
	return nil
}

const restoreElsewhere = "keep a copy, and restore a backup in another data directory: the others hold what came after it"

func (d *doctor) damaged(ctx context.Context, db *store.Badger, x store.Damage) {
	a := d.says(x.Code, x.Err.Error(), strings.TrimSpace("wallet "+x.Group.String()[:8]+" "+x.Where), restoreElsewhere)
	if x.Code == "record_damaged" && x.Group != (journal.GroupID{}) && coordinator.Rebuilt(x.Where) {
		a.Code, a.Do = "view_damaged", doMend
		if x.Where == "snapshot" {
			a.Code = "snapshot_stale"
		}
		d.mend(a, func() error { return dropRebuilt(ctx, db, x.Group) })
	}
}

// dropRebuilt takes away what a node makes anew: the snapshot and the view of
// the chain, which hang together.
func dropRebuilt(ctx context.Context, db *store.Badger, g journal.GroupID) error {
	var drop []string
	err := db.Inspect(ctx, func(i store.DumpItem) {
		if i.Entry == nil && i.Guard == nil && i.Group == g && coordinator.Rebuilt(i.Key) {
			drop = append(drop, i.Key)
		}
	}, func(x store.Damage) {
		if x.Code == "record_damaged" && x.Group == g && coordinator.Rebuilt(x.Where) {
			drop = append(drop, x.Where)
		}
	})
	if err != nil {
		return err
	}
	return db.Commit(ctx, port.Batch{Group: g, Deletes: drop})
}

// advice is what to do about a finding.
func advice(code string) string {
	switch code {
	case "own_chain_forked":
		return "stop the other copy; back this one up and restore it: it goes on as a new incarnation"
	case "superseded", "replaced":
		return "do not start it: the other one goes on"
	case "epoch_missing":
		return "start the node and let it reach the others: they hand it over"
	case "clock_behind":
		return "set the clock: expiries and invites go by it"
	}
	return restoreElsewhere
}
