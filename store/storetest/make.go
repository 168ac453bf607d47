package storetest

import (
	"encoding/binary"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
)

// Failer is the part of a testing.TB that making entries needs.
type Failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

// Author writes one chain of a group, the same entries in every run.
type Author struct {
	t     Failer
	id    *journal.Identity
	epoch journal.Epoch
	next  journal.Next
	made  uint64
}

// NewAuthor returns the n-th author of a group.
func NewAuthor(t Failer, group journal.GroupID, n byte, incarnation uint8) *Author {
	return &Author{
		t:     t,
		id:    journal.NewIdentity([32]byte{1, n}),
		epoch: journal.Epoch{Group: group, Secret: [32]byte{2}},
		next:  journal.Next{Incarnation: incarnation, Seq: 1},
	}
}

// Group returns the n-th group.
func Group(n byte) journal.GroupID { return journal.GroupID{'g', n} }

// Entry makes the next entry of the chain, of an event of size bytes.
func (a *Author) Entry(size int) *journal.Entry {
	e := a.Fork(size)
	a.next = journal.Next{Incarnation: a.next.Incarnation, Seq: a.next.Seq + 1, Prev: e.ID()}
	return e
}

// Fork makes another entry for the place of the next one.
func (a *Author) Fork(size int) *journal.Entry {
	a.t.Helper()
	a.made++
	var nonce [24]byte
	binary.BigEndian.PutUint64(nonce[:], a.made)
	e, err := journal.Seal(a.id, a.epoch, a.next, make([]byte, size), nonce)
	if err != nil {
		a.t.Fatalf("seal: %v", err)
	}
	return e
}

// Chain names the chain of the author.
func (a *Author) Chain() journal.ChainKey {
	return journal.ChainKey{Author: a.id.Author(), Incarnation: a.next.Incarnation}
}

// Guard returns the record that the coin n was signed for in transaction tx.
func Guard(n uint32, tx byte) port.GuardRecord {
	return port.GuardRecord{
		OutPoint: wire.OutPoint{Hash: chainhash.Hash{'c'}, Index: n},
		TxID:     chainhash.Hash{'t', tx},
	}
}

// Sign returns the update that adds Guard(n, tx), knowing of the transactions known.
func Sign(n uint32, tx byte, known ...byte) port.GuardUpdate {
	u := port.GuardUpdate{GuardRecord: Guard(n, tx)}
	for _, k := range known {
		u.Known = append(u.Known, chainhash.Hash{'t', k})
	}
	return u
}
