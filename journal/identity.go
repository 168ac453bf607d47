package journal

import (
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
)

// ErrSignature is returned when a signature does not verify, or its key is one
// of those under which a signature proves nothing.
var ErrSignature = errors.New("signature does not verify")

// Identity is a node's Ed25519 key. It is also the libp2p key of the node.
// Whatever verb it is printed with, it shows its public part only.
type Identity struct {
	key    ed25519.PrivateKey
	author Author
}

// NewIdentity returns the identity of a seed of 32 random bytes (RFC 8032).
func NewIdentity(seed [32]byte) *Identity {
	i := &Identity{key: ed25519.NewKeyFromSeed(seed[:])}
	copy(i.author[:], i.key[ed25519.SeedSize:])
	return i
}

// Author returns the public key.
func (i *Identity) Author() Author { return i.author }

// Seed returns the secret that NewIdentity was given.
func (i *Identity) Seed() [32]byte { return [32]byte(i.key.Seed()) }

// Sign signs a message that is not an entry. A signature under one tag verifies
// under no other, is never that of an entry, and is none that libp2p makes with
// the same key: what is signed is the 32 bytes H("identity-signature", tag,
// msg), an entry's signature is over H("entry", …), and libp2p's messages are
// longer.
func (i *Identity) Sign(tag string, msg []byte) []byte {
	d := identityDigest(tag, msg)
	return ed25519.Sign(i.key, d[:])
}

// Format writes the public part, whatever the verb.
func (i Identity) Format(w fmt.State, _ rune) {
	_, _ = io.WriteString(w, "identity "+i.author.String())
}

// VerifyIdentity checks a signature made by Identity.Sign under the same tag.
// It is strict: see verifyStrict. It returns ErrSignature.
func VerifyIdentity(a Author, tag string, msg, sig []byte) error {
	d := identityDigest(tag, msg)
	if !verifyStrict(a, d[:], sig) {
		return fmt.Errorf("verify %s: %w", tag, ErrSignature)
	}
	return nil
}

func identityDigest(tag string, msg []byte) [32]byte {
	return H("identity-signature", []byte(tag), msg)
}

// verifyStrict is Ed25519 verification of RFC 8032, section 5.1.7, without the
// cofactor. The standard library refuses an S not below the group order and an
// R that is not its one encoding. Refused as well are author keys of small
// order, for which one signature can fit many messages, and keys that are not
// the one encoding of their point, which would give one key two identities.
func verifyStrict(a Author, msg, sig []byte) bool {
	if len(sig) != ed25519.SignatureSize || !soundKey(a) {
		return false
	}
	return ed25519.Verify(a[:], msg, sig)
}

// soundKey says whether a public key has its y below the field prime and is not
// of small order. The eight points of small order (1, 2, 4 or 8) have five
// values of y between them, the sign bit of x apart; these are the list.
// Whether the key is on the curve at all is left to the verification.
func soundKey(a Author) bool {
	y := a
	y[31] &= 0x7f
	switch hex.EncodeToString(y[:]) {
	case "0100000000000000000000000000000000000000000000000000000000000000", // y = 1, order 1
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", // y = -1, order 2
		"0000000000000000000000000000000000000000000000000000000000000000", // y = 0, order 4
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", // order 8
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a": // order 8
		return false
	}
	// The field prime is 2^255-19: ed, thirty times ff, 7f.
	if y[31] != 0x7f {
		return true
	}
	for _, b := range y[1:31] {
		if b != 0xff {
			return true
		}
	}
	return y[0] < 0xed
}

// signID signs the id of an entry.
func (i *Identity) signID(id EntryID) []byte { return ed25519.Sign(i.key, id[:]) }
