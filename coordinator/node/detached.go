package node

import (
	"context"
	"fmt"

	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
)

func (a *Actor) detached() bool {
	d, ok := a.ports.Signer.(port.Detached)
	return ok && d.Detached()
}

// guardFirst makes the sign guard durable before a signer in another process is asked.
func (a *Actor) guardFirst(updates []port.GuardUpdate) error {
	if err := a.commit(port.Batch{Group: a.group, Guard: updates}); err != nil {
		return err
	}
	// What is durable is also known to those who look, whatever comes of this turn.
	in, err := a.input(coordinator.Guarded{Updates: updates})
	if err != nil {
		return err
	}
	now, _, err := coordinator.Step(*a.current.Load(), in)
	if err != nil {
		return err
	}
	a.current.Store(&now)
	return nil
}

// proposeFirst enters a proposal before a signer in another process is asked to
// sign it: what the guard then holds is a proposal's, which another can replace,
// also where the signer never answers.
func (a *Actor) proposeFirst(ctx context.Context, p coordinator.Propose) (any, error) {
	in, err := a.input(p)
	if err == nil {
		_, _, err = coordinator.Step(*a.Machine(), in) // what it would refuse, it refuses before anything is entered
	}
	if err != nil {
		return nil, err
	}
	p.Unsigned = true
	made, err := Do(ctx, a, p)
	if err != nil {
		return nil, err
	}
	if _, err := Do(ctx, a, coordinator.Approve{Proposal: made.Proposal, Allow: p.Allow}); err != nil {
		return nil, &MadeError{made.Proposal, err}
	}
	return made, nil
}

// MadeError says that a proposal was made, and why this node did not sign it.
type MadeError struct {
	Proposal journal.EntryID
	Err      error
}

func (e *MadeError) Error() string {
	return fmt.Sprintf("proposal %s is made, but this node did not sign it: %v", e.Proposal, e.Err)
}

// Unwrap returns why.
func (e *MadeError) Unwrap() error { return e.Err }
