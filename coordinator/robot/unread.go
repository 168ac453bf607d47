package robot

import (
	"maps"
	"slices"

	"github.com/quorate/quorate/journal"
)

// An entry that a robot cannot open may be a vote against what it is about to sign, and the
// others can tell it the secret. Nobody can tell it one that was never anybody's, and whoever
// writes under such a one must not silence a robot for ever. So that of each member it waits for
// an hour of a day, in ticks of two seconds.
const (
	unreadTicks = 1800
	unreadAgain = 43200
)

// unread is since which tick an author's unreadable entries are waited for. It is never changed
// in place.
type unread map[journal.Author]uint64

// Unread notes at a tick who wrote what cannot be read. Whoever had a robot wait has it wait
// again once a day has passed, and all was readable in between.
func (d Desk) Unread(by []journal.Author, tick uint64) Desk {
	over := func(a journal.Author, since uint64) bool {
		return !slices.Contains(by, a) && tick-min(tick, since) >= unreadAgain
	}
	news := slices.ContainsFunc(by, func(a journal.Author) bool { _, known := d.unread[a]; return !known })
	for a, since := range d.unread {
		news = news || over(a, since)
	}
	if !news {
		return d
	}
	next := maps.Clone(d.unread)
	if next == nil {
		next = unread{}
	}
	maps.DeleteFunc(next, over)
	for _, a := range by {
		if _, known := next[a]; !known {
			next[a] = tick
		}
	}
	d.unread = next
	return d
}

// Awaits says whether an author's unreadable entries are waited for.
func (d Desk) Awaits(a journal.Author, tick uint64) bool {
	since, known := d.unread[a]
	return !known || tick-min(tick, since) < unreadTicks
}
