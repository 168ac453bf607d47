package coordinator

import (
	"errors"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/journal"
)

// errCatchingUp means that this node was restored and does not write before it
// has caught up with its own earlier self: it would fork its own chain.
var errCatchingUp = refusal.New(refusal.CatchingUp, "this node was restored and has to catch up with another member before it writes").
	WithHint("wait until another member's node is online; `wallet show` says how far it is")

// errSuperseded means that this is an old copy of a node that was restored.
var errSuperseded = refusal.New(refusal.Superseded, "this node's identity was restored elsewhere and goes on there: this copy must not be used")

// errOwnChain means that this node's own chain is not where it thinks; it can
// only come from a fork of its own, and then it must not write.
var errOwnChain = refusal.New(refusal.OwnChain, "this node's own chain is forked: restore it as a new incarnation")

// errReplaced means that another device took this node's place.
var errReplaced = refusal.New(refusal.Replaced, "this node was replaced by another device that holds its key: this copy must not be used")

var errAwaitsApproval = refusal.New(refusal.AwaitsApproval, "the other cosigners have to approve this device first: it proves no key").
	WithHint("have them compare this node's id (`status`) and run `wallet approve-replacement`, then repeat `wallet join`")

// mayNotWrite says whether an error means that this node goes on reading only.
func mayNotWrite(err error) bool {
	for _, e := range []error{errOwnChain, errSuperseded, errCatchingUp, errReplaced} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// SecondTakerError is an ErrInviteUsed that a person should hear of: who has the
// invite that another node used is the one it was for, or who found it.
type SecondTakerError struct {
	Invite string         // its id
	First  journal.Author // who used it
}

func (e *SecondTakerError) Error() string {
	return port.ErrInviteUsed.Error() + ", which is another one"
}

func (e *SecondTakerError) Unwrap() error { return port.ErrInviteUsed }

// AlarmSecondTaker is what is told when a node presents an invite that another
// one used: it has the text, and one of the two is not whom it was meant for.
const AlarmSecondTaker = "invite_second_taker"

// SecondTaker tells that who presented an invite that another one used.
func (m *Machine) SecondTaker(who journal.Author, x *SecondTakerError) port.Notice {
	return port.Notice{Type: "alarm", Group: m.State.Group(), Status: AlarmSecondTaker,
		Detail: "a second taker of a used invite was refused: " + who.String() + "; " + m.called(x.First) + " used it, and it is in more hands than one"}
}
