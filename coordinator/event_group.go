package coordinator

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/wallet"
)

// Limits of a group.
const (
	MaxCosigners = 20
	// maxAdmissions bounds the identities of a forming group that a node talks
	// to: a founder cannot make it connect to any number of strangers.
	maxAdmissions = 64
)

// Genesis is the beginning of a group, in plain bytes, and its name:
// group = H("group", genesis).
type Genesis struct {
	Version    uint64         `cbor:"1,keyasint"`
	Threshold  int            `cbor:"2,keyasint"`
	Cosigners  int            `cbor:"3,keyasint"`
	Script     string         `cbor:"4,keyasint"`
	Network    string         `cbor:"5,keyasint"`
	Founder    journal.Author `cbor:"6,keyasint"`
	SealingKey [32]byte       `cbor:"7,keyasint"`
	Random     [32]byte       `cbor:"8,keyasint"`
	// Descriptor is that of a wallet that is older than the group, in canonical
	// form: its keys, their order, all its addresses. Birthday is the height before
	// which it was not paid.
	Descriptor string `cbor:"9,keyasint,omitempty"`
	Birthday   int32  `cbor:"10,keyasint,omitempty"`
}

// EncodeGenesis returns the genesis' bytes, or ErrEvent when a field is out of bounds.
func EncodeGenesis(g Genesis) ([]byte, error) {
	if err := g.check(); err != nil {
		return nil, err
	}
	b, err := theCodec.enc.Marshal(g)
	if err != nil {
		return nil, fmt.Errorf("encode genesis: %w", err)
	}
	return b, nil
}

// DecodeGenesis reads a genesis, or returns ErrEvent or ErrNewer.
func DecodeGenesis(b []byte) (Genesis, error) {
	var g Genesis
	if len(b) > maxGenesisBytes {
		return g, badEvent("genesis of %d bytes", len(b))
	}
	if err := theCodec.dec.Unmarshal(b, &g); err != nil {
		return g, fmt.Errorf("%w: genesis: %w", ErrEvent, err)
	}
	if g.Version != 1 {
		return g, fmt.Errorf("%w: genesis version %d", ErrNewer, g.Version)
	}
	again, err := EncodeGenesis(g)
	if err != nil {
		return g, err
	}
	if string(again) != string(b) {
		return g, badEvent("genesis is not in canonical form")
	}
	return g, nil
}

func (g Genesis) check() error {
	if g.Cosigners < 1 || g.Cosigners > MaxCosigners || g.Threshold < 1 || g.Threshold > g.Cosigners {
		return badEvent("threshold %d of %d cosigners", g.Threshold, g.Cosigners)
	}
	if _, err := wallet.FormOf(wallet.ScriptType(g.Script)); err != nil {
		return badEvent("script type %q", g.Script)
	}
	if _, err := wallet.ParseNetwork(g.Network); err != nil {
		return badEvent("network %q", g.Network)
	}
	return g.checkExisting()
}

// GroupID returns the group that a genesis begins.
func GroupID(genesis []byte) journal.GroupID {
	return journal.GroupID(journal.H("group", genesis))
}

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

func (b *GroupCreated) check() error {
	if _, err := DecodeGenesis(b.Genesis); err != nil {
		return err
	}
	return checkText("wallet name", b.Name, maxNameBytes, false)
}

func (b *MemberAdmitted) check() error { return nil }

func (b *MemberRecord) check() error {
	if len(b.Key) > 512 || len(b.Proof) > maxProofLen {
		return badEvent("oversized key or proof")
	}
	if b.How > ProofNone {
		return fmt.Errorf("%w: proof of kind %d", ErrNewer, b.How)
	}
	if b.Hosted && (b.How == ProofOwn || b.SealingKey != [32]byte{}) {
		return badEvent("a hosted cosigner with a node's proof or sealing key")
	}
	return checkText("name", b.Name, maxNameBytes, false)
}

func (b *RosterClosed) check() error {
	if len(b.Records) < 1 || len(b.Records) > MaxCosigners {
		return badEvent("roster of %d", len(b.Records))
	}
	return nil
}

func (b *RosterRevealed) check() error { return nil }
func (b *RosterRatified) check() error { return nil }
func (b *GroupAbandoned) check() error { return checkText("reason", b.Reason, maxTextBytes, true) }

func (b *EpochRotated) check() error {
	if b.Number < 1 || b.Number > 1<<32 || len(b.Stanzas) < 1 || len(b.Stanzas) > maxAdmissions {
		return badEvent("epoch %d with %d stanzas", b.Number, len(b.Stanzas))
	}
	for _, s := range b.Stanzas {
		if len(s.Sealed) > 256 {
			return badEvent("oversized stanza")
		}
	}
	return nil
}

func (b *StanzaFailed) check() error { return nil }

func (b *IncarnationStarted) check() error { return nil }

func (b *EntriesNamed) check() error {
	// A record, a reveal and a ratification for each member are all there is to name.
	if len(b.Entries) < 1 || len(b.Entries) > 3*MaxCosigners {
		return badEvent("%d entries named", len(b.Entries))
	}
	return nil
}

func (b *AddressLeased) check() error {
	if b.Index >= maxIndex {
		return badEvent("address index %d", b.Index)
	}
	return nil
}

// maxIndex is the first hardened child number of BIP32, which no address uses.
const maxIndex = 1 << 31

// checkText refuses control characters and the Unicode marks that turn the
// direction of text. It decides whether an event is valid, so it is the same in
// every version: what a node writes (checkWritten) and shows (package display)
// is held to more (decision 0027).
func checkText(what, s string, limit int, empty bool) error {
	if len(s) > limit || !utf8.ValidString(s) {
		return badEvent("%s is over %d bytes or not UTF-8", what, limit)
	}
	if !empty && strings.TrimSpace(s) == "" {
		return badEvent("%s is empty", what)
	}
	for _, r := range s {
		if (unicode.IsControl(r) && (r != '\n' || limit < maxTextBytes)) || unicode.Is(unicode.Bidi_Control, r) || unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r) {
			return badEvent("%s holds a control character", what)
		}
	}
	return nil
}
