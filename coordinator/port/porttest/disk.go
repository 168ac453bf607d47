// Package porttest has a store for tests of the rooms that may not know a real
// one: what one member of a group made durable, in maps that a test looks at,
// copies and damages as it likes.
package porttest

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
)

// Disk is what one member of one group made durable. As a port.Store it serves no
// ranges. It is not safe for concurrent use but by one actor.
type Disk struct {
	Held   map[journal.EntryID]*journal.Entry
	Signed map[port.GuardRecord]bool
	Kept   map[string][]byte   // records
	Told   []port.NoticeRecord // the outbox
	// Careless: it takes what its sign guard would refuse.
	Careless bool
}

// NewDisk returns an empty one.
func NewDisk() Disk {
	return Disk{Held: map[journal.EntryID]*journal.Entry{}, Signed: map[port.GuardRecord]bool{}, Kept: map[string][]byte{}}
}

// Clone returns a copy that shares nothing that changes.
func (d *Disk) Clone() Disk {
	return Disk{maps.Clone(d.Held), maps.Clone(d.Signed), maps.Clone(d.Kept), slices.Clone(d.Told), d.Careless}
}

// Commit implements port.Store.
func (d *Disk) Commit(_ context.Context, b port.Batch) error {
	for _, g := range b.Guard {
		for have := range d.Signed {
			if !d.Careless && have.OutPoint == g.OutPoint && have.TxID != g.TxID && !slices.Contains(g.Known, have.TxID) {
				return port.ErrGuardConflict
			}
		}
	}
	for _, e := range b.Entries {
		d.Held[e.ID()] = e
	}
	for _, g := range b.Guard {
		d.Signed[g.GuardRecord] = true
	}
	maps.Copy(d.Kept, b.Puts)
	for _, k := range b.Deletes {
		delete(d.Kept, k)
	}
	d.Told = append(d.Told, b.Notices...)
	return nil
}

// Notices implements port.Store: the first has the number 1.
func (d *Disk) Notices(_ context.Context, after uint64, limit int) (port.Notices, error) {
	out := port.Notices{Last: uint64(len(d.Told))}
	for n := after; n < out.Last && len(out.Items) < limit; n++ {
		out.Items = append(out.Items, port.NumberedNotice{Number: n + 1, NoticeRecord: d.Told[n]})
	}
	return out, nil
}

// TrimNotices implements port.Store: it drops nothing.
func (*Disk) TrimNotices(context.Context, port.NoticeLimits) error { return nil }

// Chains returns the entries, each chain in order, the chains by author and incarnation.
func (d *Disk) Chains() [][]*journal.Entry {
	by := map[journal.ChainKey][]*journal.Entry{}
	for _, e := range d.Held {
		by[e.Chain()] = append(by[e.Chain()], e)
	}
	var out [][]*journal.Entry
	for _, es := range by {
		slices.SortFunc(es, func(a, b *journal.Entry) int {
			if a.Position().Seq != b.Position().Seq {
				return int(a.Position().Seq) - int(b.Position().Seq)
			}
			x, y := a.ID(), b.ID()
			return slices.Compare(x[:], y[:])
		})
		out = append(out, es)
	}
	slices.SortFunc(out, func(a, b []*journal.Entry) int {
		x, y := a[0].Chain(), b[0].Chain()
		return slices.Compare(append(x.Author[:], x.Incarnation), append(y.Author[:], y.Incarnation))
	})
	return out
}

// Walk implements port.Store.
func (d *Disk) Walk(_ context.Context, _ journal.GroupID, yield func(*journal.Entry) error) error {
	for _, chain := range d.Chains() {
		for _, e := range chain {
			if err := yield(e); err != nil {
				return err
			}
		}
	}
	return nil
}

// Entry implements port.Store.
func (d *Disk) Entry(_ context.Context, _ journal.GroupID, id journal.EntryID) (*journal.Entry, error) {
	if e, ok := d.Held[id]; ok {
		return e, nil
	}
	return nil, port.ErrNotFound
}

// Range implements port.Store: it returns port.ErrUnsupported.
func (*Disk) Range(context.Context, journal.GroupID, journal.ChainKey, uint64, int, int) ([]*journal.Entry, error) {
	return nil, port.ErrUnsupported
}

// Records implements port.Store.
func (d *Disk) Records(_ context.Context, _ journal.GroupID, prefix string) (map[string][]byte, error) {
	out := map[string][]byte{}
	for k, v := range d.Kept {
		if strings.HasPrefix(k, prefix) {
			out[k] = v
		}
	}
	return out, nil
}

// Guard implements port.Store.
func (d *Disk) Guard(context.Context) ([]port.GuardRecord, error) {
	return slices.Collect(maps.Keys(d.Signed)), nil
}
