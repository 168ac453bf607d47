// Package keystore keeps the secrets of a node in one file, sealed with a
// passphrase: Argon2id for the key, XChaCha20-Poly1305 for the content.
package keystore

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// Content is what a keystore holds. It prints and logs as "[redacted]",
// whatever the verb.
type Content struct {
	// Network is the one these keys are for.
	Network string
	// Mnemonic is the BIP39 mnemonic of the Bitcoin keys.
	Mnemonic string
	// MnemonicPassphrase is the passphrase of BIP39 that goes with it, or "".
	MnemonicPassphrase string
	// IdentitySeed makes the Ed25519 node identity, SealingSeed the HPKE key.
	IdentitySeed [32]byte
	SealingSeed  [32]byte
	// DatabaseKey encrypts the store.
	DatabaseKey [32]byte
	// Created is in whole seconds, UTC.
	Created time.Time
}

const redacted = "[redacted]"

// Format keeps secrets out of every fmt verb.
func (Content) Format(f fmt.State, _ rune) {
	// A formatter has nowhere to report to.
	_, _ = f.Write([]byte(redacted))
}

// LogValue keeps secrets out of logs.
func (Content) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalJSON keeps secrets out of JSON; the file uses a form of its own.
func (Content) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// Zero overwrites the fixed-size secrets; the mnemonic is left to the
// collector, which moves strings as it likes.
func (c *Content) Zero() {
	c.Mnemonic, c.MnemonicPassphrase = "", ""
	clear(c.IdentitySeed[:])
	clear(c.SealingSeed[:])
	clear(c.DatabaseKey[:])
}

// sealed is the form of Content in the file, before it is encrypted.
type sealed struct {
	Network  string `json:"network"`
	Mnemonic string `json:"mnemonic"`
	// Protected stands in the place of Mnemonic where that has a passphrase: a
	// version that does not know it finds no mnemonic, not other keys.
	Protected    *protected `json:"mnemonic_with_passphrase,omitempty"`
	IdentitySeed []byte     `json:"identity_seed"`
	SealingSeed  []byte     `json:"sealing_seed"`
	DatabaseKey  []byte     `json:"database_key"`
	Created      int64      `json:"created"`
}

type protected struct {
	Mnemonic   string `json:"mnemonic"`
	Passphrase string `json:"passphrase"`
}

func encode(c Content) ([]byte, error) {
	s := sealed{
		Network: c.Network, Mnemonic: c.Mnemonic,
		IdentitySeed: c.IdentitySeed[:], SealingSeed: c.SealingSeed[:], DatabaseKey: c.DatabaseKey[:],
		Created: c.Created.Unix(),
	}
	if c.MnemonicPassphrase != "" {
		s.Mnemonic, s.Protected = "", &protected{c.Mnemonic, c.MnemonicPassphrase}
	}
	return json.Marshal(s)
}

func decode(b []byte) (Content, error) {
	var s sealed
	if err := json.Unmarshal(b, &s); err != nil {
		// The decoder's error may quote what it read.
		return Content{}, errors.New("content is not readable")
	}
	c := Content{Network: s.Network, Mnemonic: s.Mnemonic, Created: time.Unix(s.Created, 0).UTC()}
	if s.Protected != nil {
		c.Mnemonic, c.MnemonicPassphrase = s.Protected.Mnemonic, s.Protected.Passphrase
	}
	for _, f := range []struct {
		into *[32]byte
		from []byte
	}{{&c.IdentitySeed, s.IdentitySeed}, {&c.SealingSeed, s.SealingSeed}, {&c.DatabaseKey, s.DatabaseKey}} {
		if len(f.from) != 32 {
			return Content{}, errors.New("content has a key of the wrong length")
		}
		copy(f.into[:], f.from)
	}
	return c, nil
}
