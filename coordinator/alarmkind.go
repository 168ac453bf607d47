package coordinator

import (
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
)

// Kinds of alarms that stay.
const (
	AlarmForeignSpend = "foreign_spend"
	AlarmAddressTie   = "address_tie"
)

// Alarm is something that a person has to look at, for as long as it is so.
type Alarm struct {
	Kind string
	// TxID is there for a foreign spend.
	TxID chainhash.Hash
	// Since is when this node told of it; of a tie, when it handed the address out.
	Since time.Time
	Text  string
}

// Kinds of alarms of a final transaction that is not in the network.
const (
	// AlarmRefused: the Bitcoin node refuses it.
	AlarmRefused = "broadcast_refused"
	// AlarmUnsent: it could not be handed over.
	AlarmUnsent = "broadcast_failed"
	// AlarmUnbuilt: it has all signatures, and is none that Bitcoin takes.
	AlarmUnbuilt = "transaction_invalid"
	// AlarmUnseen: it was handed over, and nobody shows it.
	AlarmUnseen = "broadcast_unseen"
)

// AlarmFork is of a member who wrote two entries in one place, and AlarmOwnFork of this
// node itself.
const (
	AlarmFork    = "equivocation"
	AlarmOwnFork = "own_chain_forked"
)

// AlarmReplaced and AlarmContested are what is told when a member's identity
// changes, and when two claim to be it.
const (
	// AlarmSuperseded: this node was restored, and this is its old copy.
	AlarmSuperseded = "superseded"
	AlarmReplaced   = "member_replaced"
	AlarmContested  = "replacement_contested"
	// AlarmUnproven: a device claims to be a member, and proves nothing.
	AlarmUnproven = "replacement_unproven"
)
