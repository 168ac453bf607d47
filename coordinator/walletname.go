package coordinator

import (
	"fmt"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/display"
)

// What a wallet is called is each node's own choice: its founder proposes a name
// in the entry that creates it, and no entry of anybody changes what a node calls
// it. A name must never lead to another wallet than the one it was given to.

// minIDPrefix is how many characters of an id name a wallet: a wallet's name
// must not look like that.
const minIDPrefix = 6

// Named sets what this node calls the wallet. A node says which are free: see node.Node.Rename.
type Named struct{ Name string }

// named takes a name that is free on this node.
func (s *step) named(x Named) error {
	if err := CheckWalletName(x.Name); err != nil {
		return err
	}
	if s.m.local.Name != x.Name {
		s.m.local.Name = x.Name
		if err := s.put(recLocal, s.m.local); err != nil {
			return err
		}
		s.do(Tell{port.Notice{Type: "wallet", Group: s.m.State.Group(), Status: s.m.Phase()}})
	}
	answer(s, x, Done{})
	return nil
}

// CheckWalletName refuses what can be no name of a wallet.
func CheckWalletName(name string) error {
	err := event.CheckText("wallet name", name, event.MaxNameBytes, false)
	if err == nil {
		err = display.CheckName(name)
	}
	if err != nil {
		return fmt.Errorf("%w: wallet name %.70q: %w", refusal.ErrBadRequest, name, err)
	}
	if display.LooksLikeID(name, minIDPrefix) {
		return refusal.New(refusal.BadName, "the wallet name %q looks like an id", name).WithHint("choose one that has other characters than 0-9 and a-f")
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

// OwnName returns the name that this node itself gave the wallet, "" before it did.
func (m *Machine) OwnName() string { return m.local.Name }

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
