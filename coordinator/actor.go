package coordinator

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/wallet"
)

// ErrStopped is returned for a wallet whose actor has stopped.
var ErrStopped = errors.New("the wallet is closed on this node")

// Ports are what an actor executes effects on.
type Ports struct {
	Store     port.Store
	Transport port.Transport
	Chain     port.Chain
	Signer    port.Signer
	Clock     port.Clock
	Observer  port.Observer
	Log       *slog.Logger

	names *walletNames // of the node's wallets; nil for an actor alone
}

// Actor is the goroutine around one Machine: it feeds Step, makes its batches
// durable, and executes the effects. Readers take Machine, an immutable value.
type Actor struct {
	ports   Ports
	group   journal.GroupID
	inbox   chan envelope
	current atomic.Pointer[Machine]
	ctx     context.Context
	stop    context.CancelFunc
	done    sync.WaitGroup

	quota     *quota
	faults    faults
	takers    takers
	unsnapped int // entries since the last snapshot; of the actor's goroutine
	snaps     snapshotPlace

	mu       sync.Mutex
	follower port.Follower // of the running stream, or nil
	watches  uint64        // calls of its Watch
}

// envelope is a message with the place for its answer.
type envelope struct {
	msg   Message
	reply chan result // nil when nobody waits; else of capacity 1
}

type result struct {
	value any
	err   error
}

// NewActor starts an actor for a machine that is durable already.
func NewActor(ctx context.Context, ports Ports, m Machine) *Actor {
	ctx, stop := context.WithCancel(ctx)
	if ports.names == nil {
		ports.names = newWalletNames()
	}
	if !m.State.Abandoned() {
		ports.names.hold(m.State.Group(), m.local.Name)
	}
	a := &Actor{ports: ports, group: m.State.Group(), inbox: make(chan envelope, mailbox), ctx: ctx, stop: stop, quota: newQuota(), snaps: m.snaps}
	a.current.Store(&m)
	a.inbox <- envelope{msg: Started{}}
	a.done.Add(1)
	go a.run()
	return a
}

// Machine returns the machine as of the last durable step.
func (a *Actor) Machine() *Machine { return a.current.Load() }

// Group returns the actor's group.
func (a *Actor) Group() journal.GroupID { return a.group }

// Close stops the actor and waits for it.
func (a *Actor) Close() {
	a.stop()
	a.done.Wait()
}

// Do sends a command and waits for its answer, which comes once it is durable.
func Do[A any](ctx context.Context, a *Actor, cmd Command[A]) (A, error) {
	var out A
	v, err := a.do(ctx, cmd)
	if err != nil {
		return out, err
	}
	out, ok := v.(A)
	if _, none := any(out).(Done); !ok && !none {
		return out, fmt.Errorf("%w: no answer to %T", group.ErrFault, cmd)
	}
	return out, nil
}

func (a *Actor) do(ctx context.Context, msg Message) (any, error) {
	if p, ok := msg.(Propose); ok && !p.Unsigned && a.detached() && !a.Machine().External() {
		return a.proposeFirst(ctx, p)
	}
	return a.ask(ctx, msg)
}

func (a *Actor) ask(ctx context.Context, msg Message) (any, error) {
	e, err := a.send(ctx, msg)
	if err != nil {
		return nil, err
	}
	return a.await(ctx, e)
}

// send puts a message in line; await waits for its answer.
func (a *Actor) send(ctx context.Context, msg Message) (*envelope, error) {
	e := &envelope{msg: msg, reply: make(chan result, 1)}
	select {
	case a.inbox <- *e:
		return e, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for the wallet: %w", context.Cause(ctx))
	case <-a.ctx.Done():
		return nil, ErrStopped
	}
}

func (a *Actor) await(ctx context.Context, e *envelope) (any, error) {
	select {
	case r := <-e.reply:
		return r.value, r.err
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for the wallet: %w", context.Cause(ctx))
	case <-a.ctx.Done():
		return nil, ErrStopped
	}
}

// tell sends a message without waiting for its answer.
func (a *Actor) tell(msg Message) {
	select {
	case a.inbox <- envelope{msg: msg}:
	case <-a.ctx.Done():
	}
}

func (a *Actor) run() {
	defer a.done.Done()
	ticker := time.NewTicker(tickEvery)
	defer ticker.Stop()
	for {
		select {
		case <-a.ctx.Done():
			a.snapshot(snapshotAtStop)
			return
		case e := <-a.inbox:
			a.handle(e)
		case <-ticker.C:
			a.handle(envelope{msg: Tick{Online: a.online()}})
		}
	}
}

// handle steps through a message, and through entries waiting behind it: they
// share one synced commit. When the commit fails the machine stays as it was.
func (a *Actor) handle(first envelope) {
	t := NewTurn(*a.current.Load(), a.shell())
	replies := []func(error){a.take(t, first)}
	for n := 1; n < together && isEntry(first.msg); n++ {
		select {
		case e := <-a.inbox:
			replies = append(replies, a.take(t, e))
			if !isEntry(e.msg) {
				n = together
			}
			continue
		default:
		}
		break
	}
	a.callIt(t)
	err := t.Finish(a.commit, func(m Machine) {
		a.current.Store(&m)
		a.unsnapped += t.Entries()
	}, func(e Effect) {
		a.logFault("effect", group.Contained(func() error { a.execute(e); return nil }))
	})
	for _, r := range replies {
		r(err)
	}
	if err != nil {
		if _, ok := first.msg.(Started); ok {
			// What is final must be broadcast again, as soon as the disk allows.
			a.done.Go(func() { a.startAgain() })
		}
		return
	}
	a.snapshot(snapshotEach)
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
	var next snapshotPlace
	err := group.Contained(func() (err error) { batches, next, err = a.snaps.batches(*m, snapshotPart); return err })
	a.logFault("snapshot", err)
	for _, b := range batches {
		if err == nil {
			err = a.commit(b)
		}
	}
	if err == nil {
		a.snaps = next
	} else {
		// What was written of it is overwritten, or taken away, by the next one.
		a.snaps.parts[a.snaps.next] = max(a.snaps.parts[a.snaps.next], len(batches))
		a.ports.Log.Warn("store a snapshot; the next start takes longer", "wallet", a.group.String()[:8], "error", err)
	}
}

func (a *Actor) startAgain() {
	select {
	case <-a.ctx.Done():
	case <-time.After(followRetry):
		a.tell(Started{})
	}
}

// take takes a message, and returns what answers it once the commit is done, or not.
func (a *Actor) take(t *Turn, e envelope) func(commit error) {
	value, err := t.Take(e.msg)
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
func (a *Actor) shell() Shell {
	sh := Shell{
		Input: a.input, Fault: a.logFault,
		Sign: func(local Local, spend *wallet.Spend) ([]wallet.Signature, error) {
			return a.ports.Signer.SignSpend(a.ctx, local.Script, local.Account, spend)
		},
	}
	if a.detached() {
		sh.Detached = a.guardFirst
	}
	return sh
}

// input passes the time and entropy to a step.
func (a *Actor) input(msg Message) (Input, error) {
	in := Input{Now: a.ports.Clock.Now(), Msg: msg}
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

func (a *Actor) online() []journal.Author {
	m := a.Machine()
	members := map[journal.Author]bool{}
	for _, x := range m.State.Members() {
		members[x] = true
	}
	var out []journal.Author
	for _, p := range a.ports.Transport.Peers() {
		if p.Connected && members[p.Peer] {
			out = append(out, p.Peer)
		}
	}
	return out
}

// rekey gives a wallet that this node is in already another external key, where
// one is given.
func (a *Actor) rekey(ctx context.Context, external string) error {
	if external == "" {
		return nil
	}
	_, err := Do(ctx, a, ChangeKey{external})
	return err
}
