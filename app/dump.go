package app

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/app/backup"
	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/store"
)

// backup writes what a backup holds of the running node's store.
func (n *Node) backup(ctx context.Context, w io.Writer) error {
	// Who restores it finds the others by them: this node's own address is then another.
	n.net.SaveAddresses()
	h := backup.Header{
		Created: api.Time(time.Now()), Program: n.parts.Version, Name: n.parts.Name,
		Network: string(n.parts.Network), PeerID: n.PeerID(),
	}
	if err := DumpStore(ctx, n.parts.Store, h, w); err != nil {
		return err
	}
	raw, err := json.Marshal(h.Created)
	if err == nil {
		err = n.parts.Store.Commit(ctx, port.Batch{Puts: map[string][]byte{recBackup: raw}})
	}
	if err != nil {
		// The backup is whole all the same.
		n.parts.Log.Warn("when the last backup was made is not remembered", "error", err)
	}
	return nil
}

// recBackup is when a backup was last made of the running node.
const recBackup = "backup"

// lastBackup reads it; nil where none was made, or it cannot be read.
func (n *Node) lastBackup(ctx context.Context) *time.Time {
	recs, err := n.parts.Store.Records(ctx, journal.GroupID{}, recBackup)
	if err != nil {
		return nil
	}
	var at time.Time
	if raw, ok := recs[recBackup]; !ok || json.Unmarshal(raw, &at) != nil {
		return nil
	}
	return &at
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
		case d.Group == (journal.GroupID{}) && (d.Key == recPorts || strings.HasPrefix(d.Key, recTokens) || strings.HasPrefix(d.Key, recAnswers)), d.Group != (journal.GroupID{}) && coordinator.Rebuilt(d.Key):
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
