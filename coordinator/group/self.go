package group

import (
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/wallet"
)

// Self is what a node knows of itself in one group. It never changes.
type Self struct {
	Identity *journal.Identity
	Sealing  *journal.SealingKey
	Verified *wallet.SigCache

	// Opened is of a reader that holds no epochs: the event of an entry that was
	// opened by other means, or false where it is not to be read. It is nil in a node.
	Opened func(*journal.Entry) ([]byte, bool)

	// Fault hears of faults of this program; it may be nil.
	Fault func(error)
	// Probe is of tests: it is called before an entry is read, and with nil before
	// a step settles. It may be nil.
	Probe func(Probed, *journal.Entry)
}

// Probed is what a probe sees of a State.
type Probed interface {
	// Group is the group's id.
	Group() journal.GroupID
	// Active is the wallet, once it is.
	Active() *Active
	// EpochHeld is an epoch whose secret is held.
	EpochHeld(id journal.EpochID) (journal.Epoch, bool)
}
