package coordinator

import (
	"context"
	"fmt"

	"github.com/quorate/quorate/coordinator/port"
)

func (a *Actor) detached() bool {
	d, ok := a.ports.Signer.(port.Detached)
	return ok && d.Detached()
}

// guardFirst makes the sign guard durable before a signer in another process is
// asked. It stays so if nothing is signed: a further proposal on these coins
// must then replace this one.
func (a *Actor) guardFirst(t *turn, updates []port.GuardUpdate) error {
	if !a.detached() || len(updates) == 0 {
		return nil
	}
	if err := a.commit(port.Batch{Group: a.group, Guard: updates}); err != nil {
		return err
	}
	// What is durable is also known to those who look, whatever comes of this turn.
	now := *a.current.Load()
	for _, u := range updates {
		t.machine.Guard = t.machine.Guard.add(u.GuardRecord)
		now.Guard = now.Guard.add(u.GuardRecord)
	}
	a.current.Store(&now)
	return nil
}

// proposeFirst enters a proposal before a signer in another process is asked to
// sign it: what the guard then holds is a proposal's, which another can replace,
// also where the signer never answers.
func (a *Actor) proposeFirst(ctx context.Context, p Propose) (any, error) {
	in, err := a.input(p)
	if err == nil {
		_, _, err = Step(*a.Machine(), in) // what it would refuse, it refuses before anything is entered
	}
	if err != nil {
		return nil, err
	}
	p.Unsigned = true
	made, err := a.ask(ctx, p)
	if err != nil {
		return nil, err
	}
	x, ok := made.(Proposed)
	if !ok {
		return nil, fmt.Errorf("propose: %w: answered by %T", ErrBadRequest, made)
	}
	if _, err := a.ask(ctx, Approve{Proposal: x.Proposal, Allow: p.Allow}); err != nil {
		return nil, fmt.Errorf("proposal %s is made, but this node did not sign it: %w", x.Proposal, err)
	}
	return made, nil
}
