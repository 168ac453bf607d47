package journal

import (
	"crypto/ecdh"
	"crypto/hpke"
	"errors"
	"fmt"
	"io"
)

// StanzaSize is the size in bytes of a sealed epoch secret: the encapsulated
// X25519 key (32), the secret (32) and the authentication tag (16).
const StanzaSize = 32 + 32 + 16

// Errors of sealing and opening the secret of an epoch.
var (
	// ErrSealingKey is returned for bytes that are no usable X25519 public key.
	ErrSealingKey = errors.New("not a usable sealing key")
	// ErrStanza is returned when a stanza does not open: it is damaged, or was
	// made for another recipient, author, group or epoch.
	ErrStanza = errors.New("sealed secret does not open")
)

// SealingKey opens epoch secrets sealed to a node: HPKE (RFC 9180) base mode
// with DHKEM(X25519, HKDF-SHA256), HKDF-SHA256 and ChaCha20-Poly1305. Whatever
// verb it is printed with, it shows its public part only.
type SealingKey struct {
	key    hpke.PrivateKey
	public [32]byte
}

// NewSealingKey derives the key of a seed of 32 random bytes (DeriveKeyPair of
// RFC 9180, section 7.1.3).
func NewSealingKey(seed [32]byte) (*SealingKey, error) {
	key, err := hpke.DHKEM(ecdh.X25519()).DeriveKeyPair(seed[:])
	if err != nil {
		return nil, fmt.Errorf("derive sealing key: %w", err)
	}
	s := &SealingKey{key: key}
	copy(s.public[:], key.PublicKey().Bytes())
	return s, nil
}

// Public returns the X25519 public key.
func (s *SealingKey) Public() [32]byte { return s.public }

// Format writes the public part, whatever the verb.
func (s SealingKey) Format(w fmt.State, _ rune) {
	_, _ = io.WriteString(w, "sealing key "+GroupID(s.public).String())
}

// SealSecret seals the secret of an epoch to the sealing key of one member, in
// a stanza of StanzaSize bytes that only opens in an entry of that author. Its
// ephemeral key comes from crypto/rand. It returns ErrSealingKey.
func SealSecret(ep Epoch, author, to Author, toKey [32]byte) ([]byte, error) {
	key, err := hpke.DHKEM(ecdh.X25519()).NewPublicKey(toKey[:])
	if err != nil {
		return nil, fmt.Errorf("seal epoch secret: %w", ErrSealingKey)
	}
	info := stanzaInfo(ep.Group, ep.ID(), author, to)
	stanza, err := hpke.Seal(key, hpke.HKDFSHA256(), hpke.ChaCha20Poly1305(), info, ep.Secret[:])
	if err != nil {
		// X25519 refuses the keys of small order, which would make the shared
		// secret one that anybody knows.
		return nil, fmt.Errorf("seal epoch secret: %w", ErrSealingKey)
	}
	return stanza, nil
}

// OpenSecret opens a stanza made by SealSecret and checks that the secret is
// the one that the epoch's id commits to. It returns ErrStanza, or
// ErrWrongEpoch where the secret, number or parent is not that of the id.
func OpenSecret(k *SealingKey, group GroupID, epoch EpochID, number uint64, parent EpochID, author, to Author, stanza []byte) (Epoch, error) {
	if len(stanza) != StanzaSize {
		return Epoch{}, fmt.Errorf("open epoch secret of %d bytes: %w", len(stanza), ErrStanza)
	}
	info := stanzaInfo(group, epoch, author, to)
	secret, err := hpke.Open(k.key, hpke.HKDFSHA256(), hpke.ChaCha20Poly1305(), info, stanza)
	if err != nil {
		return Epoch{}, fmt.Errorf("open epoch secret: %w", ErrStanza)
	}
	ep := Epoch{Group: group, Number: number, Parent: parent, Secret: [32]byte(secret)}
	if ep.ID() != epoch {
		return Epoch{}, fmt.Errorf("open epoch secret: %w", ErrWrongEpoch)
	}
	return ep, nil
}

// stanzaInfo binds a stanza to its place: tag | group | epoch id | author |
// recipient, all of fixed length.
func stanzaInfo(group GroupID, epoch EpochID, author, to Author) []byte {
	info := []byte(tag("epoch-secret"))
	info = append(info, group[:]...)
	info = append(info, epoch[:]...)
	info = append(info, author[:]...)
	return append(info, to[:]...)
}
