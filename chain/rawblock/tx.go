// Package rawblock reads blocks and transactions in their serialized form,
// without decoding them. What others send can then be measured and checked
// before it takes memory: a witness item of one byte takes 24 once decoded, and
// the decoder believes a count before it has seen what is counted.
package rawblock

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

// Errors of what cannot be read or is not what it claims to be.
var (
	ErrMalformed = errors.New("malformed")
	ErrFalse     = errors.New("not what its header commits to")
)

// Shape is how large something is, serialized and decoded.
type Shape struct {
	Txs, Inputs, Outputs int
	// Items are those of all witnesses; Sparse is how many witnesses are sparse.
	Items, Sparse int
	// Size and Base are bytes, with and without witnesses.
	Size, Base int
}

// Weight is in weight units (BIP141).
func (s Shape) Weight() int { return 3*s.Base + s.Size }

// What a part takes decoded, in bytes, with what the allocator rounds up to.
const (
	txHeld     = 160
	inputHeld  = 116
	outputHeld = 48
	itemHeld   = 26
)

// Held is about how many bytes it takes decoded.
func (s Shape) Held() int {
	return s.Txs*txHeld + s.Inputs*inputHeld + s.Outputs*outputHeld + s.Items*itemHeld + s.Size
}

func (s *Shape) add(o Shape) {
	s.Txs, s.Inputs, s.Outputs, s.Items = s.Txs+o.Txs, s.Inputs+o.Inputs, s.Outputs+o.Outputs, s.Items+o.Items
	s.Size, s.Base, s.Sparse = s.Size+o.Size, s.Base+o.Base, s.Sparse+o.Sparse
}

// tx is where the parts of a serialized transaction lie.
type tx struct {
	raw []byte
	Shape
	segwit bool
	body   []byte // inputs and outputs with their counts
	stacks []byte // the witnesses
}

// MeasureTx walks through a serialized transaction. It returns ErrMalformed for
// what is none, or has bytes after its end.
func MeasureTx(raw []byte) (Shape, error) {
	t, err := readTx(raw)
	if err == nil && len(t.raw) != len(raw) {
		err = fmt.Errorf("%w: bytes after the transaction", ErrMalformed)
	}
	return t.Shape, err
}

// readTx walks through the transaction with which b begins.
func readTx(b []byte) (tx, error) {
	r := reader{b: b}
	t := tx{Shape: Shape{Txs: 1}}
	r.skip(4)
	from := r.at
	n := r.count()
	if n == 0 { // BIP144
		t.segwit = true
		if flag := r.skip(1); len(flag) == 1 && flag[0] != 1 {
			r.bad = true
		}
		from = r.at
		n = r.count()
	}
	// Each turn takes bytes or ends, whatever the count claims.
	for i := uint64(0); i < n && !r.bad; i++ {
		r.skip(36)
		r.skip(r.count())
		r.skip(4)
		t.Inputs++
	}
	n = r.count()
	for i := uint64(0); i < n && !r.bad; i++ {
		r.skip(8)
		r.skip(r.count())
		t.Outputs++
	}
	if r.bad {
		return tx{}, fmt.Errorf("%w: transaction", ErrMalformed)
	}
	t.body = b[from:r.at]
	if t.segwit {
		from = r.at
		for i := 0; i < t.Inputs && !r.bad; i++ {
			n, sparse := r.stack()
			t.Items += n
			if sparse {
				t.Sparse++
			}
		}
		r.bad = r.bad || t.Items == 0
		t.stacks = b[from:r.at]
	}
	r.skip(4)
	if r.bad {
		return tx{}, fmt.Errorf("%w: transaction", ErrMalformed)
	}
	t.raw = b[:r.at]
	t.Size, t.Base = r.at, 8+len(t.body)
	return t, nil
}

// id is the transaction's, and wid its hash with the witness (BIP141).
func (t tx) id() chainhash.Hash {
	h := sha256.New()
	h.Write(t.raw[:4]) // a hash takes everything
	h.Write(t.body)
	h.Write(t.raw[len(t.raw)-4:])
	return sha256.Sum256(h.Sum(nil))
}

func (t tx) wid() chainhash.Hash { return chainhash.DoubleHashH(t.raw) }

// trim appends the transaction without its sparse witnesses.
func (t tx) trim(out []byte) []byte {
	if t.Sparse == 0 {
		return append(out, t.raw...)
	}
	r := reader{b: t.stacks}
	var kept []byte
	some := false
	for range t.Inputs {
		from := r.at
		n, sparse := r.stack()
		if sparse {
			kept = append(kept, 0)
			continue
		}
		some = some || n > 0
		kept = append(kept, t.stacks[from:r.at]...)
	}
	out = append(out, t.raw[:4]...)
	if some {
		out = append(out, 0, 1)
	}
	out = append(out, t.body...)
	if some {
		out = append(out, kept...)
	}
	return append(out, t.raw[len(t.raw)-4:]...)
}

// DecodeTx decodes a transaction, without sparse witnesses: see Decode. It
// returns ErrMalformed for what is none, or has bytes after its end.
func DecodeTx(raw []byte) (*wire.MsgTx, Shape, error) {
	t, err := readTx(raw)
	if err == nil && len(t.raw) != len(raw) {
		err = fmt.Errorf("%w: bytes after the transaction", ErrMalformed)
	}
	if err != nil {
		return nil, Shape{}, err
	}
	if t.Sparse > 0 {
		if t, err = readTx(t.trim(nil)); err != nil {
			return nil, Shape{}, err
		}
	}
	msg := new(wire.MsgTx)
	if err := msg.Deserialize(bytes.NewReader(t.raw)); err != nil {
		return nil, Shape{}, fmt.Errorf("%w: transaction", ErrMalformed)
	}
	return msg, t.Shape, nil
}

// reader goes through bytes; bad says that they ended too early.
type reader struct {
	b   []byte
	at  int
	bad bool
}

func (r *reader) skip(n uint64) []byte {
	if r.bad || n > uint64(len(r.b)-r.at) {
		r.bad = true
		return nil
	}
	from := r.at
	r.at += int(n)
	return r.b[from:r.at]
}

// count reads a number in Bitcoin's variable form, which must be its shortest.
func (r *reader) count() uint64 {
	first := r.skip(1)
	if r.bad {
		return 0
	}
	var n, least uint64
	switch first[0] {
	case 0xfd:
		if b := r.skip(2); b != nil {
			n, least = uint64(binary.LittleEndian.Uint16(b)), 0xfd
		}
	case 0xfe:
		if b := r.skip(4); b != nil {
			n, least = uint64(binary.LittleEndian.Uint32(b)), 1<<16
		}
	case 0xff:
		if b := r.skip(8); b != nil {
			n, least = binary.LittleEndian.Uint64(b), 1<<32
		}
	default:
		return uint64(first[0])
	}
	if n < least {
		r.bad = true
	}
	return n
}

// stack reads one witness, and returns how many items it has and whether it is
// sparse: of so many short items that it takes far more memory than bytes. To
// spend from a multisig takes signatures, and from a hash of a key two items.
func (r *reader) stack() (n int, sparse bool) {
	from, count := r.at, r.count()
	for ; uint64(n) < count && !r.bad; n++ {
		r.skip(r.count())
	}
	return n, n > 2+(r.at-from)/4
}
