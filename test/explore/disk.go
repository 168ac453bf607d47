package explore

import (
	"context"
	"encoding/binary"
	"slices"
	"strings"

	"github.com/btcsuite/btcd/chainhash/v2"

	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/journal/pmap"
)

// disk is a port.Store as a value: a copy of it stays as it was.
type disk struct {
	entries pmap.Map[string, *journal.Entry] // by chain, seq and id
	ids     pmap.Map[string, *journal.Entry]
	records pmap.Map[string, []byte]
	guard   pmap.Map[string, port.GuardRecord] // by coin and txid
	sum     [32]byte                           // of all that is there
}

// count takes what is stored under a name into the sum, or out of it again.
func (d *disk) count(kind, name string, value []byte) {
	if kind == "record" && coordinator.OfOutbox(name) {
		return // what was told decides nothing
	}
	h := journal.H("disk", []byte(kind), []byte(name), value)
	for k := range d.sum {
		d.sum[k] ^= h[k]
	}
}

func (d *disk) put(name string, value []byte) {
	d.remove(name)
	d.count("record", name, value)
	d.records = d.records.Set(name, slices.Clone(value))
}

func (d *disk) remove(name string) {
	if old, ok := d.records.Get(name); ok {
		d.count("record", name, old)
		d.records = d.records.Delete(name)
	}
}

var _ port.Store = (*disk)(nil)

func (d *disk) add(e *journal.Entry) {
	c, p := e.Chain(), e.Position()
	k := append(append([]byte{}, c.Author[:]...), c.Incarnation)
	k = append(binary.BigEndian.AppendUint64(k, p.Seq), p.ID[:]...)
	if !d.holds(p.ID) {
		d.count("entry", string(k), nil)
	}
	d.entries = d.entries.Set(string(k), e)
	d.ids = d.ids.Set(string(p.ID[:]), e)
}

func (d *disk) holds(id journal.EntryID) bool {
	_, ok := d.ids.Get(string(id[:]))
	return ok
}

func guardKey(r port.GuardRecord) string {
	return string(r.OutPoint.Hash[:]) + string(binary.BigEndian.AppendUint32(nil, r.OutPoint.Index)) + string(r.TxID[:])
}

// Commit applies a batch, or refuses it for the sign guard.
func (d *disk) Commit(_ context.Context, b port.Batch) error {
	for _, u := range b.Guard {
		for _, g := range d.guard.All() {
			if g.OutPoint == u.OutPoint && g.TxID != u.TxID && !slices.Contains(u.Known, g.TxID) {
				return port.ErrGuardConflict
			}
		}
	}
	for _, u := range b.Guard {
		k := guardKey(u.GuardRecord)
		if _, ok := d.guard.Get(k); !ok {
			d.count("guard", k, nil)
		}
		d.guard = d.guard.Set(k, u.GuardRecord)
	}
	for _, e := range b.Entries {
		d.add(e)
	}
	for k, v := range b.Puts {
		d.put(k, v)
	}
	for _, k := range b.Deletes {
		d.remove(k)
	}
	return nil
}

// Notices has none: nobody asks here.
func (*disk) Notices(context.Context, uint64, int) (port.Notices, error) { return port.Notices{}, nil }

// TrimNotices has nothing to drop.
func (*disk) TrimNotices(context.Context, port.NoticeLimits) error { return nil }

// Walk yields every entry, each chain in order of seq.
func (d *disk) Walk(_ context.Context, _ journal.GroupID, yield func(*journal.Entry) error) error {
	for _, e := range d.entries.All() {
		if err := yield(e); err != nil {
			return err
		}
	}
	return nil
}

// Entry returns one entry.
func (d *disk) Entry(_ context.Context, _ journal.GroupID, id journal.EntryID) (*journal.Entry, error) {
	if e, ok := d.ids.Get(string(id[:])); ok {
		return e, nil
	}
	return nil, port.ErrNotFound
}

// Range is not asked for here: entries are delivered one by one.
func (d *disk) Range(context.Context, journal.GroupID, journal.ChainKey, uint64, int, int) ([]*journal.Entry, error) {
	return nil, port.ErrUnsupported
}

// Records returns the records whose name starts with prefix.
func (d *disk) Records(_ context.Context, _ journal.GroupID, prefix string) (map[string][]byte, error) {
	out := map[string][]byte{}
	for k, v := range d.records.All() {
		if strings.HasPrefix(k, prefix) {
			out[k] = v
		}
	}
	return out, nil
}

// Guard returns what this node signed.
func (d *disk) Guard(context.Context) ([]port.GuardRecord, error) {
	var out []port.GuardRecord
	for _, g := range d.guard.All() {
		out = append(out, g)
	}
	return out, nil
}

// guards says whether the guard holds a transaction.
func (d *disk) guards(tx chainhash.Hash) bool {
	for _, g := range d.guard.All() {
		if g.TxID == tx {
			return true
		}
	}
	return false
}
