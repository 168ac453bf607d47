package event

import (
	"encoding/hex"
	"fmt"

	"github.com/quorate/quorate/journal"
)

// The kinds of a round in which every key shows that somebody has it.
const (
	KindPingAsked    Kind = 43
	KindPingAnswered Kind = 44
)

func pingBody(k Kind) Body {
	switch k {
	case KindPingAsked:
		return &PingAsked{}
	case KindPingAnswered:
		return &PingAnswered{}
	}
	return nil
}

// PingAsked asks for a round: one signature by each key. The id of the entry names the
// round, and nobody but its author knows it before it is there, so that whoever signs
// it has the key later than the question was.
type PingAsked struct{}

// PingAnswered is the signature of a key over a round.
type PingAnswered struct {
	Round journal.EntryID `cbor:"2,keyasint"`
	Key   uint32          `cbor:"3,keyasint"` // its index in the descriptor
	Proof []byte          `cbor:"4,keyasint"` // see How
	// How says what Proof is; absent for ProofOwn.
	How ProofKind `cbor:"5,keyasint,omitempty"`
}

// Kind returns KindPingAsked.
func (*PingAsked) Kind() Kind { return KindPingAsked }

// Kind returns KindPingAnswered.
func (*PingAnswered) Kind() Kind { return KindPingAnswered }

func (b *PingAsked) Check() error { return nil }

func (b *PingAnswered) Check() error {
	if b.Round == (journal.EntryID{}) || b.Key >= MaxCosigners || len(b.Proof) == 0 || len(b.Proof) > maxProofLen || b.How == ProofNone {
		return badEvent("answer of key %d with a proof of %d bytes", b.Key, len(b.Proof))
	}
	if b.How > ProofNone {
		return fmt.Errorf("%w: proof of kind %d", ErrNewer, b.How)
	}
	return nil
}

// PingClaim is what a key signs to answer a round, through the node of a member.
func PingClaim(group journal.GroupID, by journal.Author, round journal.EntryID, key string) KeyClaim {
	return KeyClaim{Group: group, Identity: by, Key: key, Round: round}
}

// PingText is the same as a device signs it: see proofText.
func (c KeyClaim) PingText() string {
	hash := c.Hash()
	return fmt.Sprintf("quorate ping; wallet %s; round %s; key %s", c.Group, hex.EncodeToString(c.Round[:]), hex.EncodeToString(hash[:]))
}

// pingHash is what a key signs for a round: another thing than proofHash and what a
// replacement signs, in any group, for any round and through any node.
func pingHash(group journal.GroupID, by journal.Author, round journal.EntryID, key string) [32]byte {
	return journal.H("ping", group[:], by[:], round[:], []byte(key))
}
