package node

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"runtime/debug"
	"slices"

	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/wallet"
)

// FailedWallet is a wallet that is stored and could not be opened. Nothing of it
// is written, served or signed until the node is started again; what is stored
// stays, and is in backups.
type FailedWallet struct {
	Group journal.GroupID
	// Name is what this node calls it, "" where that cannot be read either.
	Name string
	Err  error

	local *coordinator.Local // nil where it cannot be read
}

// Failed returns the wallets that could not be opened, by group.
func (n *Node) Failed() []FailedWallet {
	n.mu.Lock()
	defer n.mu.Unlock()
	out := make([]FailedWallet, 0, len(n.failed))
	for _, f := range n.failed {
		out = append(out, f)
	}
	slices.SortFunc(out, func(a, b FailedWallet) int { return bytes.Compare(a.Group[:], b.Group[:]) })
	return out
}

// notFailed refuses to begin a group that is stored already: its records would
// be written over.
func (n *Node) notFailed(g journal.GroupID) error {
	n.mu.Lock()
	f, ok := n.failed[g]
	n.mu.Unlock()
	if ok {
		return refusal.New(refusal.WalletFailed, "the wallet is on this node already, and could not be opened: %v", f.Err).
			WithHint("stop the node and run `quorate doctor`")
	}
	return nil
}

// load opens a stored wallet. A panic is an error: what one wallet holds must
// not keep the others from running.
func (n *Node) load(ctx context.Context, id journal.GroupID) (m coordinator.Machine, err error) {
	defer func() {
		if v := recover(); v != nil {
			n.ports.Log.Error("opening a wallet panicked", "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %v", v)
		}
	}()
	return coordinator.Load(ctx, n.ports.Store, n.self, id)
}

// hasFailed keeps a wallet that could not be opened, and what this node calls it:
// no other one gets its name meanwhile, nor may lead to where that led. mu is held.
func (n *Node) hasFailed(ctx context.Context, id journal.GroupID, err error) {
	local := n.stored(ctx, id)
	f := FailedWallet{Group: id, Err: err, local: local}
	if local != nil {
		f.Name = local.Name
	}
	n.failed[id] = f
	if f.Name == "" {
		n.ports.names.holdUnknown()
		return
	}
	n.ports.names.hold(id, f.Name)
}

// stored reads what this node keeps of a wallet for itself, without opening it, or
// returns nil.
func (n *Node) stored(ctx context.Context, id journal.GroupID) (local *coordinator.Local) {
	_ = group.Contained(func() error {
		l, err := coordinator.StoredLocal(ctx, n.ports.Store, id)
		if err == nil {
			local = &l
		}
		return err
	})
	return local
}

// FailedTwin returns a wallet that could not be opened and may be the one of a
// descriptor: by the descriptor that its group was founded around, else by this node's
// key in it; or, unless this node's key in the descriptor is a new one, because neither
// can be read. One that was put aside counts as little as one that is open.
func (n *Node) FailedTwin(ctx context.Context, d *wallet.Descriptor, newKey bool) (FailedWallet, bool) {
	for _, f := range n.Failed() {
		var g event.Genesis
		known := f.local != nil
		if known {
			var err error
			g, err = event.DecodeGenesis(f.local.Genesis)
			known = err == nil
		}
		switch {
		case !known && newKey, f.local != nil && f.local.Archived:
		case !known || n.mayBe(ctx, *f.local, g, d):
			return f, true
		}
	}
	return FailedWallet{}, false
}

func (n *Node) mayBe(ctx context.Context, l coordinator.Local, g event.Genesis, d *wallet.Descriptor) bool {
	existing, err := g.Existing()
	if err != nil || existing != nil {
		return err != nil || existing.SharesScripts(d)
	}
	if g.Threshold != d.Threshold() || g.Cosigners != len(d.Keys()) || g.Script != string(d.ScriptType()) {
		return false
	}
	own, err := n.keyIn(ctx, l)
	if err != nil {
		return true
	}
	for _, k := range d.Keys() {
		if b, err := k.AccountPublicKey(); err != nil || bytes.Equal(b, own) {
			return true
		}
	}
	return false
}

// keyIn is the public key of this node in a wallet.
func (n *Node) keyIn(ctx context.Context, l coordinator.Local) ([]byte, error) {
	var key wallet.Key
	var err error
	if text := cmp.Or(l.External, l.Key); text != "" {
		key, err = wallet.ParseKey(text, n.network)
	} else {
		key, err = n.ports.Signer.AccountKey(ctx, l.Script, l.Account)
	}
	if err != nil {
		return nil, err
	}
	return key.AccountPublicKey()
}
