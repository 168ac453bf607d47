package group

import (
	"fmt"
	"strings"

	"github.com/btcsuite/btcd/address/v2/base58"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/display"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/wallet"
)

// Member is a cosigner of a closed roster.
type Member struct {
	Identity journal.Author
	Name     string
	Sealing  [32]byte
	Key      wallet.Key
	// Proof is how the key was shown to be held by somebody.
	Proof  event.ProofKind
	Record journal.EntryID
	// Index is the position of the member's key in the descriptor.
	Index int
	// Original and FirstSealing are those of the roster: Identity and Sealing
	// are others once the member was replaced, and Identity is zero while its
	// replacement is contested.
	Original     journal.Author
	FirstSealing [32]byte
	// Host is the identity that entered the record of a cosigner without a node,
	// whose Identity, Original and sealing keys are zero; else it is zero.
	Host journal.Author
	// ambiguous: the name does not tell who it is (see Called).
	ambiguous bool
}

// Hosted says whether the member has no node of its own.
func (m Member) Hosted() bool { return m.Host != (journal.Author{}) }

// author is the identity that wrote the member's record, reveal and ratification.
func (m Member) author() journal.Author {
	if m.Hosted() {
		return m.Host
	}
	return m.Original
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

// fullName names a member beyond doubt.
func (m Member) FullName() string {
	if id := m.ID(); id != "" {
		return fmt.Sprintf("%q (%s)", display.Line(m.Name), id)
	}
	return fmt.Sprintf("%q (no node; key %s)", display.Line(m.Name), m.Key.XPub)
}

// shortID is how many characters of a peer id stand beside a name: 70 bits, which
// nobody finds another key for. All peer ids begin alike, so they are the last.
const shortID = 12

func lastChars(s string) string { return s[max(0, len(s)-shortID):] }

// peerIDText is the libp2p peer id of an Ed25519 key: the identity multihash of
// its protobuf form.
func peerIDText(a journal.Author) string {
	return base58.Encode(append([]byte{0x00, 0x24, 0x08, 0x01, 0x12, 0x20}, a[:]...))
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
