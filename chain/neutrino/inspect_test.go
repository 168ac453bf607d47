package neutrino

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

// FuzzInspector: whatever a peer sends, in whatever pieces, comes through as it
// is, and each whole filter is looked at once.
func FuzzInspector(f *testing.F) {
	var seed bytes.Buffer
	for _, m := range []wire.Message{
		wire.NewMsgVerAck(), wire.NewMsgCFilter(wire.GCSFilterRegular, &chainhash.Hash{1}, []byte{1, 2, 3}),
		wire.NewMsgTx(2), wire.NewMsgPing(7), wire.NewMsgCFilter(wire.GCSFilterRegular, &chainhash.Hash{2}, make([]byte, 300)),
	} {
		if err := wire.WriteMessage(&seed, m, wire.ProtocolVersion, chaincfg.RegressionNetParams.Net); err != nil {
			f.Fatal(err)
		}
	}
	f.Add(seed.Bytes(), 1)
	f.Add(seed.Bytes(), 1000)
	f.Add(append(bytes.Repeat([]byte{0xff}, messageHeader), seed.Bytes()...), 40)
	f.Fuzz(func(t *testing.T, data []byte, piece int) {
		piece = min(max(piece, 1), 1<<16)
		look := func(piece int) (seen []chainhash.Hash) {
			var in written
			in.Buffer.Write(data)
			i := &inspector{Conn: &in, check: func(m *wire.MsgCFilter) error {
				seen = append(seen, m.BlockHash)
				return nil
			}, heavy: func(command string, payload []byte) error {
				_ = tooHeavy(command, payload, nil) // whatever it is, it is read
				seen = append(seen, chainhash.HashH(payload))
				return nil
			}}
			var out []byte
			b := make([]byte, piece)
			for {
				n, err := i.Read(b)
				out = append(out, b[:n]...)
				if err == io.EOF {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
				if len(i.keep) > len(data) {
					t.Fatalf("%d bytes are held", len(i.keep))
				}
			}
			if !bytes.Equal(out, data) {
				t.Fatal("it came through changed")
			}
			return seen
		}
		one, other := look(piece), look(1<<17)
		if len(one) != len(other) {
			t.Fatalf("in pieces of %d bytes %d filters, at once %d", piece, len(one), len(other))
		}
		if bytes.Equal(data, seed.Bytes()) && len(one) != 3 {
			t.Fatalf("%d filters of two, and a transaction, were looked at", len(one))
		}
	})
}

// Nothing of a bad filter reaches the library, and the connection ends.
func TestInspectorStops(t *testing.T) {
	var in written
	m := wire.NewMsgCFilter(wire.GCSFilterRegular, &chainhash.Hash{1}, []byte{1})
	if err := wire.WriteMessage(&in.Buffer, m, wire.ProtocolVersion, chaincfg.RegressionNetParams.Net); err != nil {
		t.Fatal(err)
	}
	i := &inspector{Conn: &in, check: func(*wire.MsgCFilter) error { return errBadFilter }}
	b := make([]byte, 1000)
	for range 2 {
		if n, err := i.Read(b); n != 0 || !errors.Is(err, errBadFilter) {
			t.Errorf("%d bytes, %v", n, err)
		}
	}
}
