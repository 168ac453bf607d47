package node

import (
	"bytes"
	"context"
	"fmt"
	"runtime/debug"
	"slices"

	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/journal"
)

// FailedWallet is a wallet that is stored and could not be opened. Nothing of it
// is written, served or signed until the node is started again; what is stored
// stays, and is in backups.
type FailedWallet struct {
	Group journal.GroupID
	// Name is what this node calls it, "" where that cannot be read either.
	Name string
	Err  error
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
	name := n.storedName(ctx, id)
	n.failed[id] = FailedWallet{Group: id, Name: name, Err: err}
	if name == "" {
		n.ports.names.holdUnknown()
		return
	}
	n.ports.names.hold(id, name)
}

// storedName reads what this node calls a wallet, without opening it, or returns "".
func (n *Node) storedName(ctx context.Context, id journal.GroupID) string {
	var name string
	_ = group.Contained(func() (err error) { name, err = coordinator.StoredName(ctx, n.ports.Store, id); return err })
	return name
}
