package audit

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/journal"
)

// Bounds of one page.
const (
	// MaxLooked is how many entries one page looks at, listed or not.
	MaxLooked = 4096
	// maxAuthors is of how many identities a page lists entries: those of members
	// first. A wallet has 20 members; keys may name further ones.
	maxAuthors = 128
	// lead is by how many entries one author may be ahead of all others together. A
	// member may write 32,768 entries and claim any time for them: from there on the
	// others have every second line, until theirs are listed.
	lead = 500
	// giveUp is after how many entries in a row from before the time asked for an
	// author's are no longer looked at. Clocks err, but not for so long; and 20
	// members are given up within one page.
	giveUp = 200
)

// Query is which entries to list.
type Query struct {
	// Authors are whose; nil for all.
	Authors []journal.Author
	// Kinds are names of the table; nil for all.
	Kinds []string
	// Proposal is the one that they are about; zero for any.
	Proposal journal.EntryID
	// Since and Until bound the claimed time, the first included; zero is no bound.
	Since, Until time.Time
	// Cursor goes on after a page; empty for the first one.
	Cursor string
	// Limit is how many at most, 1 at least.
	Limit int
}

// Reader lists the entries of one State.
type Reader struct {
	State group.State
	// Entry returns an entry that is held.
	Entry func(ctx context.Context, id journal.EntryID) (*journal.Entry, error)
	// Now is this node's time: what claims to be later is listed as of now.
	Now time.Time
}

// Page returns the next entries of a query, newest first by claimed time where the
// order of their authors allows, and the cursor to go on from, empty at the end. A
// page may hold less than the limit, or nothing, and not be the last: it looks at
// MaxLooked entries at most. It returns ErrCursor, or the errors of Entry.
func (r Reader) Page(ctx context.Context, q Query) (out []Entry, next string, err error) {
	places, err := readCursor(q.Cursor)
	if err != nil {
		return nil, "", err
	}
	w := walk{r: r, q: q}
	for _, a := range w.authors() {
		l := w.lineOf(a, places)
		w.lines = append(w.lines, l)
	}
	for looked := 0; len(out) < q.Limit && looked < MaxLooked; looked++ {
		l, err := w.next(ctx)
		if err != nil {
			return nil, "", err
		}
		if l == nil {
			return out, "", nil
		}
		if x := *l.head; w.wants(l, x) {
			out = append(out, x)
		}
		l.take()
	}
	return out, w.cursor(), nil
}

// walk is one page being made.
type walk struct {
	r     Reader
	q     Query
	lines []*line
	on    map[journal.Author][]place // of the proposal that is asked for
}

// line is what one author wrote, last first.
type line struct {
	author journal.Author
	// before yields the positions from a place down, without the place itself.
	before func(place) (place, bool)
	at     place // the last that was taken; zero at the start
	done   bool  // nothing is left
	forked bool
	taken  uint64 // how many were taken, in all pages
	head   *Entry
	headAt place
	last   int64 // by which the head before was ordered
	early  int   // entries in a row from before the time asked for
}

// place is that of an entry among those of one author. The zero place is above all.
type place struct {
	incarnation uint8
	seq         uint64
	id          journal.EntryID
}

// authors are whose entries are listed, members first.
func (w *walk) authors() []journal.Author {
	var out, others []journal.Author
	active := w.r.State.Active()
	for c := range w.r.State.Chains().Keys() {
		a := c.Author
		if w.q.Authors != nil && !slices.Contains(w.q.Authors, a) {
			continue
		}
		member := active == nil
		if !member {
			_, member = active.KeyOf(a)
		}
		if to := &others; slices.Contains(out, a) || slices.Contains(others, a) {
			continue
		} else {
			if member {
				to = &out
			}
			*to = append(*to, a)
		}
	}
	out = append(out, others...)
	return out[:min(len(out), maxAuthors)]
}

// lineOf begins an author's line where a cursor left it.
func (w *walk) lineOf(a journal.Author, places map[[prefixSize]byte]place) *line {
	l := &line{author: a, last: w.r.Now.UnixMilli()}
	if w.q.Proposal != (journal.EntryID{}) {
		l.before = listed(w.entriesOn(a))
	} else {
		l.before = w.chainsOf(a)
	}
	for c := range w.r.State.Chains().KeysOf(a) {
		l.forked = l.forked || w.r.State.Chains().ForkedAt(c) > 0
	}
	var p place
	if at, ok := places[prefixOf(a)]; ok {
		p, l.done = at, at.incarnation == 0
	}
	l.at = p
	if p != (place{}) {
		l.taken = w.above(a, p)
	}
	return l
}

// above is about how many entries an author has above a place.
func (w *walk) above(a journal.Author, p place) uint64 {
	n := uint64(0)
	for c, at := range w.tails(a) {
		switch {
		case c.Incarnation > p.incarnation:
			n += at
		case c.Incarnation == p.incarnation && at > p.seq:
			n += at - p.seq
		}
	}
	return n + 1
}

func (w *walk) tails(a journal.Author) map[journal.ChainKey]uint64 {
	out := map[journal.ChainKey]uint64{}
	chains := w.r.State.Chains()
	for c := range chains.KeysOf(a) {
		if next := chains.Next(c); next.Seq > 0 {
			out[c] = next.Seq - 1
		} else if fork := chains.ForkedAt(c); fork > 0 {
			out[c] = fork - 1
		}
	}
	return out
}

// chainsOf walks the chains of an author, from the last incarnation to the first.
func (w *walk) chainsOf(a journal.Author) func(place) (place, bool) {
	chains := w.r.State.Chains()
	var keys []journal.ChainKey
	tails := w.tails(a)
	for c := range chains.KeysOf(a) {
		keys = append(keys, c)
	}
	slices.Reverse(keys)
	loose := map[journal.ChainKey]func(place) (place, bool){}
	return func(p place) (place, bool) {
		for _, c := range keys {
			if p.incarnation != 0 && c.Incarnation > p.incarnation {
				continue
			}
			from := place{}
			if c.Incarnation == p.incarnation {
				from = p
			}
			if chains.ForkedAt(c) > 0 {
				if loose[c] == nil {
					var all []place
					for at := range chains.LooseEntries(c) {
						all = append(all, place{c.Incarnation, at.Seq, at.ID})
					}
					loose[c] = listed(all)
				}
				if at, ok := loose[c](from); ok {
					return at, true
				}
			}
			seq := tails[c]
			if from.incarnation != 0 {
				seq = min(seq, from.seq-1)
			}
			if id, ok := chains.At(c, seq); ok {
				return place{c.Incarnation, seq, id}, true
			}
		}
		return place{}, false
	}
}

// entriesOn are the places of the entries that an author wrote about a proposal. They are
// gone through once, for all authors.
func (w *walk) entriesOn(a journal.Author) []place {
	if w.on == nil {
		w.on = map[journal.Author][]place{}
		for r := range w.r.State.EntriesOn(w.q.Proposal) {
			who := r.Chain.Author
			w.on[who] = append(w.on[who], place{r.Chain.Incarnation, r.Seq, r.ID})
		}
	}
	return w.on[a]
}

// listed walks a list of places.
func listed(all []place) func(place) (place, bool) {
	slices.SortFunc(all, func(a, b place) int { return b.compare(a) })
	return func(p place) (place, bool) {
		n := 0
		if p != (place{}) {
			n, _ = slices.BinarySearchFunc(all, p, func(x, p place) int { return p.compare(x) })
			for n < len(all) && !all[n].below(p) {
				n++
			}
		}
		if n == len(all) {
			return place{}, false
		}
		return all[n], true
	}
}

// compare orders places as they were written.
func (p place) compare(o place) int {
	return cmp.Or(cmp.Compare(p.incarnation, o.incarnation), cmp.Compare(p.seq, o.seq), bytes.Compare(p.id[:], o.id[:]))
}

// below says whether a place comes after another one in a list from the last down. A
// cursor has only the beginning of an id, with zeros behind.
func (p place) below(o place) bool {
	return cmp.Or(cmp.Compare(p.incarnation, o.incarnation), cmp.Compare(p.seq, o.seq), bytes.Compare(p.id[:idPrefix], o.id[:idPrefix])) < 0
}

// next returns the line whose head is to be listed next, nil at the end.
func (w *walk) next(ctx context.Context) (*line, error) {
	var best *line
	all, open := uint64(0), 0
	for _, l := range w.lines {
		if err := w.fill(ctx, l); err != nil {
			return nil, err
		}
		if all += l.taken; l.head != nil {
			open++
		}
	}
	for _, l := range w.lines {
		if l.head == nil || open > 1 && l.taken > lead+(all-l.taken) {
			continue
		}
		if best == nil || w.order(l) > w.order(best) {
			best = l
		}
	}
	if best != nil {
		best.last = w.order(best)
	}
	return best, nil
}

// order is the time by which a line's head is listed: what it claims and no later
// than now; of one that cannot be read, that of the entry after it.
func (w *walk) order(l *line) int64 {
	if l.head.Time.IsZero() {
		return l.last
	}
	return min(l.head.Time.UnixMilli(), w.r.Now.UnixMilli())
}

// fill reads a line's next entry.
func (w *walk) fill(ctx context.Context, l *line) error {
	if l.done || l.head != nil {
		return nil
	}
	at, ok := l.before(l.at)
	if !ok {
		l.done = true
		return nil
	}
	e, err := w.r.Entry(ctx, at.id)
	if err != nil {
		return fmt.Errorf("read entry %d of %s: %w", at.seq, Called(w.r.State, l.author), err)
	}
	plain, unread := open(w.r.State, e)
	x := Tell(w.r.State, e, plain, unread)
	l.head, l.headAt = &x, at
	return nil
}

// take goes on to the entry before.
func (l *line) take() {
	l.at, l.head = l.headAt, nil
	l.taken++
	if l.early >= giveUp {
		l.done = true
	}
}

// wants says whether an entry is to be listed.
func (w *walk) wants(l *line, x Entry) bool {
	q := w.q
	if !x.Time.IsZero() {
		if !q.Since.IsZero() && x.Time.Before(q.Since) {
			l.early++
			return false
		}
		l.early = 0
		if !q.Until.IsZero() && !x.Time.Before(q.Until) {
			return false
		}
	} else if !q.Since.IsZero() || !q.Until.IsZero() {
		return false // it says no time
	}
	return q.Kinds == nil || slices.Contains(q.Kinds, x.Kind)
}

// ErrCursor is returned for a text that no page gave.
var ErrCursor = errors.New("not a cursor of the log")
