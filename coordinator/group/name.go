package group

import (
	"fmt"
	"strings"

	"github.com/btcsuite/btcd/address/v2/base58"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/display"
	"github.com/quorate/quorate/journal"
)

// shortID is how many characters of a peer id stand beside a name: 70 bits, which
// nobody finds another key for. All peer ids begin alike, so they are the last.
const shortID = 12

func CheckPerson(name string) error {
	if err := display.CheckName(name); err != nil {
		return err
	}
	if strings.Contains(name, "12D3KooW") {
		return fmt.Errorf("%w: it looks like a peer id", event.ErrEvent)
	}
	if strings.Contains(display.Fold(name), "(...") {
		return fmt.Errorf("%w: it looks like a name with a peer id beside it", event.ErrEvent)
	}
	return nil
}

// Called returns the member's name as it is shown everywhere: with part of its
// peer id where another member's name looks like it, or where it cannot be told.
func (m Member) Called() string {
	if !m.ambiguous {
		return m.Name
	}
	id := m.ID()
	if id == "" {
		return fmt.Sprintf("%s (key …%s)", display.Line(m.Name), lastChars(m.Key.XPub))
	}
	return fmt.Sprintf("%s (…%s)", display.Line(m.Name), lastChars(id))
}

func lastChars(s string) string { return s[max(0, len(s)-shortID):] }

// ID returns the member's peer id, or "" for one without a node.
func (m Member) ID() string {
	who := m.Identity
	if who == (journal.Author{}) {
		who = m.Original // its replacement is contested
	}
	if who == (journal.Author{}) {
		return ""
	}
	return peerIDText(who)
}

// peerIDText is the libp2p peer id of an Ed25519 key: the identity multihash of
// its protobuf form.
func peerIDText(a journal.Author) string {
	return base58.Encode(append([]byte{0x00, 0x24, 0x08, 0x01, 0x12, 0x20}, a[:]...))
}

// fullName names a member beyond doubt.
func (m Member) FullName() string {
	if id := m.ID(); id != "" {
		return fmt.Sprintf("%q (%s)", display.Line(m.Name), id)
	}
	return fmt.Sprintf("%q (no node; key %s)", display.Line(m.Name), m.Key.XPub)
}

// markNames marks the members whose names do not tell who they are.
func MarkNames(members []Member) {
	folds := make([]string, len(members))
	for i, m := range members {
		folds[i] = display.Fold(m.Name)
	}
	for i := range members {
		members[i].ambiguous = CheckPerson(members[i].Name) != nil
		for j := range members {
			if i != j && display.AlikeFolds(folds[i], folds[j]) {
				members[i].ambiguous = true
			}
		}
	}
}
