// Package backup is the file that a node's backup is: everything that cannot
// be got again from elsewhere, in one stream that ends in a manifest, sealed
// with age (age-encryption.org/v1) to a passphrase or to recipients.
//
// The stream is a row of frames: kind (1 byte), length (4, big-endian),
// payload. The first is the header, the last the manifest: how many items of
// each kind there are, and the SHA-256 of every byte before it. A file that
// ends before its manifest is truncated.
package backup

import (
	"errors"
	"fmt"
	"time"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
)

// Version is the newest version of the format. Only what holds a SealedKeystore is
// written in it; everything else is of version 1, which older programs read.
const Version = 2

const plainVersion = 1

// Errors of reading a backup.
var (
	// ErrNotBackup: the file is not a backup, sealed or not.
	ErrNotBackup = errors.New("not a backup file")
	// ErrNewer: the backup is of a newer version of this program.
	ErrNewer = errors.New("the backup was written by a newer version")
	// ErrTruncated: the file ends before its manifest.
	ErrTruncated = errors.New("the backup is truncated")
	// ErrCorrupt: the file is not what was written.
	ErrCorrupt = errors.New("the backup is damaged")
	// ErrPassphrase: the passphrase is not the one it was sealed with.
	ErrPassphrase = errors.New("wrong passphrase")
	// ErrNeedsIdentity: it is sealed to recipients, and no identity of one was given.
	ErrNeedsIdentity = errors.New("the backup is sealed to age recipients")
	// ErrIdentity: none of the identities given opens it.
	ErrIdentity = errors.New("no identity given opens the backup")
	// ErrUnsigned: it is of a version that did not sign backups.
	ErrUnsigned = errors.New("the backup is not signed")
	// ErrWork: the passphrase's work factor is above what is sane.
	ErrWork = errors.New("the backup asks for too much work")
)

// Kind says what an item is.
type Kind uint8

// The kinds of items. Numbers are never reused.
const (
	Keystore Kind = 1 // Value: content of the keystore (see keystore.Encode)
	Config   Kind = 2 // Value: config.toml
	Entry    Kind = 3 // Group, Value: the raw entry
	Record   Kind = 4 // Group, Key, Value
	Guard    Kind = 5 // Guard
	// SealedKeystore stands in the place of Keystore. Value: the keystore's file, as it
	// is sealed with the node's passphrase.
	SealedKeystore Kind = 6

	kindHeader   Kind = 128
	kindManifest Kind = 129
)

// Limits of a frame: of any payload, and of a record's key. A record is the
// largest: nothing that is backed up comes near.
const (
	maxPayload = 64 << 20
	maxKey     = 1024
	// maxItems bounds what a manifest can count.
	maxItems = 1 << 40
)

// Header says what a backup is of. It is sealed as everything else.
type Header struct {
	Version int       `json:"version"`
	Created time.Time `json:"created"`
	Program string    `json:"program"` // version of the program that wrote it
	Name    string    `json:"name"`
	Network string    `json:"network"`
	PeerID  string    `json:"peer_id"`
}

// Item is one thing in a backup.
type Item struct {
	Kind  Kind
	Group journal.GroupID // of Entry and Record; zero for the node's own records
	Key   string          // of Record
	Value []byte
	Guard port.GuardRecord
}

// Manifest is the end of a backup.
type Manifest struct {
	Entries uint64 `json:"entries"`
	Records uint64 `json:"records"`
	Guards  uint64 `json:"guards"`
	Files   uint64 `json:"files"` // keystore and configuration
	SHA256  []byte `json:"sha256"`
	// Signature is over SHA256, by the identity of the node whose backup it is;
	// older versions wrote none.
	Signature []byte `json:"signature,omitempty"`
}

// signTag is what a node's signature of its backup is made under.
const signTag = "backup"

// Signer returns what signs the manifest of a backup for an identity.
func Signer(id *journal.Identity) func(sum []byte) []byte {
	return func(sum []byte) []byte { return id.Sign(signTag, sum) }
}

// Verify checks that an identity signed the manifest. It returns ErrUnsigned
// where nobody did, and ErrCorrupt where another one did or it was changed.
func (m Manifest) Verify(by journal.Author) error {
	if len(m.Signature) == 0 {
		return ErrUnsigned
	}
	if err := journal.VerifyIdentity(by, signTag, m.SHA256, m.Signature); err != nil {
		return fmt.Errorf("%w: its node did not sign it: %w", ErrCorrupt, err)
	}
	return nil
}

func (m *Manifest) count(k Kind) {
	switch k {
	case Entry:
		m.Entries++
	case Record:
		m.Records++
	case Guard:
		m.Guards++
	default:
		m.Files++
	}
}

func (m *Manifest) sameCounts(o Manifest) bool {
	return m.Entries == o.Entries && m.Records == o.Records && m.Guards == o.Guards && m.Files == o.Files
}
