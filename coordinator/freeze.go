package coordinator

import (
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/journal"
)

// Freeze freezes a coin of the wallet for all members, or lifts that. Neither moves anything.
type Freeze struct {
	Coin  wire.OutPoint
	Undo  bool
	Note  string
	Allow []string
}

// Stop freezes all spending from the wallet, for all members. The reply is a Stopped. Where
// this member's freeze stands already, and no other reason is given, it is that one.
type Stop struct {
	Reason string
	Allow  []string
}

// Stopped is the freeze of this member.
type Stopped struct{ Freeze journal.EntryID }

// Lift says that this member is for lifting freezes of all spending, each of which has to
// stand. Enough members lift it.
type Lift struct {
	Freezes []journal.EntryID
	Allow   []string
}
