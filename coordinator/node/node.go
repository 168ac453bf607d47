package node

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/wallet"
)

// Node is all wallets of this node: it opens them, founds and joins further
// ones, and answers strangers at the door.
type Node struct {
	ports   Ports
	self    *group.Self
	network wallet.Network
	name    string
	ctx     context.Context
	stop    context.CancelFunc

	trimming sync.WaitGroup // of the outbox

	// entering is held, by sending to it, by whoever founds or enters a wallet: one at a
	// time. That asks the signer, the chain and the disk, which may take their time.
	entering chan struct{}

	accounts sync.Mutex // held from reading the number of the next account until it is written

	mu     sync.Mutex // guards actors and failed; held for longer while they are opened only
	actors map[journal.GroupID]*Actor
	failed map[journal.GroupID]FailedWallet // stored, and not opened
}

// New returns a node without wallets; Open opens those that are stored.
// The transport may be set later, with SetTransport, but before Open: the two need each other.
func New(ctx context.Context, ports Ports, self *group.Self, network wallet.Network, name string) *Node {
	ctx, stop := context.WithCancel(ctx)
	ports.names, ports.fresh = newWalletNames(), &freshness{}
	own, told := *self, &faults{}
	own.Fault = func(err error) { told.log(ports.Log, err) }
	self = &own
	return &Node{
		ports: ports, self: self, network: network, name: name, ctx: ctx, stop: stop,
		entering: make(chan struct{}, 1), actors: map[journal.GroupID]*Actor{}, failed: map[journal.GroupID]FailedWallet{},
	}
}

// SetTransport completes the ports.
func (n *Node) SetTransport(t port.Transport) { n.ports.Transport = t }

// Open starts every wallet that is stored. One that cannot be opened keeps none
// of the others from running: see Failed.
func (n *Node) Open(ctx context.Context) error {
	// Who asks meanwhile waits: a stranger must not hear that a wallet is not here.
	n.mu.Lock()
	defer n.mu.Unlock()
	recs, err := n.ports.Store.Records(ctx, journal.GroupID{}, recGroup)
	if err != nil {
		return fmt.Errorf("read the list of wallets: %w", err)
	}
	defer n.ports.names.completed()
	for k := range recs {
		var id journal.GroupID
		if err := id.UnmarshalText([]byte(strings.TrimPrefix(k, recGroup))); err != nil {
			return fmt.Errorf("read the list of wallets: %w", err)
		}
		m, err := n.load(ctx, id)
		if errors.Is(err, coordinator.ErrNoGroup) {
			continue // the node died between naming it and founding it: nothing was acknowledged
		}
		if ctx.Err() != nil {
			return fmt.Errorf("open wallets: %w", ctx.Err())
		}
		if err != nil {
			n.hasFailed(ctx, id, err)
			n.ports.Log.Error("a wallet could not be opened; the others run", "error", err)
			n.ports.Log.Debug("a wallet could not be opened", "wallet", id)
			continue
		}
		n.actors[id] = NewActor(n.ctx, n.ports, m)
	}
	n.trimming.Go(n.trim)
	return nil
}

// Close stops all wallets. Who founds or enters one meanwhile gives up.
func (n *Node) Close() {
	n.stop()
	n.entering <- struct{}{}
	defer n.leave()
	for _, a := range n.Wallets() {
		a.Close()
	}
	n.trimming.Wait()
}

// enter waits for its turn to found or enter a wallet, and returns the context for
// that, which ends with the node too. The caller must call what it returns.
func (n *Node) enter(ctx context.Context) (context.Context, func(), error) {
	select {
	case n.entering <- struct{}{}:
	case <-ctx.Done():
		return nil, nil, fmt.Errorf("wait for another wallet that is made: %w", context.Cause(ctx))
	case <-n.ctx.Done():
		return nil, nil, ErrStopped
	}
	if n.ctx.Err() != nil {
		n.leave()
		return nil, nil, ErrStopped
	}
	ctx, cancel := context.WithCancel(ctx)
	release := context.AfterFunc(n.ctx, cancel)
	return ctx, func() {
		release()
		cancel()
		n.leave()
	}, nil
}

func (n *Node) leave() { <-n.entering }

// Wallets returns the open wallets, by group.
func (n *Node) Wallets() []*Actor {
	n.mu.Lock()
	defer n.mu.Unlock()
	out := make([]*Actor, 0, len(n.actors))
	for _, a := range n.actors {
		out = append(out, a)
	}
	slices.SortFunc(out, func(a, b *Actor) int { return slices.Compare(a.group[:], b.group[:]) })
	return out
}

// Stuck returns the open wallets that have been at one thing for longer than a time.
func (n *Node) Stuck(longer time.Duration) (out []*Actor) {
	for _, a := range n.Wallets() {
		if a.Still() > longer {
			out = append(out, a)
		}
	}
	return out
}

// Wallet returns an open wallet.
func (n *Node) Wallet(g journal.GroupID) (*Actor, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	a, ok := n.actors[g]
	return a, ok
}
