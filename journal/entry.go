package journal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// An entry on the wire, all numbers big-endian:
//
//	offset  size  field
//	     0     1  version, 1
//	     1     1  suite: 0 plain, 1 XChaCha20-Poly1305
//	     2    32  group
//	    34    32  epoch id
//	    66    32  author, an Ed25519 public key
//	    98     1  incarnation, 1 to 64
//	    99     8  seq, 1 to 2^63-1
//	   107    32  prev: id of the entry with seq-1 in the same chain
//	   139    24  nonce
//	   163     n  body: padded event (suite 0), or its ciphertext and tag (suite 1)
//	 163+n    64  signature by the author over the id
//
// n is a bucket (see pad.go) in suite 0 and a bucket and 16 in suite 1. Entry 1
// of incarnation 1 has a zero prev. Entry 1 of a later incarnation has no entry
// before it either: its prev is linked to nothing and Chains.Next gives zero;
// what it follows is in the event.
const (
	offVersion     = 0
	offSuite       = 1
	offGroup       = 2
	offEpoch       = 34
	offAuthor      = 66
	offIncarnation = 98
	offSeq         = 99
	offPrev        = 107
	offNonce       = 139
	headerSize     = 163 // 1 + 1 + 32 + 32 + 32 + 1 + 8 + 32 + 24

	nonceSize     = 24
	aeadOverhead  = 16
	signatureSize = 64

	// MinEntrySize is the size in bytes of the smallest entry: header (163),
	// smallest bucket (256), signature (64).
	MinEntrySize int = headerSize + smallestBucket + signatureSize // 483
	// MaxEntrySize is the size in bytes of the largest entry: header (163),
	// largest bucket (262,144) and its authentication tag (16), signature (64).
	MaxEntrySize int = headerSize + largestBucket + aeadOverhead + signatureSize // 262,387
)

// Limits of the fields of a header.
const (
	Version        uint8  = 1
	SuitePlain     uint8  = 0
	SuiteSealed    uint8  = 1
	MaxIncarnation uint8  = 64
	MaxSeq         uint64 = 1<<63 - 1
)

// Errors of reading an entry.
var (
	// ErrMalformed is returned for bytes that are not an entry of this version.
	ErrMalformed = errors.New("malformed entry")
	// ErrOversized is returned for more than MaxEntrySize bytes.
	ErrOversized = errors.New("entry over the size limit")
	// ErrVersion is returned for a version or suite this code does not know.
	ErrVersion = errors.New("unknown version or suite of an entry")
	// ErrWrongID is returned when stored bytes are not those of the id asked for.
	ErrWrongID = errors.New("entry has another id")
)

// Header is what an entry says of itself in the open.
type Header struct {
	Version, Suite uint8
	Group          GroupID
	Epoch          EpochID
	Author         Author
	Incarnation    uint8
	Seq            uint64
	Prev           EntryID
	Nonce          [24]byte
}

// ChainKey names a chain: the entries of one incarnation of an author.
type ChainKey struct {
	Author      Author
	Incarnation uint8
}

// Position is a place in a chain and the entry there.
type Position struct {
	Seq uint64
	ID  EntryID
}

// Entry is one signed event of one author's chain. It is immutable and safe for
// concurrent use.
type Entry struct {
	raw    []byte
	header Header
	id     EntryID
}

// Decode reads an entry and checks its structure and limits, not its signature:
// call Verify on what comes from outside. It keeps no reference to raw. It
// returns ErrOversized, ErrVersion or ErrMalformed.
func Decode(raw []byte) (*Entry, error) {
	if len(raw) > MaxEntrySize {
		return nil, fmt.Errorf("%w: %d bytes", ErrOversized, len(raw))
	}
	return decodeOwned(bytes.Clone(raw))
}

// DecodeStored reads an entry that this node verified before it stored it:
// where the bytes have the id they were verified under, the signature was good.
// (The signature itself is not under the id: bits that rot there show when
// another node verifies.) It returns ErrWrongID or the errors of Decode.
func DecodeStored(raw []byte, id EntryID) (*Entry, error) {
	e, err := Decode(raw)
	if err != nil {
		return nil, err
	}
	if e.id != id {
		return nil, ErrWrongID
	}
	return e, nil
}

// decodeOwned reads an entry from bytes that nobody else holds.
func decodeOwned(raw []byte) (*Entry, error) {
	if len(raw) == 0 {
		return nil, fmt.Errorf("%w: no bytes", ErrMalformed)
	}
	if raw[offVersion] != Version {
		return nil, fmt.Errorf("%w: version %d", ErrVersion, raw[offVersion])
	}
	if len(raw) < MinEntrySize {
		return nil, fmt.Errorf("%w: %d bytes", ErrMalformed, len(raw))
	}
	e := &Entry{raw: raw, header: readHeader(raw)}
	if err := e.header.check(); err != nil {
		return nil, err
	}
	want := len(e.Body())
	if e.header.Suite == SuiteSealed {
		want -= aeadOverhead
	}
	if !isBucket(want) {
		return nil, fmt.Errorf("%w: body of %d bytes", ErrMalformed, len(e.Body()))
	}
	e.id = entryID(raw)
	return e, nil
}

// entryID is H("entry", header, body): it does not cover the signature.
func entryID(raw []byte) EntryID {
	return H("entry", raw[:headerSize], raw[headerSize:len(raw)-signatureSize])
}

// check says whether the fields are within the limits.
func (h *Header) check() error {
	switch {
	case h.Version != Version:
		return fmt.Errorf("%w: version %d", ErrVersion, h.Version)
	case h.Suite != SuitePlain && h.Suite != SuiteSealed:
		return fmt.Errorf("%w: suite %d", ErrVersion, h.Suite)
	case h.Incarnation < 1 || h.Incarnation > MaxIncarnation:
		return fmt.Errorf("%w: incarnation %d", ErrMalformed, h.Incarnation)
	case h.Seq < 1 || h.Seq > MaxSeq:
		return fmt.Errorf("%w: seq %d", ErrMalformed, h.Seq)
	case h.Seq == 1 && h.Incarnation == 1 && h.Prev != EntryID{}:
		return fmt.Errorf("%w: the first entry names one before it", ErrMalformed)
	case h.Seq > 1 && h.Prev == EntryID{}:
		return fmt.Errorf("%w: seq %d names no entry before it", ErrMalformed, h.Seq)
	}
	return nil
}

func readHeader(raw []byte) Header {
	h := Header{
		Version:     raw[offVersion],
		Suite:       raw[offSuite],
		Incarnation: raw[offIncarnation],
		Seq:         binary.BigEndian.Uint64(raw[offSeq:]),
	}
	copy(h.Group[:], raw[offGroup:])
	copy(h.Epoch[:], raw[offEpoch:])
	copy(h.Author[:], raw[offAuthor:])
	copy(h.Prev[:], raw[offPrev:])
	copy(h.Nonce[:], raw[offNonce:])
	return h
}

// append adds the wire form of a header to b.
func (h *Header) append(b []byte) []byte {
	b = append(b, h.Version, h.Suite)
	b = append(b, h.Group[:]...)
	b = append(b, h.Epoch[:]...)
	b = append(b, h.Author[:]...)
	b = append(b, h.Incarnation)
	b = binary.BigEndian.AppendUint64(b, h.Seq)
	b = append(b, h.Prev[:]...)
	return append(b, h.Nonce[:]...)
}

// Verify checks the author's signature over the id, and the author's key as
// VerifyIdentity does. It returns ErrSignature.
func (e *Entry) Verify() error {
	if !verifyStrict(e.header.Author, e.id[:], e.raw[len(e.raw)-signatureSize:]) {
		return fmt.Errorf("verify entry: %w", ErrSignature)
	}
	return nil
}

// Header returns the fields of the header.
func (e *Entry) Header() Header { return e.header }

// Chain names the chain the entry is of.
func (e *Entry) Chain() ChainKey { return ChainKey{e.header.Author, e.header.Incarnation} }

// Position returns the entry's place in its chain, and its id.
func (e *Entry) Position() Position { return Position{e.header.Seq, e.id} }

// ID returns the id of the entry.
func (e *Entry) ID() EntryID { return e.id }

// Body returns the body as it is carried. It must not be modified.
func (e *Entry) Body() []byte {
	end := len(e.raw) - signatureSize
	return e.raw[headerSize:end:end]
}

// Bytes returns the wire form. It must not be modified.
func (e *Entry) Bytes() []byte { return e.raw[:len(e.raw):len(e.raw)] }
