package group

import (
	"time"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/ledger"
	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/journal"
)

// State is what the entries of one group say. It is a function of the set of
// entries, the pinned roster hash and the epoch secrets, whatever the order
// they came in, and it only grows. It is an immutable value: every change
// returns a new one, and old ones stay valid and may be read concurrently.
//
// It is seven values, each upon the one before: a value asks those below it, and
// knows none above. What an entry says of several is taken apart here alone.
//
// Facts are kept as stated. Whether an entry is tainted is asked when a fact
// is used (see tainted), because a fork found later taints entries folded earlier.
type State struct {
	stopFacts

	// reweighed: entries were tainted, or are not any more, since Step last looked.
	// It is bookkeeping of one step, and no part of what State says.
	reweighed bool
}

// NewState returns the state of a group of which nothing is known but its
// genesis and the secret of epoch 0. It returns ErrEvent for a malformed genesis.
func NewState(self *Self, genesis []byte, secret [32]byte, pinned [32]byte) (State, error) {
	g, err := event.DecodeGenesis(genesis)
	if err != nil {
		return State{}, err
	}
	var s State
	s.self, s.group, s.genesis, s.pinned = self, event.GroupID(genesis), g, pinned
	zero := journal.Epoch{Group: s.group, Secret: secret}
	s.zero = zero.ID()
	s.epochs = s.epochs.Set(mapkey.Of(s.zero), zero)
	return s, nil
}

// Derive returns the status of a proposal, from the entries, this node's view
// of the chain and the time. It is pure.
func Derive(s State, v ledger.View, now time.Time, p *Proposal) Status {
	return s.StatusOf(v, now, p, &Inquiry{})
}
