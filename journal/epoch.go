package journal

import (
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"

	"golang.org/x/crypto/chacha20poly1305"
)

// Errors of opening an entry.
var (
	// ErrWrongEpoch is returned when an epoch is not the one named: another
	// group, number or parent, or another secret.
	ErrWrongEpoch = errors.New("not of this epoch")
	// ErrSealed is returned when a body does not open: it was not sealed by
	// this author, under this header, in this epoch.
	ErrSealed = errors.New("body does not open")
	// ErrSuite is returned when an entry is not of the suite that a function reads.
	ErrSuite = errors.New("entry is of another suite")
)

// Epoch is a period of the group's encryption under one random 32-byte secret.
// Whatever verb it is printed with, it does not show the secret.
type Epoch struct {
	Group  GroupID
	Number uint64
	Parent EpochID
	Secret [32]byte
}

// Next says where in its chain an entry is to go; Chains.Next gives it.
type Next struct {
	Incarnation uint8
	Seq         uint64
	Prev        EntryID
}

// ID returns H("epoch", group, number, parent, secret), number being 8 bytes
// big-endian. XChaCha20-Poly1305 does not commit to its key; the id does.
func (ep Epoch) ID() EpochID {
	var number [8]byte
	binary.BigEndian.PutUint64(number[:], ep.Number)
	return H("epoch", ep.Group[:], number[:], ep.Parent[:], ep.Secret[:])
}

// Topic returns the name of the pubsub topic of the epoch: 64 hexadecimal
// digits of HKDF-SHA256(secret, salt = group, info = tag). It tells an outsider
// nothing of the group.
func (ep Epoch) Topic() string {
	name, err := hkdf.Key(sha256.New, ep.Secret[:], ep.Group[:], tag("topic"), 32)
	if err != nil {
		// The only cause is asking for more than 255 hashes.
		return ""
	}
	return hex.EncodeToString(name)
}

// Format writes number and id, whatever the verb.
func (ep Epoch) Format(w fmt.State, _ rune) {
	_, _ = fmt.Fprintf(w, "epoch %d %s", ep.Number, ep.ID())
}

// LogValue shows number and id in a log.
func (ep Epoch) LogValue() slog.Value {
	return slog.GroupValue(slog.Uint64("number", ep.Number), slog.String("id", ep.ID().String()))
}

// entryKey is the key of one author in one epoch: HKDF-SHA256(secret, salt =
// group, info = tag | epoch id | author). It differs by author, so that the
// nonces of two members cannot meet.
func (ep Epoch) entryKey(id EpochID, a Author) ([]byte, error) {
	info := tag("entry-key") + string(id[:]) + string(a[:])
	return hkdf.Key(sha256.New, ep.Secret[:], ep.Group[:], info, chacha20poly1305.KeySize)
}

// Seal makes an entry whose event only holders of the epoch's secret can read
// (suite 1). The nonce must be random and fresh. It returns ErrEventSize, or
// ErrMalformed where at is not a place in a chain (as the zero Next is not).
func Seal(id *Identity, ep Epoch, at Next, event []byte, nonce [24]byte) (*Entry, error) {
	epoch := ep.ID()
	h := at.header(SuiteSealed, ep.Group, epoch, id.Author(), nonce)
	key, err := ep.entryKey(epoch, h.Author)
	if err != nil {
		return nil, fmt.Errorf("derive entry key: %w", err)
	}
	return seal(id, h, event, key)
}

// SealPlain makes an entry that anybody can read (suite 0): its event is padded
// and signed, and not encrypted. Errors are those of Seal.
func SealPlain(id *Identity, group GroupID, epoch EpochID, at Next, event []byte, nonce [24]byte) (*Entry, error) {
	return seal(id, at.header(SuitePlain, group, epoch, id.Author(), nonce), event, nil)
}

func (n Next) header(suite uint8, group GroupID, epoch EpochID, a Author, nonce [24]byte) Header {
	return Header{
		Version: Version, Suite: suite, Group: group, Epoch: epoch, Author: a,
		Incarnation: n.Incarnation, Seq: n.Seq, Prev: n.Prev, Nonce: nonce,
	}
}

// seal pads an event, encrypts it where there is a key, and signs the entry.
func seal(id *Identity, h Header, event, key []byte) (*Entry, error) {
	if err := h.check(); err != nil {
		return nil, fmt.Errorf("seal entry: %w", err)
	}
	body, err := pad(event, aeadOverhead)
	if err != nil {
		return nil, err
	}
	raw := h.append(make([]byte, 0, headerSize+len(body)+aeadOverhead+signatureSize))
	if key == nil {
		raw = append(raw, body...)
	} else {
		aead, err := chacha20poly1305.NewX(key)
		if err != nil {
			return nil, fmt.Errorf("seal entry: %w", err)
		}
		raw = aead.Seal(raw, h.Nonce[:], body, raw[:headerSize])
	}
	raw = raw[:len(raw)+signatureSize]
	entry, err := decodeOwned(raw)
	if err != nil {
		return nil, fmt.Errorf("seal entry: %w", err)
	}
	copy(raw[len(raw)-signatureSize:], id.signID(entry.id))
	return entry, nil
}

// Open returns the event of an entry of suite 1. It returns ErrSuite,
// ErrWrongEpoch, ErrSealed, or ErrPadding. It does not check the signature.
func Open(ep Epoch, e *Entry) ([]byte, error) {
	h := &e.header
	if h.Suite != SuiteSealed {
		return nil, fmt.Errorf("open entry: %w", ErrSuite)
	}
	id := ep.ID()
	if h.Epoch != id || h.Group != ep.Group {
		return nil, fmt.Errorf("open entry: %w", ErrWrongEpoch)
	}
	key, err := ep.entryKey(id, h.Author)
	if err != nil {
		return nil, fmt.Errorf("derive entry key: %w", err)
	}
	aead, err := chacha20poly1305.NewX(key)
	if err != nil {
		return nil, fmt.Errorf("open entry: %w", err)
	}
	plain, err := aead.Open(nil, h.Nonce[:], e.Body(), e.raw[:headerSize])
	if err != nil {
		return nil, fmt.Errorf("open entry: %w", ErrSealed)
	}
	event, err := unpad(plain)
	if err != nil {
		return nil, fmt.Errorf("open entry: %w", err)
	}
	return event, nil
}

// OpenPlain returns the event of an entry of suite 0, in new memory. It returns
// ErrSuite or ErrPadding. It does not check the signature.
func OpenPlain(e *Entry) ([]byte, error) {
	if e.header.Suite != SuitePlain {
		return nil, fmt.Errorf("open plain entry: %w", ErrSuite)
	}
	event, err := unpad(e.Body())
	if err != nil {
		return nil, fmt.Errorf("open plain entry: %w", err)
	}
	return append([]byte(nil), event...), nil
}
