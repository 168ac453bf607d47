package neutrino

import (
	"bytes"
	"errors"
	"io"
	"runtime"
	"testing"
	"time"

	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/chain/regtest"
)

func blockOf(t *testing.T, tx *wire.MsgTx) *wire.MsgBlock {
	t.Helper()
	p := regtest.Params()
	b, err := regtest.Block(p, regtest.Template{
		Prev: *p.GenesisHash, Height: 1, Time: p.GenesisBlock.Header.Timestamp.Add(time.Minute), PayTo: []byte{0x51}, Txs: []*wire.MsgTx{tx},
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func spendOf(items int) *wire.MsgTx {
	tx := wire.NewMsgTx(2)
	tx.AddTxIn(wire.NewTxIn(&wire.OutPoint{Index: 1}, nil, make(wire.TxWitness, items)))
	tx.AddTxOut(wire.NewTxOut(1, []byte{0x51}))
	return tx
}

// TestHeavyMessages: what is made to take memory does not reach the library, and
// is not decoded to be found.
func TestHeavyMessages(t *testing.T) {
	const items = 1_000_000
	honest, full := blockOf(t, spendOf(2)), blockOf(t, spendOf(items))
	swapped := blockOf(t, spendOf(2))
	swapped.Transactions[1].TxIn[0].Witness = make(wire.TxWitness, items)
	known := func(b *wire.MsgBlock) func(wire.BlockHeader) bool {
		return func(h wire.BlockHeader) bool { return h.BlockHash() == b.BlockHash() }
	}
	serialized := func(m wire.Message) []byte {
		var b bytes.Buffer
		if err := m.BtcEncode(&b, wire.ProtocolVersion, wire.WitnessEncoding); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	claim := append(make([]byte, 80), 1, 2, 0, 0, 0, 0xfe, 0, 0, 12, 0)
	for _, c := range []struct {
		name, command string
		payload       []byte
		known         func(wire.BlockHeader) bool
		heavy         bool
	}{
		{"honest block", wire.CmdBlock, serialized(honest), nil, false},
		{"true block of the chain", wire.CmdBlock, serialized(full), known(full), false},
		{"true block of another chain", wire.CmdBlock, serialized(full), known(honest), true},
		{"block with another witness", wire.CmdBlock, serialized(swapped), known(swapped), true},
		{"count that nothing follows", wire.CmdBlock, claim, nil, true},
		{"transaction", wire.CmdTx, serialized(spendOf(2)), nil, false},
		{"transaction of empty items", wire.CmdTx, serialized(spendOf(items)), nil, true},
		{"transaction that is a count", wire.CmdTx, claim[81:], nil, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			var in written
			if _, err := wire.WriteMessageWithEncodingN(&in.Buffer, rawMessage{c.command, c.payload}, wire.ProtocolVersion, chaincfg.RegressionNetParams.Net, wire.WitnessEncoding); err != nil {
				t.Fatal(err)
			}
			want := in.Len()
			i := &inspector{Conn: &in, heavy: func(command string, payload []byte) error { return tooHeavy(command, payload, c.known) }}
			b := make([]byte, 16<<10)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			sum := 0
			var err error
			for err == nil && sum < want {
				var n int
				n, err = i.Read(b)
				sum += n
			}
			runtime.ReadMemStats(&after)
			if errors.Is(err, errHeavy) != c.heavy || (sum == want) == c.heavy {
				t.Errorf("%d of %d bytes came through, %v", sum, want, err)
			}
			if took := after.TotalAlloc - before.TotalAlloc; took > 12*uint64(want)+1<<20 {
				t.Errorf("%d bytes took %d", want, took)
			}
		})
	}
}

// rawMessage is a message of any payload.
type rawMessage struct {
	command string
	payload []byte
}

func (m rawMessage) BtcDecode(io.Reader, uint32, wire.MessageEncoding) error { return nil }
func (m rawMessage) Command() string                                         { return m.command }
func (m rawMessage) MaxPayloadLength(uint32) uint32                          { return wire.MaxBlockPayload }
func (m rawMessage) BtcEncode(w io.Writer, _ uint32, _ wire.MessageEncoding) error {
	_, err := w.Write(m.payload)
	return err
}
