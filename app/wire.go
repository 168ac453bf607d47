package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/quorate/quorate/app/trace"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/node"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/coordinator/robot"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/p2p"
	"github.com/quorate/quorate/service"
	"github.com/quorate/quorate/signer"
	"github.com/quorate/quorate/store"
	"github.com/quorate/quorate/wallet"
)

// Secrets are what the keystore holds of a node.
type Secrets struct {
	Identity, Sealing [32]byte
	Seed              []byte // BIP39; nil where a signer process holds it, or nobody
}

// Parts are what Wire joins to a node.
type Parts struct {
	Name    string
	Network wallet.Network
	Version string
	Secrets Secrets
	// Signer is nil where the seed is in this process, or there is none.
	Signer *signer.Client
	Store  *store.Badger
	Chain  port.Chain
	P2P    p2p.Config // Identity, Book and Doorman are filled in
	// Traces is where spans of proposals are sent, if anywhere.
	Traces string
	// Robot says whether the node is one.
	Robot robot.Mode
	// Ceiling is the text of the robot's ceiling, or empty.
	Ceiling []byte
	Log     *slog.Logger
}

// Self are the secrets in the form in which the coordinator writes and reads with them.
func (s Secrets) Self() (*group.Self, error) {
	sealing, err := journal.NewSealingKey(s.Sealing)
	if err != nil {
		return nil, err
	}
	return &group.Self{Identity: journal.NewIdentity(s.Identity), Sealing: sealing, Verified: wallet.NewSigCache(signatureCache)}, nil
}

// Node is a running node. What the API asks of it, its service answers.
type Node struct {
	*service.Node
	parts Parts
	co    *node.Node
	net   *p2p.Node
	hub   *service.Hub
	watch *watch
	trace *trace.Book
	// broken is told when the store can no longer say what it holds.
	broken chan error
}

// Wire joins the parts: it is the one place where every port meets its
// implementation. The node owns the store from here on.
func Wire(ctx context.Context, p Parts) (*Node, error) {
	self, err := p.Secrets.Self()
	if err != nil {
		return nil, fmt.Errorf("load sealing key: %w", err)
	}
	n := &Node{parts: p, hub: service.NewHub(), broken: make(chan error, 1)}
	n.trace, err = trace.Open(trace.Options{Endpoint: p.Traces, Version: p.Version, Me: service.PeerID(self.Identity.Author()), Log: p.Log})
	if err != nil {
		return nil, fmt.Errorf("tell of traces: %w", err)
	}
	n.watch = newWatch(n)
	n.co = node.New(ctx, node.Ports{
		Store: watchedStore{p.Store, n.broken, n.watch.look}, Chain: n.trace.Chain(p.Chain), Signer: n.trace.Signer(p.keys()),
		Clock: systemClock{}, Observer: n.watch, Log: p.Log, Robot: p.Robot, Ceiling: p.Ceiling,
	}, self, p.Network, p.Name)
	p.P2P.Identity, p.P2P.Book, p.P2P.Doorman = self.Identity, &addressBook{store: p.Store}, n.co.Door()
	if n.net, err = p2p.New(ctx, p.P2P); err != nil {
		n.co.Close()
		n.trace.Close()
		return nil, fmt.Errorf("start the network: %w", err)
	}
	n.co.SetTransport(n.net)
	n.Node = service.New(service.Parts{
		Name: p.Name, Network: p.Network, Version: p.Version, Wallets: n.co, Chain: p.Chain,
		Net: host{n.net}, Hub: n.hub, Backup: n.backup, Own: n.own, Doctor: n.doctor, Log: p.Log,
	})
	if err := n.co.Open(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open wallets: %w", err), n.Close())
	}
	n.watch.begin()
	return n, nil
}

func (p Parts) keys() port.Signer {
	if p.Signer != nil {
		return p.Signer
	}
	if p.Secrets.Seed == nil {
		return signer.None{}
	}
	return signer.NewLocal(p.Secrets.Seed, p.Network)
}

// signatureCache is how many verified signatures are remembered: 32 bytes each.
const signatureCache = 1 << 16

// Close stops the node in order: first the wallets, so that nothing new is
// acknowledged, then the network, then the store.
func (n *Node) Close() error {
	n.watch.end()
	n.co.Close()
	n.trace.Close()
	err := n.net.Close()
	n.hub.Close()
	if n.parts.Signer != nil {
		n.parts.Signer.Close()
	}
	return errors.Join(err, n.parts.Store.Close())
}

// Coordinator gives the wallets of the node.
func (n *Node) Coordinator() *node.Node { return n.co }

// stopTime is how long an orderly stop may take before it counts as one that
// hangs. The database ends what it is at first: after a flood that can be some
// tables to be written, seconds each on a busy machine. It is below what
// packaging/quorate.service grants.
const stopTime = 25 * time.Second

// apiStopTime is how much of that the API may take.
const apiStopTime = 2 * time.Second
