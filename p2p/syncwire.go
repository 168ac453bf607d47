package p2p

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/fxamacker/cbor/v2"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
)

// A frame of the sync protocol is a 4-byte big-endian length and that many
// bytes of deterministic CBOR: a map with integer keys.
//
//	hello   both claims; first frame of a pull, answered with one of its own
//	claim   one claim, unanswered: what this node holds has changed
//	pull    asks for entries of chains, from a seq on
//	fetch   asks for entries by id
//	entries answers a pull or a fetch
//	refused answers anything that is not for this peer
const (
	kindHello   = 1
	kindClaim   = 2
	kindPull    = 3
	kindFetch   = 4
	kindEntries = 5
	kindRefused = 6
)

// Limits of frames, in bytes and items.
const (
	maxBatch      = 64      // entries in a batch
	maxBatchBytes = 1 << 20 // bytes of entries in a batch of more than one
	maxAsks       = 16      // chains in a pull
	maxFetch      = 64      // ids in a fetch
	maxChains     = 4096    // 64 authors with 64 incarnations each
	maxRecords    = 64      // signed peer records in a hello
	maxRecord     = 4 << 10 // bytes of one of them

	// A chain of a frontier is 1+34+2+9+34 = 80 bytes, a fork 1+34+2+9+34+34 = 114.
	helloLimit = 1024 + maxChains*(80+114) + maxRecords*(maxRecord+3)
	// An ask is 1+34+2+9+2 = 48 bytes, an id 34.
	requestLimit = 1024 + maxAsks*48 + maxFetch*34
	// A batch never exceeds maxBatchBytes but by its first entry, which is
	// smaller than maxBatchBytes; 5 bytes announce each entry.
	entriesLimit = 1024 + maxBatchBytes + maxBatch*5
)

// The first entry of a batch fits whatever its size.
const _ = uint(maxBatchBytes - journal.MaxEntrySize)

var errFrame = fmt.Errorf("sync: %w", port.RejectFrame)

type frame struct {
	Kind     uint64         `cbor:"1,keyasint"`
	Group    []byte         `cbor:"2,keyasint,omitempty"`
	Frontier []wirePosition `cbor:"3,keyasint,omitempty"`
	Forks    []wireFork     `cbor:"4,keyasint,omitempty"`
	Records  [][]byte       `cbor:"5,keyasint,omitempty"`
	Asks     []wireAsk      `cbor:"6,keyasint,omitempty"`
	IDs      [][]byte       `cbor:"7,keyasint,omitempty"`
	Entries  [][]byte       `cbor:"8,keyasint,omitempty"`
	// Short says that the batch was full before every ask was served.
	Short bool `cbor:"9,keyasint,omitempty"`
}

type wirePosition struct {
	_           struct{} `cbor:",toarray"`
	Author      []byte
	Incarnation uint64
	Seq         uint64
	ID          []byte
}

type wireFork struct {
	_           struct{} `cbor:",toarray"`
	Author      []byte
	Incarnation uint64
	Seq         uint64
	A, B        []byte
}

type wireAsk struct {
	_           struct{} `cbor:",toarray"`
	Author      []byte
	Incarnation uint64
	Seq         uint64
	Limit       uint64
}

// codec is deterministic CBOR. The decoder accepts more than one form of a
// value, so decode compares a re-encoding.
type codec struct {
	enc cbor.EncMode
	dec cbor.DecMode
}

func newCodec() (*codec, error) {
	enc, err := cbor.CoreDetEncOptions().EncMode()
	if err != nil {
		return nil, fmt.Errorf("make CBOR encoder: %w", err)
	}
	dec, err := cbor.DecOptions{
		DupMapKey:         cbor.DupMapKeyEnforcedAPF,
		IndefLength:       cbor.IndefLengthForbidden,
		TagsMd:            cbor.TagsForbidden,
		MaxNestedLevels:   4,
		MaxArrayElements:  maxChains,
		MaxMapPairs:       16,
		ExtraReturnErrors: cbor.ExtraDecErrorUnknownField,
	}.DecMode()
	if err != nil {
		return nil, fmt.Errorf("make CBOR decoder: %w", err)
	}
	return &codec{enc, dec}, nil
}

// decode reads one value that fills b, in its only form.
func (c *codec) decode(b []byte, v any) error {
	if err := c.dec.Unmarshal(b, v); err != nil {
		return errFrame
	}
	again, err := c.enc.Marshal(v)
	if err != nil || !bytes.Equal(again, b) {
		return errFrame
	}
	return nil
}

// readFrame reads one length-prefixed frame of at most limit bytes. It takes
// memory as the bytes arrive, not as the length promises.
func readFrame(r io.Reader, limit int) ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(head[:])
	if n == 0 || int64(n) > int64(limit) {
		return nil, errFrame
	}
	var buf bytes.Buffer
	if _, err := io.CopyN(&buf, r, int64(n)); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	return buf.Bytes(), nil
}

// appendFrame returns the bytes of a frame with its length before it.
func appendFrame(body []byte) []byte {
	out := make([]byte, 4, 4+len(body))
	binary.BigEndian.PutUint32(out, uint32(len(body)))
	return append(out, body...)
}

// parse reads and checks a frame: every field within its limits, none that the
// kind does not have, every list in its only order.
func (c *codec) parse(b []byte) (*frame, error) {
	f := new(frame)
	if err := c.decode(b, f); err != nil {
		return nil, err
	}
	if !f.shape() {
		return nil, errFrame
	}
	return f, nil
}

func (f *frame) shape() bool {
	claim := len(f.Frontier) > 0 || len(f.Forks) > 0 || len(f.Records) > 0
	wants := len(f.Asks) > 0 || len(f.IDs) > 0
	gives := len(f.Entries) > 0 || f.Short
	switch f.Kind {
	case kindHello, kindClaim:
		return !wants && !gives && len(f.Group) == 32 && f.claimShape()
	case kindPull:
		return !claim && !gives && len(f.Group) == 0 && len(f.IDs) == 0 && f.asksShape()
	case kindFetch:
		return !claim && !gives && len(f.Group) == 0 && len(f.Asks) == 0 && f.idsShape()
	case kindEntries:
		return !claim && !wants && len(f.Group) == 0 && len(f.Entries) <= maxBatch
	case kindRefused:
		return !claim && !wants && !gives && len(f.Group) == 0
	}
	return false
}

func (f *frame) claimShape() bool {
	if len(f.Frontier) > maxChains || len(f.Forks) > maxChains || len(f.Records) > maxRecords {
		return false
	}
	var last journal.ChainKey
	for i, p := range f.Frontier {
		k, ok := chainKey(p.Author, p.Incarnation)
		if !ok || !seqOK(p.Seq) || len(p.ID) != 32 || (i > 0 && last.Compare(k) >= 0) {
			return false
		}
		last = k
	}
	for i, p := range f.Forks {
		k, ok := chainKey(p.Author, p.Incarnation)
		if !ok || !seqOK(p.Seq) || len(p.A) != 32 || len(p.B) != 32 ||
			bytes.Compare(p.A, p.B) >= 0 || (i > 0 && last.Compare(k) >= 0) {
			return false
		}
		last = k
	}
	for _, r := range f.Records {
		if len(r) == 0 || len(r) > maxRecord {
			return false
		}
	}
	return true
}

func (f *frame) asksShape() bool {
	if len(f.Asks) == 0 || len(f.Asks) > maxAsks {
		return false
	}
	for _, a := range f.Asks {
		if _, ok := chainKey(a.Author, a.Incarnation); !ok || !seqOK(a.Seq) || a.Limit < 1 || a.Limit > maxBatch {
			return false
		}
	}
	return true
}

func (f *frame) idsShape() bool {
	if len(f.IDs) == 0 || len(f.IDs) > maxFetch {
		return false
	}
	for _, id := range f.IDs {
		if len(id) != 32 {
			return false
		}
	}
	return true
}

func seqOK(seq uint64) bool { return seq >= 1 && seq <= journal.MaxSeq }

func chainKey(author []byte, incarnation uint64) (journal.ChainKey, bool) {
	if len(author) != 32 || incarnation < 1 || incarnation > uint64(journal.MaxIncarnation) {
		return journal.ChainKey{}, false
	}
	return journal.ChainKey{Author: journal.Author(author), Incarnation: uint8(incarnation)}, true
}
