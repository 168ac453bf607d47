package node

import (
	"context"
	"fmt"

	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/wallet"
)

// Founding is what a new wallet is to be.
type Founding struct {
	Name                 string
	Threshold, Cosigners int
	Script               wallet.ScriptType
	// Addresses of this node, for its invites.
	Addresses []string
	// Descriptor is that of an existing wallet, or nil; it then says threshold,
	// keys and script. Birthday is the height before which it was not paid.
	Descriptor *wallet.Descriptor
	Birthday   int32
	// External is this node's key with its origin, where its private part lives
	// elsewhere; else empty. Allow may name key_origin, for an unusual origin.
	External string
	Allow    []string
}

// Create founds a wallet and returns its first invites. With an external key
// this node's own place waits for Prove.
func (n *Node) Create(ctx context.Context, f Founding) (*Actor, []port.Invite, error) {
	ctx, done, err := n.enter(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("create wallet: %w", err)
	}
	defer done()
	if err := coordinator.CheckName(n.name); err != nil {
		return nil, nil, fmt.Errorf("create wallet: %w", err)
	}
	founding := journal.GroupID{} // no wallet's id: the name is kept for the one to come
	if err := n.ports.names.take(founding, f.Name); err != nil {
		return nil, nil, fmt.Errorf("create wallet: %w", err)
	}
	defer n.ports.names.hold(founding, "")
	g := event.Genesis{Threshold: f.Threshold, Cosigners: f.Cosigners, Script: string(f.Script), Network: string(n.network)}
	if d := f.Descriptor; d != nil {
		g.Threshold, g.Cosigners, g.Script = d.Threshold(), len(d.Keys()), string(d.ScriptType())
		g.Descriptor, g.Birthday = d.String(), f.Birthday
	}
	if err := g.Check(); err != nil {
		return nil, nil, err
	}
	ck, err := n.cosignerKey(ctx, g, f.External, f.Allow)
	if err != nil {
		return nil, nil, err
	}
	in, err := n.input()
	if err != nil {
		return nil, nil, err
	}
	m, invites, effects, err := coordinator.Found(n.self, in, g, f.Name, n.name, ck, n.birthdayOf(ctx, g), f.Addresses, in.Now.Add(coordinator.InviteLife))
	if err != nil {
		return nil, nil, fmt.Errorf("create wallet: %w", err)
	}
	a, err := n.begin(ctx, m, effects)
	return a, invites, err
}

// begin makes a new group durable, first its name in the list, and starts it.
func (n *Node) begin(ctx context.Context, m coordinator.Machine, effects []coordinator.Effect) (*Actor, error) {
	if err := n.notFailed(m.State.Group()); err != nil {
		return nil, err
	}
	list := port.Batch{Puts: map[string][]byte{recGroup + m.State.Group().String(): {1}}}
	if err := n.ports.Store.Commit(ctx, list); err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	for _, e := range effects {
		if p, ok := e.(coordinator.Persist); ok {
			if err := n.ports.Store.Commit(ctx, p.Batch); err != nil {
				return nil, fmt.Errorf("store: %w", err)
			}
		}
	}
	a := NewActor(n.ctx, n.ports, m.Unlinked())
	n.mu.Lock()
	defer n.mu.Unlock()
	n.actors[a.group] = a
	return a, nil
}

func (n *Node) input() (coordinator.Input, error) {
	in := coordinator.Input{Now: n.ports.Clock.Now()}
	if err := n.ports.Clock.Entropy(in.Entropy[:]); err != nil {
		return in, fmt.Errorf("draw entropy: %w", err)
	}
	return in, nil
}
