package p2ptest

import (
	"encoding/binary"
	"fmt"
	"io"
	"testing"

	"github.com/fxamacker/cbor/v2"

	"github.com/quorate/quorate/journal"
)

// This file speaks the sync protocol a second time, from its description, so
// that tests can say what an honest node never would.

// The kinds of frames.
const (
	KindHello   = 1
	KindClaim   = 2
	KindPull    = 3
	KindFetch   = 4
	KindEntries = 5
	KindRefused = 6
)

// Frame is a sync frame by field number.
type Frame map[int]any

// Hello makes a hello that claims one chain's end.
func Hello(g journal.GroupID, ends ...[]any) Frame {
	f := Frame{1: KindHello, 2: g[:]}
	if len(ends) > 0 {
		list := make([]any, len(ends))
		for i, e := range ends {
			list[i] = e
		}
		f[3] = list
	}
	return f
}

// End is one item of a frontier.
func End(c journal.ChainKey, seq uint64, id journal.EntryID) []any {
	return []any{c.Author[:], uint64(c.Incarnation), seq, id[:]}
}

// Encode returns the bytes of a frame with its length.
func Encode(t testing.TB, f Frame) []byte {
	t.Helper()
	enc, err := cbor.CoreDetEncOptions().EncMode()
	if err != nil {
		t.Fatal(err)
	}
	b, err := enc.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b...)
}

// ReadFrame reads one frame of any size up to 8 MiB.
func ReadFrame(r io.Reader) (Frame, error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(head[:])
	if n > 8<<20 {
		return nil, fmt.Errorf("frame of %d bytes", n)
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(r, b); err != nil {
		return nil, err
	}
	var f Frame
	if err := cbor.Unmarshal(b, &f); err != nil {
		return nil, err
	}
	return f, nil
}

// Kind returns a frame's kind.
func (f Frame) Kind() uint64 {
	k, _ := f[1].(uint64)
	return k
}
