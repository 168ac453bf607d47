package coordinator

import (
	"fmt"
	"slices"
	"strings"

	"github.com/btcsuite/btcd/address/v2/base58"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/display"
	"github.com/quorate/quorate/journal"
)

// A cosigner's name is what it writes of itself. A roster in which two names look
// alike, or one cannot be seen, is neither closed nor ratified here; in a wallet
// that has one, of an older version, such a member is shown with part of its peer
// id beside its name. No entry is judged by its names: all versions must agree on
// which entries are valid (decision 0027).

// shortID is how many characters of a peer id stand beside a name: 70 bits, which
// nobody finds another key for. All peer ids begin alike, so they are the last.
const shortID = 12

// CheckName returns ErrBadRequest for what can be no name of a cosigner.
func CheckName(name string) error {
	err := event.CheckText("name", name, event.MaxNameBytes, false)
	if err == nil {
		err = checkPerson(name)
	}
	if err != nil {
		return fmt.Errorf("%w: the cosigner's name %.70q: %w", ErrBadRequest, display.Line(name), err)
	}
	return nil
}

func checkPerson(name string) error {
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

// checkWritten refuses text of this node's own that could deceive who reads it.
// It is stricter than what makes an event valid, which no version may change.
// Names are checked where they are given (freeName, walletNames).
func checkWritten(body event.Body) error {
	var texts []string
	switch b := body.(type) {
	case *event.GroupAbandoned:
		texts = []string{b.Reason}
	case *event.ProposalCreated:
		texts = []string{b.Note}
		for _, o := range b.Outputs {
			texts = append(texts, o.Label)
		}
	case *event.ProposalRejected:
		texts = []string{b.Reason}
	case *event.LabelSet:
		texts = []string{b.Text}
	}
	for _, t := range texts {
		if err := display.Check(t); err != nil {
			return fmt.Errorf("%w: text %.70q: %w", ErrBadRequest, t, err)
		}
	}
	return nil
}

// alike says whether readers could take two names for each other.
func alike(a, b string) bool { return a == b || display.Alike(a, b) }

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
func (m Member) fullName() string {
	if id := m.ID(); id != "" {
		return fmt.Sprintf("%q (%s)", display.Line(m.Name), id)
	}
	return fmt.Sprintf("%q (no node; key %s)", display.Line(m.Name), m.Key.XPub)
}

// markNames marks the members whose names do not tell who they are.
func markNames(members []Member) {
	folds := make([]string, len(members))
	for i, m := range members {
		folds[i] = display.Fold(m.Name)
	}
	for i := range members {
		members[i].ambiguous = checkPerson(members[i].Name) != nil
		for j := range members {
			if i != j && display.AlikeFolds(folds[i], folds[j]) {
				members[i].ambiguous = true
			}
		}
	}
}

// checkNames refuses a roster in which a name does not tell who it is.
func checkNames(members []Member) error {
	for i, m := range members {
		if err := checkPerson(m.Name); err != nil {
			return refuse(RuleBadName, "the name of cosigner %s: %v", m.fullName(), err).
				hint("abandon the wallet and found another, in which that cosigner has another name")
		}
		for _, o := range members[:i] {
			if alike(o.Name, m.Name) {
				return refuse(RuleNameTaken, "two cosigners have names that look alike: %s and %s", o.fullName(), m.fullName()).
					hint("abandon the wallet and found another, in which one of them has another name")
			}
		}
	}
	return nil
}

// namesTaken are the names in a forming wallet but that of one identity, at most
// maxAdmissions: what a founder tells a joiner at the door.
func (m *Machine) namesTaken(but journal.Author) []string {
	var out []string
	for _, c := range m.Cosigners() {
		if (c.Hosted() || c.Identity != but) && len(out) < event.MaxAdmissions {
			out = append(out, c.Name)
		}
	}
	return out
}

// freeName refuses the name of a cosigner that one of these looks like.
func freeName(name string, taken []string) error {
	if err := CheckName(name); err != nil {
		return err
	}
	if slices.Contains(taken, name) {
		return refuse(RuleNameTaken, "a cosigner of the wallet is named %q already", name)
	}
	if i := slices.IndexFunc(taken, func(t string) bool { return alike(t, name) }); i >= 0 {
		return refuse(RuleNameTaken, "a cosigner of the wallet is named %q already, which %q looks like", display.Line(taken[i]), name)
	}
	return nil
}
