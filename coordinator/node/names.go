package node

import (
	"context"
	"strings"
	"sync"

	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/display"
	"github.com/quorate/quorate/journal"
)

// walletNames is what a node calls its wallets: no two names look alike. It may
// be used concurrently.
type walletNames struct {
	mu       sync.Mutex
	complete bool // all wallets of the node are in
	unknown  bool // what one of them is called cannot be read
	of       map[journal.GroupID]string
}

func newWalletNames() *walletNames { return &walletNames{of: map[journal.GroupID]string{}} }

// hold notes what a wallet is called, "" for one that needs its name no more.
func (n *walletNames) hold(g journal.GroupID, name string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if name == "" {
		delete(n.of, g)
		return
	}
	n.of[g] = name
}

// holdUnknown notes that there is a wallet whose name cannot be read: it may be
// any that a founder proposes.
func (n *walletNames) holdUnknown() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.unknown = true
}

// completed says that all wallets are in: from here on names are given out.
func (n *walletNames) completed() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.complete = true
}

func (n *walletNames) taken(g journal.GroupID, name string) bool {
	like := display.Fold(name)
	for other, have := range n.of {
		if other != g && display.AlikeFolds(display.Fold(have), like) {
			return true
		}
	}
	return false
}

// take gives a wallet a name, or says that another one's looks like it.
func (n *walletNames) take(g journal.GroupID, name string) error {
	if err := coordinator.CheckWalletName(name); err != nil {
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.taken(g, name) {
		return refusal.New(refusal.NameTaken, "this node has a wallet named %q, or one whose name looks like it", name).WithHint("choose another name")
	}
	n.of[g] = name
	return nil
}

// claim gives a wallet the name that its founder proposes or, where that is
// taken on this node, may be, or is no fit name, one with the start of its id. It
// returns "" while not all wallets are known.
func (n *walletNames) claim(g journal.GroupID, name string) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.complete {
		return ""
	}
	id := g.String()
	stem := name
	if coordinator.CheckWalletName(name) != nil {
		stem = "wallet"
	}
	for digits := 0; coordinator.CheckWalletName(name) != nil || n.unknown && digits == 0 || n.taken(g, name); digits += 8 {
		part := id[:min(digits+8, 40)]
		name = strings.TrimSpace(cutBytes(stem, event.MaxNameBytes-1-len(part))) + "-" + part
		if digits > 40 {
			break // 160 bits of the id: only who found a collision gets here
		}
	}
	n.of[g] = name
	return name
}

// cutBytes returns the start of a text, of at most so many bytes.
func cutBytes(s string, most int) string {
	s = s[:min(len(s), most)]
	return strings.ToValidUTF8(s, "")
}

// callIt gives the wallet a name once its founder's is known, in the commit that
// brings that.
func (a *Actor) callIt(t *coordinator.Turn) {
	m := t.Machine()
	if m.State.Abandoned() {
		a.ports.names.hold(a.group, "") // its name is free again
		return
	}
	if m.OwnName() != "" || m.State.Name() == "" {
		return
	}
	if name := a.ports.names.claim(a.group, m.State.Name()); name != "" {
		a.take(t, envelope{msg: coordinator.Named{Name: name}})
	}
}

// Rename changes what this node calls a wallet. It refuses a name that looks
// like that of another wallet of this node, or like an id.
func (n *Node) Rename(ctx context.Context, a *Actor, name string) error {
	old := a.Machine().Name()
	if err := n.ports.names.take(a.group, name); err != nil {
		return err
	}
	if _, err := Do(ctx, a, coordinator.Named{Name: name}); err != nil {
		n.ports.names.hold(a.group, old)
		return err
	}
	return nil
}
