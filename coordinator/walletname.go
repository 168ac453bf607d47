package coordinator

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/display"
	"github.com/quorate/quorate/journal"
)

// What a wallet is called is each node's own choice: its founder proposes a name
// in the entry that creates it, and no entry of anybody changes what a node calls
// it. A name must never lead to another wallet than the one it was given to.

// minIDPrefix is how many characters of an id name a wallet: a wallet's name
// must not look like that.
const minIDPrefix = 6

// Named sets what this node calls the wallet. Names says which are free.
type Named struct{ Name string }

// named takes a name that is free on this node.
func (s *step) named(x Named) error {
	if err := checkWalletName(x.Name); err != nil {
		return err
	}
	if s.m.local.Name != x.Name {
		s.m.local.Name = x.Name
		if err := s.put(recLocal, s.m.local); err != nil {
			return err
		}
		s.do(Tell{port.Notice{Type: "wallet", Group: s.m.State.Group(), Status: s.m.Phase()}})
	}
	s.do(Reply{})
	return nil
}

func checkWalletName(name string) error {
	err := event.CheckText("wallet name", name, event.MaxNameBytes, false)
	if err == nil {
		err = display.CheckName(name)
	}
	if err != nil {
		return fmt.Errorf("%w: wallet name %.70q: %w", ErrBadRequest, name, err)
	}
	if display.LooksLikeID(name, minIDPrefix) {
		return refuse(RuleBadName, "the wallet name %q looks like an id", name).hint("choose one that has other characters than 0-9 and a-f")
	}
	return nil
}

// Name returns what this node calls the wallet; as its founder named it until
// this node has taken that name or another, "" before a joiner has read it.
func (m *Machine) Name() string {
	if m.local.Name != "" {
		return m.local.Name
	}
	return m.State.Name()
}

// NamedHere says whether the name is this node's own, so that it leads here.
func (m *Machine) NamedHere(name string) bool { return m.local.Name == name && name != "" }

// FounderName returns what the founder calls the wallet by now, where that is
// not what this node calls it; else "".
func (m *Machine) FounderName() string {
	if n := m.State.Renamed(); n != m.Name() {
		return n
	}
	return ""
}

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
	if err := checkWalletName(name); err != nil {
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.taken(g, name) {
		return refuse(RuleNameTaken, "this node has a wallet named %q, or one whose name looks like it", name).hint("choose another name")
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
	if checkWalletName(name) != nil {
		stem = "wallet"
	}
	for digits := 0; checkWalletName(name) != nil || n.unknown && digits == 0 || n.taken(g, name); digits += 8 {
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
func (a *Actor) callIt(t *Turn) {
	m := t.Machine()
	if m.State.Abandoned() {
		a.ports.names.hold(a.group, "") // its name is free again
		return
	}
	if m.local.Name != "" || m.State.Name() == "" {
		return
	}
	if name := a.ports.names.claim(a.group, m.State.Name()); name != "" {
		a.take(t, envelope{msg: Named{name}})
	}
}

// Rename changes what this node calls a wallet. It refuses a name that looks
// like that of another wallet of this node, or like an id.
func (n *Node) Rename(ctx context.Context, a *Actor, name string) error {
	old := a.Machine().Name()
	if err := n.ports.names.take(a.group, name); err != nil {
		return err
	}
	if _, err := a.Do(ctx, Named{name}); err != nil {
		n.ports.names.hold(a.group, old)
		return err
	}
	return nil
}
