package event

import (
	"encoding/hex"
	"fmt"

	"github.com/quorate/quorate/journal"
)

// ProofKind says how a record shows that somebody holds the key's private part.
type ProofKind uint64

// The kinds of proofs. Numbers are never reused.
const (
	// ProofOwn: ECDSA by the account key itself over the record's hash.
	ProofOwn ProofKind = 0
	// ProofMessage: a Bitcoin signed message by the key's child 0/0.
	ProofMessage ProofKind = 1
	// ProofBIP322: BIP322's simple form by the P2WPKH address of the child 0/0.
	ProofBIP322 ProofKind = 2
	// ProofPSBT: the same signature, made by signing to_sign as a PSBT.
	ProofPSBT ProofKind = 3
	// ProofNone: nothing shows it. The other members see it and accept it.
	ProofNone ProofKind = 4
)

// String is the kind as people see it.
func (k ProofKind) String() string {
	switch k {
	case ProofOwn:
		return "own"
	case ProofMessage, ProofBIP322:
		return "message"
	case ProofPSBT:
		return "psbt"
	case ProofNone:
		return "none"
	}
	return "unknown"
}

// proofText is what an external key signs: one line of plain ASCII, at most 240
// characters, which is what the narrowest devices show and take.
func proofText(group journal.GroupID, identity journal.Author, hash [32]byte) string {
	return fmt.Sprintf("quorate key proof; wallet %s; node %s; record %s", group, hex.EncodeToString(identity[:]), hex.EncodeToString(hash[:]))
}

// hostedHash is what the proof of a hosted key names: another thing than
// proofHash, so that one cannot be given out for the other.
func hostedHash(group journal.GroupID, host journal.Author, name, key string) [32]byte {
	return journal.H("hosted", group[:], host[:], []byte(name), []byte(key))
}

// hostedText is what a hosted cosigner's device signs: see proofText.
func hostedText(group journal.GroupID, host journal.Author, hash [32]byte) string {
	return fmt.Sprintf("quorate hosted key; wallet %s; hosted by %s; record %s", group, hex.EncodeToString(host[:]), hex.EncodeToString(hash[:]))
}

// Claim returns what a record's proof signs: a hash, and the same as text.
func (b *MemberRecord) Claim(group journal.GroupID, author journal.Author) (hash [32]byte, text string) {
	if b.Hosted {
		hash = hostedHash(group, author, b.Name, b.Key)
		return hash, hostedText(group, author, hash)
	}
	hash = proofHash(group, author, b.SealingKey, b.Key)
	return hash, proofText(group, author, hash)
}

// proofHash is what a record's key signs: it binds the key to the identity.
func proofHash(group journal.GroupID, identity journal.Author, sealing [32]byte, key string) [32]byte {
	return journal.H("possession", group[:], identity[:], sealing[:], []byte(key))
}
