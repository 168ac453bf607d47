// Package journal is the shared history of one wallet, as pure functions:
// signed and encrypted entries, the hash chain of each author, incarnations,
// frontiers, equivocation, and the group's encryption epochs.
//
// It knows nothing of what an entry means, of libp2p, of a disk or of a clock.
package journal

import (
	"encoding/hex"
	"errors"
	"fmt"
)

// GroupID names a group: H("group", genesis).
type GroupID [32]byte

// EntryID names an entry: H("entry", header, body). It does not cover the
// signature, so a malleable signature makes no second entry.
type EntryID [32]byte

// EpochID names an encryption epoch and commits to its secret.
type EpochID [32]byte

// Author is an Ed25519 public key: the identity of a node, which is also its
// libp2p peer ID and signs its entries.
type Author [32]byte

// ErrBadID is returned when a text is not the hexadecimal form of an id.
var ErrBadID = errors.New("not a 32-byte hexadecimal id")

func (g GroupID) String() string { return hex.EncodeToString(g[:]) }
func (e EntryID) String() string { return hex.EncodeToString(e[:]) }
func (e EpochID) String() string { return hex.EncodeToString(e[:]) }
func (a Author) String() string  { return hex.EncodeToString(a[:]) }

// MarshalText renders the id as 64 lower-case hexadecimal digits.
func (g GroupID) MarshalText() ([]byte, error) { return []byte(g.String()), nil }

// MarshalText renders the id as 64 lower-case hexadecimal digits.
func (e EntryID) MarshalText() ([]byte, error) { return []byte(e.String()), nil }

// MarshalText renders the key as 64 lower-case hexadecimal digits.
func (a Author) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads 64 hexadecimal digits, or returns ErrBadID.
func (g *GroupID) UnmarshalText(b []byte) error { return parseID(g[:], b) }

// UnmarshalText reads 64 hexadecimal digits, or returns ErrBadID.
func (e *EntryID) UnmarshalText(b []byte) error { return parseID(e[:], b) }

// UnmarshalText reads 64 hexadecimal digits, or returns ErrBadID.
func (a *Author) UnmarshalText(b []byte) error { return parseID(a[:], b) }

func parseID(dst, text []byte) error {
	if len(text) != 2*len(dst) {
		return fmt.Errorf("%w: %d characters", ErrBadID, len(text))
	}
	if _, err := hex.Decode(dst, text); err != nil {
		return ErrBadID
	}
	return nil
}
