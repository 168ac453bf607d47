package group

import (
	"slices"

	"github.com/quorate/quorate/journal"
)

// MaxUnread is how many entries are counted that may show a signature of this
// node's key: it waits for each of them, and more says no more.
const MaxUnread = 250

// UnreadEntries are held and may show a signature by a key of this
// node's, and do not yet.
type UnreadEntries struct {
	N, Most int
	By      []journal.Author // who wrote them, as far as that is known
	// Mine: only what this node's own line wrote is looked for.
	Mine bool
	// Authors: of each chain one says enough, so that nobody hides another one's behind many.
	Authors bool
}

func (u *UnreadEntries) full() bool { return u.N >= u.Most }

func (u *UnreadEntries) add(by journal.Author) {
	if u.N++; !slices.Contains(u.By, by) {
		u.By = append(u.By, by)
	}
}
