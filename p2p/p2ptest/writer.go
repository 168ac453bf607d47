package p2ptest

import (
	"encoding/binary"
	"testing"

	"github.com/quorate/quorate/journal"
)

// Group is a group with one epoch.
type Group struct {
	Epoch journal.Epoch
}

// NewGroup returns a group made from a number.
func NewGroup(n byte) Group {
	id := journal.GroupID(journal.H("p2ptest group", []byte{n}))
	return Group{journal.Epoch{Group: id, Secret: journal.H("p2ptest secret", []byte{n})}}
}

// ID returns the group's id.
func (g Group) ID() journal.GroupID { return g.Epoch.Group }

// Identity returns an identity made from a number.
func Identity(n byte) *journal.Identity {
	return journal.NewIdentity(journal.H("p2ptest identity", []byte{n}))
}

// Writer writes one author's chain.
type Writer struct {
	id    *journal.Identity
	group Group
	next  journal.Next
	salt  uint64
}

// NewWriter starts incarnation 1 of an author. Writers of one author with other
// salts write other entries.
func NewWriter(id *journal.Identity, g Group, salt uint64) *Writer {
	return &Writer{id: id, group: g, next: journal.Next{Incarnation: 1, Seq: 1}, salt: salt}
}

// Chain returns the chain's key.
func (w *Writer) Chain() journal.ChainKey {
	return journal.ChainKey{Author: w.id.Author(), Incarnation: w.next.Incarnation}
}

// Fork returns a writer that goes on from the same place with other entries.
func (w *Writer) Fork(salt uint64) *Writer {
	f := *w
	f.salt = salt
	return &f
}

// Write makes the next entry.
func (w *Writer) Write(t testing.TB) *journal.Entry {
	t.Helper()
	return w.WriteEvent(t, []byte("an event"))
}

// WriteEvent makes the next entry, with an event.
func (w *Writer) WriteEvent(t testing.TB, event []byte) *journal.Entry {
	t.Helper()
	var nonce [24]byte
	binary.BigEndian.PutUint64(nonce[:], w.salt)
	binary.BigEndian.PutUint64(nonce[8:], w.next.Seq)
	e, err := journal.Seal(w.id, w.group.Epoch, w.next, event, nonce)
	if err != nil {
		t.Fatalf("seal entry: %v", err)
	}
	w.next.Seq++
	w.next.Prev = e.ID()
	return e
}

// Fill writes n entries into an inbox and returns them.
func (w *Writer) Fill(t testing.TB, in *Inbox, n int) []*journal.Entry {
	t.Helper()
	out := make([]*journal.Entry, n)
	for i := range out {
		out[i] = w.Write(t)
		if err := in.Put(out[i]); err != nil {
			t.Fatalf("put own entry: %v", err)
		}
	}
	return out
}
