package coordinator

import (
	"bytes"
	"context"
	"fmt"
	"runtime/debug"
	"slices"

	"github.com/quorate/quorate/journal"
)

// RuleWalletFailed refuses what is asked of a wallet that could not be opened.
const RuleWalletFailed = "wallet_failed"

// FailedWallet is a wallet that is stored and could not be opened. Nothing of it
// is written, served or signed until the node is started again; what is stored
// stays, and is in backups.
type FailedWallet struct {
	Group journal.GroupID
	Err   error
}

// Failed returns the wallets that could not be opened, by group.
func (n *Node) Failed() []FailedWallet {
	n.mu.Lock()
	defer n.mu.Unlock()
	out := make([]FailedWallet, 0, len(n.failed))
	for g, err := range n.failed {
		out = append(out, FailedWallet{g, err})
	}
	slices.SortFunc(out, func(a, b FailedWallet) int { return bytes.Compare(a.Group[:], b.Group[:]) })
	return out
}

// notFailed refuses to begin a group that is stored already: its records would
// be written over.
func (n *Node) notFailed(g journal.GroupID) error {
	if err, ok := n.failed[g]; ok {
		return refuse(RuleWalletFailed, "the wallet is on this node already, and could not be opened: %v", err).
			hint("stop the node and run `quorate doctor`")
	}
	return nil
}

// load opens a stored wallet. A panic is an error: what one wallet holds must
// not keep the others from running.
func (n *Node) load(ctx context.Context, id journal.GroupID) (m Machine, err error) {
	defer func() {
		if v := recover(); v != nil {
			n.ports.Log.Error("opening a wallet panicked", "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %v", v)
		}
	}()
	return Load(ctx, n.ports.Store, n.self, id)
}
