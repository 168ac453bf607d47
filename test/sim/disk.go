package sim

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
)

var (
	errFull = errors.New("no space left on device")
	errIO   = errors.New("input/output error")
)

// disk is a port.Store: what survives a crash of its node. All of a
// batch is there or none of it, as Commit promises.
type disk struct {
	entries map[journal.EntryID]*journal.Entry
	chains  map[journal.ChainKey][]*journal.Entry // by seq and id
	records map[string][]byte
	guard   *[]port.GuardRecord // the node's, whatever wallets it has
	told    []port.NoticeRecord
	// fails is what the next commits return, for a number of them.
	fails   error
	times   int
	commits int
	walks   int
}

var _ port.Store = (*disk)(nil)

func newDisk() *disk {
	return &disk{entries: map[journal.EntryID]*journal.Entry{}, chains: map[journal.ChainKey][]*journal.Entry{}, records: map[string][]byte{}, guard: &[]port.GuardRecord{}}
}

func (d *disk) clone() *disk {
	guard := slices.Clone(*d.guard)
	out := &disk{entries: maps.Clone(d.entries), chains: map[journal.ChainKey][]*journal.Entry{}, records: maps.Clone(d.records), guard: &guard, told: slices.Clone(d.told)}
	for k, c := range d.chains {
		out.chains[k] = slices.Clone(c)
	}
	return out
}

// Commit applies a batch, or fails as it was told to.
func (d *disk) Commit(_ context.Context, b port.Batch) error {
	d.commits++
	if d.times > 0 {
		d.times--
		return d.fails
	}
	for _, u := range b.Guard {
		for _, g := range *d.guard {
			if g.OutPoint == u.OutPoint && g.TxID != u.TxID && !slices.Contains(u.Known, g.TxID) {
				return port.ErrGuardConflict
			}
		}
	}
	for _, u := range b.Guard {
		if !slices.Contains(*d.guard, u.GuardRecord) {
			*d.guard = append(*d.guard, u.GuardRecord)
		}
	}
	for _, e := range b.Entries {
		d.add(e)
	}
	for k, v := range b.Puts {
		d.records[k] = slices.Clone(v)
	}
	for _, k := range b.Deletes {
		delete(d.records, k)
	}
	d.told = append(d.told, b.Notices...)
	return nil
}

// Notices returns a part of the outbox, whose numbers begin with 1.
func (d *disk) Notices(_ context.Context, after uint64, limit int) (port.Notices, error) {
	out := port.Notices{Last: uint64(len(d.told))}
	for n := after; n < out.Last && len(out.Items) < limit; n++ {
		out.Items = append(out.Items, port.NumberedNotice{Number: n + 1, NoticeRecord: d.told[n]})
	}
	return out, nil
}

// TrimNotices drops nothing.
func (*disk) TrimNotices(context.Context, port.NoticeLimits) error { return nil }

func (d *disk) add(e *journal.Entry) {
	if d.entries[e.ID()] != nil {
		return
	}
	d.entries[e.ID()] = e
	c := d.chains[e.Chain()]
	at, _ := slices.BinarySearchFunc(c, e.Position(), func(x *journal.Entry, p journal.Position) int { return comparePositions(x.Position(), p) })
	d.chains[e.Chain()] = slices.Insert(c, at, e)
}

func comparePositions(a, b journal.Position) int {
	if a.Seq != b.Seq {
		if a.Seq < b.Seq {
			return -1
		}
		return 1
	}
	return slices.Compare(a.ID[:], b.ID[:])
}

// Walk yields every entry, each chain in order of seq; the order of chains is
// nobody's business, and another one each time.
func (d *disk) Walk(_ context.Context, _ journal.GroupID, yield func(*journal.Entry) error) error {
	keys := slices.SortedFunc(maps.Keys(d.chains), journal.ChainKey.Compare)
	if d.walks++; d.walks%2 == 0 {
		slices.Reverse(keys)
	}
	for _, k := range keys {
		for _, e := range d.chains[k] {
			if err := yield(e); err != nil {
				return err
			}
		}
	}
	return nil
}

// Entry returns one entry.
func (d *disk) Entry(_ context.Context, _ journal.GroupID, id journal.EntryID) (*journal.Entry, error) {
	if e := d.entries[id]; e != nil {
		return e, nil
	}
	return nil, port.ErrNotFound
}

// Range returns entries of one chain from a seq on.
func (d *disk) Range(_ context.Context, _ journal.GroupID, k journal.ChainKey, seq uint64, limit, _ int) ([]*journal.Entry, error) {
	return rangeOf(d.chains[k], seq, limit), nil
}

func rangeOf(c []*journal.Entry, seq uint64, limit int) []*journal.Entry {
	at, _ := slices.BinarySearchFunc(c, seq, func(x *journal.Entry, s uint64) int {
		if x.Position().Seq < s {
			return -1
		}
		return 1
	})
	return slices.Clone(c[at:min(len(c), at+limit)])
}

// Records returns the records whose name starts with prefix.
func (d *disk) Records(_ context.Context, _ journal.GroupID, prefix string) (map[string][]byte, error) {
	out := map[string][]byte{}
	for k, v := range d.records {
		if strings.HasPrefix(k, prefix) {
			out[k] = v
		}
	}
	return out, nil
}

// Guard returns what this node signed.
func (d *disk) Guard(context.Context) ([]port.GuardRecord, error) {
	return slices.Clone(*d.guard), nil
}
