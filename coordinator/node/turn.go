package node

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/wallet"
)

// handle steps through a message, and through entries waiting behind it: they
// share one synced commit. When the commit fails the machine stays as it was.
func (a *Actor) handle(first envelope) {
	t := coordinator.NewTurn(*a.current.Load(), a.shell())
	replies := []func(error){a.take(t, first)}
	for n := 1; n < coordinator.Together && isEntry(first.msg); n++ {
		select {
		case e := <-a.inbox:
			replies = append(replies, a.take(t, e))
			if !isEntry(e.msg) {
				n = coordinator.Together
			}
			continue
		default:
		}
		break
	}
	a.callIt(t)
	err := t.Finish(a.commit, func(m coordinator.Machine) {
		a.current.Store(&m)
		a.unsnapped += t.Entries()
	}, func(e coordinator.Effect) {
		a.logFault("effect", group.Contained(func() error { a.execute(e); return nil }))
	})
	for _, r := range replies {
		r(err)
	}
	if err != nil {
		if _, ok := first.msg.(coordinator.Started); ok {
			// What is final must be broadcast again, as soon as the disk allows.
			a.done.Go(func() { a.startAgain() })
		}
		return
	}
	a.snapshot(snapshotEach)
}

func isEntry(msg coordinator.Message) bool {
	_, ok := msg.(coordinator.EntryIn)
	return ok
}

// snapshot stores the state, where so many entries came since the last time
// that folding them again would be felt at the next start, and that what a
// snapshot costs is small for each of them.
func (a *Actor) snapshot(each int) {
	m := a.Machine()
	if a.unsnapped < each || m.State.Active() == nil || a.unsnapped < m.State.Chains().Len()/snapshotShare {
		return
	}
	a.unsnapped = 0
	var batches []port.Batch
	var next coordinator.Snapshots
	err := group.Contained(func() (err error) { batches, next, err = a.snaps.Batches(*m); return err })
	a.logFault("snapshot", err)
	for _, b := range batches {
		if err == nil {
			err = a.commit(b)
		}
	}
	if err == nil {
		a.snaps = next
	} else {
		a.snaps = a.snaps.Failed(len(batches))
		a.ports.Log.Warn("store a snapshot; the next start takes longer", "wallet", a.group.String()[:8], "error", err)
	}
}

func (a *Actor) startAgain() {
	select {
	case <-a.ctx.Done():
	case <-time.After(followRetry):
		a.tell(coordinator.Started{})
	}
}

// take takes a message, and returns what answers it once the commit is done, or not.
func (a *Actor) take(t *coordinator.Turn, e envelope) func(commit error) {
	var value any
	var err error
	if e.unless != nil {
		err = group.Contained(func() error { return e.unless(t.Machine()) })
	}
	if err == nil {
		value, err = t.Take(e.msg)
	}
	if e.reply == nil {
		if err != nil && !port.IsReject(err) {
			var r *port.Outcome
			if !errors.As(err, &r) {
				a.ports.Log.Warn("wallet step failed", "wallet", a.group.String()[:8], "message", fmt.Sprintf("%T", e.msg), "error", err)
			}
		}
		return func(error) {}
	}
	return func(commit error) {
		if err == nil {
			err = commit
		}
		e.reply <- result{value, err}
	}
}

// shell is what a turn of this actor asks for.
func (a *Actor) shell() coordinator.Shell {
	sh := coordinator.Shell{
		Input: a.input, Fault: a.logFault,
		Sign: func(local coordinator.Local, spend *wallet.Spend) ([]wallet.Signature, error) {
			return a.ports.Signer.SignSpend(a.ctx, local.Script, local.Account, spend)
		},
		Claim: func(local coordinator.Local, claim port.KeyClaim) ([]byte, error) {
			return a.ports.Signer.SignClaim(a.ctx, local.Script, local.Account, claim)
		},
	}
	if d, ok := a.ports.Signer.(port.Detached); ok && d.Detached() {
		sh.Detached = a.guardFirst
		sh.May = func(local coordinator.Local, spend *wallet.Spend) error {
			return d.MaySign(a.ctx, local.Script, local.Account, spend)
		}
	}
	return sh
}

// input passes the time and entropy to a step.
func (a *Actor) input(msg coordinator.Message) (coordinator.Input, error) {
	in := coordinator.Input{Now: a.ports.Clock.Now(), Msg: msg}
	if !isEntry(msg) { // no rule of an entry asks for it, and many come at once
		in.ChainAge = a.ports.fresh.age(a.ports.Chain, in.Now)
		in.Policy = a.ports.Chain.Health().Policy
	}
	if err := a.ports.Clock.Entropy(in.Entropy[:]); err != nil {
		return in, fmt.Errorf("draw entropy: %w", err)
	}
	return in, nil
}

func (a *Actor) commit(b port.Batch) error {
	// Not the actor's context: a commit that began is waited for.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(a.ctx), commitTime)
	defer cancel()
	if err := a.ports.Store.Commit(ctx, b); err != nil {
		return fmt.Errorf("store: %w", err)
	}
	return nil
}
