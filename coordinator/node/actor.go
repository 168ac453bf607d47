package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/coordinator/robot"
	"github.com/quorate/quorate/journal"
)

// Sizes and times of an actor.
const (
	// mailbox bounds what waits for an actor; senders wait beyond it.
	mailbox = 256
	// tickEvery is how often time passes for a machine.
	tickEvery = 2 * time.Second
	// snapshotEach and snapshotAtStop are how many entries make a snapshot
	// worth its while, running and when the actor stops.
	snapshotEach   = 4096
	snapshotAtStop = 256
	// snapshotShare: of a long history, a snapshot is made of each 16th part.
	snapshotShare = 16
	// commitTime bounds one commit of the store.
	commitTime = 30 * time.Second
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
	// Robot says whether the node is one.
	Robot robot.Mode
	// Ceiling is the text of what the robot's operator lays over each policy, or empty.
	Ceiling []byte

	names *walletNames // of the node's wallets; nil for an actor alone
	fresh *freshness   // of the chain, which they share; nil for an actor alone
}

// Actor is the goroutine around one Machine: it feeds Step, makes its batches
// durable, and executes the effects. Readers take Machine, an immutable value.
type Actor struct {
	ports   Ports
	group   journal.GroupID
	inbox   chan envelope
	current atomic.Pointer[coordinator.Machine]
	ctx     context.Context
	stop    context.CancelFunc
	done    sync.WaitGroup

	turned    atomic.Pointer[time.Time] // when the loop last came round
	quota     *Quota
	faults    faults
	takers    takers
	unsnapped int // entries since the last snapshot; of the actor's goroutine
	snaps     coordinator.Snapshots

	mu       sync.Mutex
	follower port.Follower // of the running stream, or nil
	watches  uint64        // calls of its Watch
}

// envelope is a message with the place for its answer.
type envelope struct {
	msg   coordinator.Message
	reply chan result // nil when nobody waits; else of capacity 1
	// unless, where there is one, is asked in the turn that takes the message, and
	// refuses it with an error.
	unless func(coordinator.Machine) error
}

type result struct {
	value any
	err   error
}

// NewActor starts an actor for a machine that is durable already.
func NewActor(ctx context.Context, ports Ports, m coordinator.Machine) *Actor {
	ctx, stop := context.WithCancel(ctx)
	if ports.names == nil {
		ports.names = newWalletNames()
	}
	if ports.fresh == nil {
		ports.fresh = &freshness{}
	}
	if !m.State.Abandoned() {
		ports.names.hold(m.State.Group(), m.OwnName())
	}
	m = m.AsRobot(ports.Robot, ports.Ceiling)
	if err := m.CeilingFits(); err != nil {
		ports.Log.Error("the robot signs nothing in this wallet: its ceiling does not fit", "wallet", m.State.Group().String()[:8], "error", err)
	}
	a := &Actor{ports: ports, group: m.State.Group(), inbox: make(chan envelope, mailbox), ctx: ctx, stop: stop, quota: NewQuota(coordinator.QuotaEntries), snaps: m.Snapshots()}
	a.current.Store(&m)
	a.turns()
	a.inbox <- envelope{msg: coordinator.Started{}}
	a.done.Add(1)
	go a.run()
	return a
}

// Machine returns the machine as of the last durable step.
func (a *Actor) Machine() *coordinator.Machine { return a.current.Load() }

// Group returns the actor's group.
func (a *Actor) Group() journal.GroupID { return a.group }

// Close stops the actor and waits for it.
func (a *Actor) Close() {
	a.stop()
	a.done.Wait()
}

// Do sends a command and waits for its answer, which comes once it is durable.
func Do[A any](ctx context.Context, a *Actor, cmd coordinator.Command[A]) (A, error) {
	return answerOf(cmd, func() (any, error) { return a.do(ctx, cmd) })
}

// DoUnless is Do, and refuses the command with the error that unless returns of the
// machine that the command would meet: nothing comes in between. It must not ask the
// actor, nor take long.
func DoUnless[A any](ctx context.Context, a *Actor, cmd coordinator.Command[A], unless func(coordinator.Machine) error) (A, error) {
	return answerOf(cmd, func() (any, error) {
		e, err := a.put(ctx, envelope{msg: cmd, unless: unless})
		if err != nil {
			return nil, err
		}
		return a.await(ctx, e)
	})
}

func answerOf[A any](cmd coordinator.Command[A], ask func() (any, error)) (A, error) {
	var out A
	v, err := ask()
	if err != nil {
		return out, err
	}
	out, ok := v.(A)
	if _, none := any(out).(coordinator.Done); !ok && !none {
		return out, fmt.Errorf("%w: no answer to %T", group.ErrFault, cmd)
	}
	return out, nil
}

func (a *Actor) do(ctx context.Context, msg coordinator.Message) (any, error) {
	if p, ok := msg.(coordinator.Propose); ok && !p.Unsigned && a.detached() && !a.Machine().External() {
		return a.proposeFirst(ctx, p)
	}
	return a.ask(ctx, msg)
}

func (a *Actor) ask(ctx context.Context, msg coordinator.Message) (any, error) {
	e, err := a.send(ctx, msg)
	if err != nil {
		return nil, err
	}
	return a.await(ctx, e)
}

// send puts a message in line; await waits for its answer.
func (a *Actor) send(ctx context.Context, msg coordinator.Message) (*envelope, error) {
	return a.put(ctx, envelope{msg: msg})
}

func (a *Actor) put(ctx context.Context, e envelope) (*envelope, error) {
	e.reply = make(chan result, 1)
	select {
	case a.inbox <- e:
		return &e, nil
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
func (a *Actor) tell(msg coordinator.Message) {
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
		a.turns()
		select {
		case <-a.ctx.Done():
			a.snapshot(snapshotAtStop)
			return
		case e := <-a.inbox:
			a.handle(e)
		case <-ticker.C:
			a.handle(envelope{msg: coordinator.Tick{Online: a.online()}})
		}
	}
}

// turns notes that the loop came round.
func (a *Actor) turns() {
	now := time.Now()
	a.turned.Store(&now)
}

// Still is for how long the actor has been at one thing. Its loop comes round at least
// at every tick, so that it is more than one is a disk, a signer or a program that hangs.
func (a *Actor) Still() time.Duration { return time.Since(*a.turned.Load()) }

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
