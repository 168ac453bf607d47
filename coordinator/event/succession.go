package event

import (
	"encoding/binary"

	"github.com/quorate/quorate/journal"
)

// The kinds of what is said of a lost member's new device.
const (
	KindMemberReplaced      Kind = 40
	KindReplacementApproved Kind = 41
)

func replaceBody(k Kind) Body {
	switch k {
	case KindMemberReplaced:
		return &MemberReplaced{}
	case KindReplacementApproved:
		return &ReplacementApproved{}
	}
	return nil
}

// MemberReplaced gives a ratified key a new identity: the device of a member
// is lost, and its seed is on another. Any member may carry it; it holds
// whatever is tainted, because the key proves it.
type MemberReplaced struct {
	Key     uint32         `cbor:"2,keyasint"` // position in the descriptor
	Old     journal.Author `cbor:"3,keyasint"`
	New     journal.Author `cbor:"4,keyasint"`
	Sealing [32]byte       `cbor:"5,keyasint"` // of the new identity
	Cuts    []ReplacedCut  `cbor:"6,keyasint"` // where the old identity's chains end; what is not named ends at 0
	// Proof is by the account key over the succession's id, or empty for an
	// external key: then the other members approve it.
	Proof []byte `cbor:"7,keyasint"`
	// Consent is the new identity's signature over the same: nobody takes
	// another's identity for his own.
	Consent []byte `cbor:"8,keyasint"`
}

// ConsentTag is what a new identity signs under.
const ConsentTag = "replacement-consent"

// ReplacedCut is the last entry that counts of one incarnation of a replaced identity.
type ReplacedCut struct {
	Incarnation uint8           `cbor:"1,keyasint"`
	Seq         uint64          `cbor:"2,keyasint"`
	Last        journal.EntryID `cbor:"3,keyasint"`
}

// ReplacementApproved says that its author takes a succession for true. Of a
// member's several for one identity the latest counts.
type ReplacementApproved struct {
	Replacement [32]byte `cbor:"2,keyasint"`
}

// Kind returns KindMemberReplaced.
func (*MemberReplaced) Kind() Kind { return KindMemberReplaced }

// Kind returns KindReplacementApproved.
func (*ReplacementApproved) Kind() Kind { return KindReplacementApproved }

func (b *MemberReplaced) Check() error {
	if b.Key >= MaxCosigners || b.Old == b.New || b.New == (journal.Author{}) {
		return badEvent("replacement of key %d", b.Key)
	}
	if len(b.Cuts) > int(journal.MaxIncarnation) || len(b.Consent) != 64 || len(b.Proof) > maxProofLen {
		return badEvent("oversized replacement")
	}
	last := uint8(0)
	for _, c := range b.Cuts {
		if c.Incarnation <= last || c.Incarnation > journal.MaxIncarnation || c.Seq < 1 || c.Seq > journal.MaxSeq {
			return badEvent("cut of incarnation %d at %d", c.Incarnation, c.Seq)
		}
		last = c.Incarnation
	}
	return nil
}

func (b *ReplacementApproved) Check() error { return nil }

// ID is what the key signs: it binds everything the succession says, and the group.
func (b *MemberReplaced) ID(group journal.GroupID) [32]byte {
	key := binary.BigEndian.AppendUint64(nil, uint64(b.Key))
	cuts := []byte{}
	for _, c := range b.Cuts {
		cuts = append(cuts, c.Incarnation)
		cuts = append(binary.BigEndian.AppendUint64(cuts, c.Seq), c.Last[:]...)
	}
	return journal.H("replacement", group[:], key, b.Old[:], b.New[:], b.Sealing[:], cuts)
}
