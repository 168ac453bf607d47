package coordinator

import (
	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/journal"
)

// Ping asks every key for a signature, or finds the round that is open, and is answered
// with a Pinged. A node answers with its own key by AnswerPing, and by itself with a Tick.
type Ping struct {
	// For names a cosigner without a node, whose device is to sign; "" is this node's key.
	For string
	// New asks anew although a round is open.
	New   bool
	Allow []string
}

// Pinged is the round to be answered.
type Pinged struct {
	Round group.Ref
	Asked bool // by this command
}

// AnswerPing answers a round: with this node's own key, or with the proof that a device
// gave. One that was answered, or that is older than what was, is left as it is.
type AnswerPing struct {
	Round journal.EntryID
	For   string
	How   event.ProofKind
	Proof []byte // nil for this node's own key
}
