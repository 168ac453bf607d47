package sim

import (
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/journal"
)

// calm is k or more honest members whose own machines and links are good for a
// while, in the middle of everything else.
type calm struct {
	members  map[int]bool
	coin     wire.OutPoint
	proposal journal.EntryID
	until    time.Duration
	last     error
}

// between says whether a link is one of a calm time.
func (c *calm) between(a, b *node) bool { return c != nil && c.members[a.i] && c.members[b.i] }

// spares says whether an action would disturb it.
func (c *calm) spares(a Action) bool {
	if c == nil {
		return false
	}
	switch a.Kind {
	case Reorg:
		return true
	case Cut, Crash, DiskFull, DiskError, Skew, Backend, Restore, Lose,
		UserPropose, UserReplace, UserApprove, UserReject, UserWithdraw, UserAgain:
		return c.members[a.Who]
	}
	return false
}
