package journal

import (
	"fmt"

	"golang.org/x/crypto/chacha20"
	"golang.org/x/crypto/chacha20poly1305"
)

// SubkeyNonce is how many bytes of an entry's nonce its subkey comes from. An
// author who uses them twice in one epoch has one subkey for both entries.
const SubkeyNonce = 16

// Subkey returns the key that opens one entry of suite 1 and no other: what
// XChaCha20 derives (HChaCha20, draft-irtf-cfrg-xchacha-03, section 2.2) from its
// author's key in the epoch and the first SubkeyNonce bytes of its nonce. It
// returns ErrSuite or ErrWrongEpoch, and does not look whether the body opens.
func Subkey(ep Epoch, e *Entry) ([32]byte, error) {
	h := &e.header
	if h.Suite != SuiteSealed {
		return [32]byte{}, fmt.Errorf("derive subkey: %w", ErrSuite)
	}
	id := ep.ID()
	if h.Epoch != id || h.Group != ep.Group {
		return [32]byte{}, fmt.Errorf("derive subkey: %w", ErrWrongEpoch)
	}
	key, err := ep.entryKey(id, h.Author)
	if err != nil {
		return [32]byte{}, fmt.Errorf("derive entry key: %w", err)
	}
	sub, err := chacha20.HChaCha20(key, h.Nonce[:SubkeyNonce])
	if err != nil {
		return [32]byte{}, fmt.Errorf("derive subkey: %w", err)
	}
	return [32]byte(sub), nil
}

// OpenWith returns the event of an entry of suite 1 by its subkey. It returns
// ErrSuite, ErrSealed or ErrPadding, and does not check the signature. The cipher
// does not commit to its key: who chooses subkey and body together may have made
// one body that opens in two ways.
func OpenWith(subkey [32]byte, e *Entry) ([]byte, error) {
	if e.header.Suite != SuiteSealed {
		return nil, fmt.Errorf("open entry: %w", ErrSuite)
	}
	aead, err := chacha20poly1305.New(subkey[:])
	if err != nil {
		return nil, fmt.Errorf("open entry: %w", err)
	}
	// What is left of the nonce, after four zeros: the same draft, section 2.3.
	var nonce [chacha20poly1305.NonceSize]byte
	copy(nonce[4:], e.header.Nonce[SubkeyNonce:])
	plain, err := aead.Open(nil, nonce[:], e.Body(), e.raw[:headerSize])
	if err != nil {
		return nil, fmt.Errorf("open entry: %w", ErrSealed)
	}
	event, err := unpad(plain)
	if err != nil {
		return nil, fmt.Errorf("open entry: %w", err)
	}
	return event, nil
}
