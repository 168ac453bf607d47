package app

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/app/backup"
	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/store"
)

// backup writes what a backup holds of the running node's store.
func (n *Node) backup(ctx context.Context, w io.Writer) error {
	// Who restores it finds the others by them: this node's own address is then another.
	n.net.SaveAddresses()
	return DumpStore(ctx, n.parts.Store, backup.Header{
		Created: api.Time(time.Now()), Program: n.parts.Version, Name: n.parts.Name,
		Network: string(n.parts.Network), PeerID: n.PeerID(),
	}, w)
}

// DumpStore writes the store's part of a backup as a stream of its own.
func DumpStore(ctx context.Context, db *store.Badger, h backup.Header, w io.Writer) error {
	out, err := backup.NewWriter(w, h)
	if err != nil {
		return err
	}
	err = db.Dump(ctx, func(d store.DumpItem) error {
		switch {
		case d.Entry != nil:
			return out.Add(backup.Item{Kind: backup.Entry, Group: d.Group, Value: d.Entry.Bytes()})
		case d.Guard != nil:
			return out.Add(backup.Item{Kind: backup.Guard, Guard: *d.Guard})
		case d.Group == (journal.GroupID{}) && d.Key == recPorts, d.Group != (journal.GroupID{}) && coordinator.Rebuilt(d.Key):
			return nil
		}
		return out.Add(backup.Item{Kind: backup.Record, Group: d.Group, Key: d.Key, Value: d.Value})
	})
	if err != nil {
		return fmt.Errorf("back up the store: %w", err)
	}
	_, err = out.Close()
	return err
}
