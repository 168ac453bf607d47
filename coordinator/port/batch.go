package port

import (
	"slices"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/journal"
)

// Merge adds a later batch of the same group.
func (b *Batch) Merge(o Batch) {
	b.Entries = append(b.Entries, o.Entries...)
	for k, v := range o.Puts {
		b.Puts[k] = v
		b.Deletes = slices.DeleteFunc(b.Deletes, func(d string) bool { return d == k })
	}
	for _, k := range o.Deletes {
		delete(b.Puts, k)
		b.Deletes = append(b.Deletes, k)
	}
	b.Guard = append(b.Guard, o.Guard...)
	b.Notices = append(b.Notices, o.Notices...)
}

// Batch is what one Commit makes durable, all or nothing.
type Batch struct {
	Group   journal.GroupID
	Entries []*journal.Entry
	// Puts and Deletes are local records: pins, epoch secrets, invites,
	// request ids, the chain view, snapshots. A snapshot can be rebuilt.
	Puts    map[string][]byte
	Deletes []string
	Guard   []GuardUpdate
	// Notices are numbered by the store, in this order: see Store.Notices.
	Notices []NoticeRecord
}

// Empty says whether there is nothing to make durable.
func (b *Batch) Empty() bool {
	return len(b.Entries)+len(b.Puts)+len(b.Deletes)+len(b.Guard)+len(b.Notices) == 0
}

// GuardRecord says that this node signed a transaction that spends an outpoint.
type GuardRecord struct {
	OutPoint wire.OutPoint
	TxID     chainhash.Hash
}

// GuardUpdate adds a GuardRecord. Known lists the txids the caller decided on:
// a store that holds another one for the outpoint refuses the whole batch.
type GuardUpdate struct {
	GuardRecord
	Known []chainhash.Hash
}
