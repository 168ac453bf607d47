package event

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/quorate/quorate/journal"
)

// The kinds of what is said of the group, and of addresses.
const (
	KindGroupCreated       Kind = 1
	KindMemberAdmitted     Kind = 2
	KindMemberRecord       Kind = 3
	KindRosterClosed       Kind = 4
	KindRosterRevealed     Kind = 5
	KindRosterRatified     Kind = 6
	KindGroupAbandoned     Kind = 7
	KindEpochRotated       Kind = 8
	KindStanzaFailed       Kind = 9
	KindIncarnationStarted Kind = 10
	KindEntriesNamed       Kind = 11
	KindAddressLeased      Kind = 16
)

func groupBody(k Kind) Body {
	switch k {
	case KindGroupCreated:
		return &GroupCreated{}
	case KindMemberAdmitted:
		return &MemberAdmitted{}
	case KindMemberRecord:
		return &MemberRecord{}
	case KindRosterClosed:
		return &RosterClosed{}
	case KindRosterRevealed:
		return &RosterRevealed{}
	case KindRosterRatified:
		return &RosterRatified{}
	case KindGroupAbandoned:
		return &GroupAbandoned{}
	case KindEpochRotated:
		return &EpochRotated{}
	case KindStanzaFailed:
		return &StanzaFailed{}
	case KindIncarnationStarted:
		return &IncarnationStarted{}
	case KindEntriesNamed:
		return &EntriesNamed{}
	case KindAddressLeased:
		return &AddressLeased{}
	}
	return nil
}

// Limits of a group.
const (
	MaxCosigners = 20
	// MaxAdmissions bounds the identities of a forming group that a node talks
	// to: a founder cannot make it connect to any number of strangers.
	MaxAdmissions = 64
)

// GroupCreated is the founder's first entry.
type GroupCreated struct {
	Genesis []byte `cbor:"2,keyasint"`
	Name    string `cbor:"3,keyasint"`
}

// MemberAdmitted names an identity that proved an invite. Only the founder writes it.
type MemberAdmitted struct {
	Identity journal.Author `cbor:"2,keyasint"`
}

// MemberRecord is a cosigner's own entry: who it is, its key, and a commitment
// to 32 random bytes that it reveals once the roster is closed.
type MemberRecord struct {
	Name       string   `cbor:"2,keyasint"`
	SealingKey [32]byte `cbor:"3,keyasint"`
	Key        string   `cbor:"4,keyasint"` // [fingerprint/path]xpub
	Proof      []byte   `cbor:"5,keyasint"` // of possession, see How
	Commitment [32]byte `cbor:"6,keyasint"` // H("salt", r)
	// How says what Proof is; absent for ProofOwn.
	How ProofKind `cbor:"7,keyasint,omitempty"`
	// Hosted: it is the record of a cosigner without a node, which the author
	// enters. Its sealing key is zero.
	Hosted bool `cbor:"8,keyasint,omitempty"`
}

// RosterClosed lists the n records of the roster. Only the founder writes it.
type RosterClosed struct {
	Records []journal.EntryID `cbor:"2,keyasint"`
}

// RosterRevealed opens the author's commitment, for one roster.
type RosterRevealed struct {
	Roster journal.EntryID `cbor:"2,keyasint"`
	Salt   [32]byte        `cbor:"3,keyasint"`
}

// RosterRatified says that a human compared the words of this roster hash.
type RosterRatified struct {
	Hash [32]byte `cbor:"2,keyasint"`
	// Record is that of a hosted cosigner, for whom the author says it.
	Record *journal.EntryID `cbor:"3,keyasint,omitempty"`
}

// GroupAbandoned ends a group that is not active yet.
type GroupAbandoned struct {
	Reason string `cbor:"2,keyasint"`
}

// EpochRotated carries a new epoch's secret, sealed to each member. It travels
// under suite 0: the stanzas are what is encrypted. The epoch's id is in the
// entry's header.
type EpochRotated struct {
	Number  uint64          `cbor:"2,keyasint"`
	Parent  journal.EpochID `cbor:"3,keyasint"`
	Stanzas []Stanza        `cbor:"4,keyasint"`
}

// Stanza is an epoch secret sealed to one member (HPKE).
type Stanza struct {
	To     journal.Author `cbor:"1,keyasint"`
	Sealed []byte         `cbor:"2,keyasint"`
}

// StanzaFailed says that its author could not open its stanza of an epoch.
type StanzaFailed struct {
	Epoch journal.EpochID `cbor:"2,keyasint"`
}

// IncarnationStarted is entry 1 of an incarnation after the first. It names
// the last entry its author knows of the incarnation before: the cut.
type IncarnationStarted struct {
	Seq  uint64          `cbor:"2,keyasint"`
	Last journal.EntryID `cbor:"3,keyasint"`
}

// MaxNamed is how many entries one EntriesNamed names.
const MaxNamed = 3 * MaxCosigners

// EntriesNamed names entries past a fork that the active wallet rests on, so
// that a member who saw another branch knows what to ask for.
type EntriesNamed struct {
	Entries []journal.EntryID `cbor:"2,keyasint"`
}

// AddressLeased takes a receive address out of the pool for everybody.
type AddressLeased struct {
	Index uint32 `cbor:"2,keyasint"`
}

// Kind returns KindGroupCreated.
func (*GroupCreated) Kind() Kind { return KindGroupCreated }

// Kind returns KindMemberAdmitted.
func (*MemberAdmitted) Kind() Kind { return KindMemberAdmitted }

// Kind returns KindMemberRecord.
func (*MemberRecord) Kind() Kind { return KindMemberRecord }

// Kind returns KindRosterClosed.
func (*RosterClosed) Kind() Kind { return KindRosterClosed }

// Kind returns KindRosterRevealed.
func (*RosterRevealed) Kind() Kind { return KindRosterRevealed }

// Kind returns KindRosterRatified.
func (*RosterRatified) Kind() Kind { return KindRosterRatified }

// Kind returns KindGroupAbandoned.
func (*GroupAbandoned) Kind() Kind { return KindGroupAbandoned }

// Kind returns KindEpochRotated.
func (*EpochRotated) Kind() Kind { return KindEpochRotated }

// Kind returns KindStanzaFailed.
func (*StanzaFailed) Kind() Kind { return KindStanzaFailed }

// Kind returns KindIncarnationStarted.
func (*IncarnationStarted) Kind() Kind { return KindIncarnationStarted }

// Kind returns KindEntriesNamed.
func (*EntriesNamed) Kind() Kind { return KindEntriesNamed }

// Kind returns KindAddressLeased.
func (*AddressLeased) Kind() Kind { return KindAddressLeased }

func (b *GroupCreated) Check() error {
	if _, err := DecodeGenesis(b.Genesis); err != nil {
		return err
	}
	return CheckText("wallet name", b.Name, MaxNameBytes, false)
}

func (b *MemberAdmitted) Check() error { return nil }

func (b *MemberRecord) Check() error {
	if len(b.Key) > 512 || len(b.Proof) > maxProofLen {
		return badEvent("oversized key or proof")
	}
	if b.How > ProofNone {
		return fmt.Errorf("%w: proof of kind %d", ErrNewer, b.How)
	}
	if b.Hosted && (b.How == ProofOwn || b.SealingKey != [32]byte{}) {
		return badEvent("a hosted cosigner with a node's proof or sealing key")
	}
	return CheckText("name", b.Name, MaxNameBytes, false)
}

func (b *RosterClosed) Check() error {
	if len(b.Records) < 1 || len(b.Records) > MaxCosigners {
		return badEvent("roster of %d", len(b.Records))
	}
	return nil
}

func (b *RosterRevealed) Check() error { return nil }
func (b *RosterRatified) Check() error { return nil }
func (b *GroupAbandoned) Check() error { return CheckText("reason", b.Reason, MaxTextBytes, true) }

func (b *EpochRotated) Check() error {
	if b.Number < 1 || b.Number > 1<<32 || len(b.Stanzas) < 1 || len(b.Stanzas) > MaxAdmissions {
		return badEvent("epoch %d with %d stanzas", b.Number, len(b.Stanzas))
	}
	for _, s := range b.Stanzas {
		if len(s.Sealed) > 256 {
			return badEvent("oversized stanza")
		}
	}
	return nil
}

func (b *StanzaFailed) Check() error { return nil }

func (b *IncarnationStarted) Check() error { return nil }

func (b *EntriesNamed) Check() error {
	if len(b.Entries) < 1 || len(b.Entries) > MaxNamed {
		return badEvent("%d entries named", len(b.Entries))
	}
	return nil
}

func (b *AddressLeased) Check() error {
	if b.Index >= MaxIndex {
		return badEvent("address index %d", b.Index)
	}
	return nil
}

// MaxIndex is the first hardened child number of BIP32, which no address uses.
const MaxIndex = 1 << 31

// CheckText refuses control characters and the Unicode marks that turn the
// direction of text. It decides whether an event is valid, so it is the same in
// every version: what a node writes (checkWritten) and shows (package display)
// is held to more (decision 0027).
func CheckText(what, s string, limit int, empty bool) error {
	if len(s) > limit || !utf8.ValidString(s) {
		return badEvent("%s is over %d bytes or not UTF-8", what, limit)
	}
	if !empty && strings.TrimSpace(s) == "" {
		return badEvent("%s is empty", what)
	}
	for _, r := range s {
		if (unicode.IsControl(r) && (r != '\n' || limit < MaxTextBytes)) || unicode.Is(unicode.Bidi_Control, r) || unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r) {
			return badEvent("%s holds a control character", what)
		}
	}
	return nil
}
