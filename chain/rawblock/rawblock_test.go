package rawblock

import (
	"bytes"
	"errors"
	"runtime"
	"testing"
	"time"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/chain/regtest"
)

func spend(items ...[]byte) *wire.MsgTx {
	tx := wire.NewMsgTx(2)
	tx.AddTxIn(wire.NewTxIn(&wire.OutPoint{Index: 1}, []byte{1, 2, 3}, items))
	tx.AddTxIn(wire.NewTxIn(&wire.OutPoint{Index: 2}, nil, nil))
	tx.AddTxOut(wire.NewTxOut(1000, bytes.Repeat([]byte{0x51}, 300)))
	tx.AddTxOut(wire.NewTxOut(0, nil))
	return tx
}

func txBytes(t testing.TB, tx *wire.MsgTx) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := tx.Serialize(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func blockBytes(t testing.TB, block *wire.MsgBlock) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := block.Serialize(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func mined(t testing.TB, txs ...*wire.MsgTx) *wire.MsgBlock {
	t.Helper()
	p := regtest.Params()
	b, err := regtest.Block(p, regtest.Template{
		Prev: *p.GenesisHash, Height: 1, Time: p.GenesisBlock.Header.Timestamp.Add(10 * time.Minute), PayTo: []byte{0x51}, Txs: txs,
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// libraryCheck is what the library says of a block's commitments.
func libraryCheck(b *wire.MsgBlock) bool {
	block := btcutil.NewBlock(b)
	return len(b.Transactions) > 0 && blockchain.CalcMerkleRoot(block.Transactions(), false) == b.Header.MerkleRoot &&
		blockchain.ValidateWitnessCommitment(block) == nil
}

func TestCheck(t *testing.T) {
	one, many := spend([]byte{1}, make([]byte, 70)), spend(make([][]byte, 100)...)
	for name, block := range map[string]*wire.MsgBlock{
		"coinbase alone": mined(t), "one": mined(t, one), "two": mined(t, one, spend()), "three": mined(t, one, many, spend([]byte{9})),
	} {
		raw := blockBytes(t, block)
		s, err := Check(raw)
		if err != nil || s.Size != len(raw) || s.Base != block.SerializeSizeStripped() || s.Txs != len(block.Transactions) {
			t.Errorf("%s: %+v, %v", name, s, err)
		}
		for what, edit := range map[string]func(*wire.MsgBlock){
			"a changed output": func(b *wire.MsgBlock) { b.Transactions[len(b.Transactions)-1].TxOut[0].Value++ },
			"a missing one":    func(b *wire.MsgBlock) { b.Transactions = b.Transactions[:len(b.Transactions)-1] },
			"an added witness": func(b *wire.MsgBlock) {
				in := b.Transactions[len(b.Transactions)-1].TxIn[0]
				in.Witness = append(in.Witness, nil)
			},
			"another coinbase":    func(b *wire.MsgBlock) { b.Transactions[0].LockTime++ },
			"other order":         func(b *wire.MsgBlock) { b.Transactions = append(b.Transactions[1:], b.Transactions[0]) },
			"a witness left out":  func(b *wire.MsgBlock) { b.Transactions[0].TxIn[0].Witness = nil },
			"a changed reserved ": func(b *wire.MsgBlock) { b.Transactions[0].TxIn[0].Witness = wire.TxWitness{make([]byte, 31)} },
		} {
			var other wire.MsgBlock
			if err := other.Deserialize(bytes.NewReader(raw)); err != nil {
				t.Fatal(err)
			}
			edit(&other)
			want := libraryCheck(&other)
			if _, err := Check(blockBytes(t, &other)); (err == nil) != want || (err != nil && !errors.Is(err, ErrFalse)) {
				t.Errorf("%s, %s: %v, the library says %v", name, what, err, want)
			}
		}
		for _, cut := range []int{0, 79, 80, 81, len(raw) - 1} {
			if _, err := Check(raw[:cut]); err == nil {
				t.Errorf("%s, cut to %d bytes: taken", name, cut)
			}
		}
		if _, err := Check(append(bytes.Clone(raw), 0)); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s, with a byte after it: %v", name, err)
		}
	}
}

// TestDecodeLeavesOut: what no wallet of ours can have in its witness is not kept,
// and no id changes.
func TestDecodeLeavesOut(t *testing.T) {
	long, mixed := spend(make([][]byte, 33)...), spend(make([][]byte, 5)...)
	mixed.TxIn[1].Witness = wire.TxWitness{{1}, {2, 3}}
	multisig := wire.TxWitness{nil}
	for range 20 {
		multisig = append(multisig, make([]byte, 71))
	}
	ours := spend(append(multisig, make([]byte, 20*34+3))...)
	block := mined(t, long, mixed, ours, spend(nil, nil))
	raw := blockBytes(t, block)
	s, err := Check(raw)
	if err != nil || s.Sparse != 2 {
		t.Fatalf("%+v, %v", s, err)
	}
	got, err := Decode(raw, s)
	if err != nil {
		t.Fatal(err)
	}
	txs := got.Transactions
	for i, tx := range txs {
		if tx.TxHash() != block.Transactions[i].TxHash() {
			t.Errorf("transaction %d has another id", i)
		}
		alone, _, err := DecodeTx(txBytes(t, block.Transactions[i]))
		if err != nil || alone.WitnessHash() != tx.WitnessHash() {
			t.Errorf("transaction %d is another one alone: %v", i, err)
		}
	}
	if txs[1].HasWitness() || len(txs[2].TxIn[0].Witness) != 0 || len(txs[2].TxIn[1].Witness) != 2 || len(txs[3].TxIn[0].Witness) != 22 || len(txs[4].TxIn[0].Witness) != 2 {
		t.Error("another witness than the sparse ones was left out, or one of those was kept")
	}
}

// TestHeld: a block of the most costly parts takes no more than it is counted for,
// nor more than four times its bytes in hex, which is how it arrives.
func TestHeld(t *testing.T) {
	inputs, items := wire.NewMsgTx(2), wire.NewMsgTx(2)
	for i := range 4_000 {
		inputs.AddTxIn(wire.NewTxIn(&wire.OutPoint{Index: uint32(i)}, nil, make(wire.TxWitness, 3)))
	}
	outs := wire.NewMsgTx(2)
	outs.AddTxIn(wire.NewTxIn(&wire.OutPoint{Index: 7}, nil, nil))
	for range 20_000 {
		outs.AddTxOut(wire.NewTxOut(1, nil))
	}
	inputs.AddTxOut(wire.NewTxOut(1, nil))
	items.AddTxIn(wire.NewTxIn(&wire.OutPoint{Index: 8}, nil, make(wire.TxWitness, 1_000_000)))
	items.AddTxOut(wire.NewTxOut(1, nil))
	for name, tx := range map[string]*wire.MsgTx{"inputs": inputs, "outputs": outs, "items": items} {
		raw := blockBytes(t, mined(t, tx))
		s, err := Check(raw)
		if err != nil {
			t.Fatal(err)
		}
		before := live()
		block, err := Decode(raw, s)
		if err != nil {
			t.Fatal(err)
		}
		held := live() - before
		runtime.KeepAlive(block)
		if held > int64(s.Held())+100_000 || held > 8*int64(len(raw)) {
			t.Errorf("%s: %d bytes take %d decoded, counted as %d", name, len(raw), held, s.Held())
		}
	}
}

func live() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// TestClaims: a count is believed only as far as there are bytes for it.
func TestClaims(t *testing.T) {
	head := make([]byte, 80)
	inputs := append([]byte{2, 0, 0, 0}, 0xfe, 0x00, 0x00, 0x0c, 0x00) // 786,432 of them
	for name, raw := range map[string][]byte{
		"transactions": append(bytes.Clone(head), 0xfe, 0, 0, 1, 0),
		"inputs":       append(append(bytes.Clone(head), 1), inputs...),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := Check(raw)
		runtime.ReadMemStats(&after)
		if !errors.Is(err, ErrMalformed) || after.TotalAlloc-before.TotalAlloc > 100_000 {
			t.Errorf("%s: %v after %d bytes", name, err, after.TotalAlloc-before.TotalAlloc)
		}
	}
	if _, err := MeasureTx(inputs); !errors.Is(err, ErrMalformed) {
		t.Errorf("inputs that are not there: %v", err)
	}
}

// FuzzTx: what is read here is what the library decodes, of the same size and id.
func FuzzTx(f *testing.F) {
	for _, tx := range []*wire.MsgTx{spend(), spend([]byte{1}), spend(nil, make([]byte, 300)), spend(make([][]byte, 34)...)} {
		f.Add(txBytes(f, tx))
	}
	f.Add([]byte{2, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, raw []byte) {
		s, err := MeasureTx(raw)
		if err != nil {
			s = Shape{}
		}
		if s.Inputs > 1<<12 || len(raw) > 1<<16 {
			return
		}
		var msg wire.MsgTx
		r := bytes.NewReader(raw)
		werr := msg.Deserialize(r)
		if ok := werr == nil && r.Len() == 0; ok != (err == nil) {
			t.Fatalf("read: %v, decoded: %v, %d bytes are left", err, werr, r.Len())
		}
		if err != nil {
			return
		}
		read, err := readTx(raw)
		if err != nil || read.id() != msg.TxHash() || (read.segwit && read.wid() != msg.WitnessHash()) {
			t.Fatalf("another id: %v", err)
		}
		items := 0
		for _, in := range msg.TxIn {
			items += len(in.Witness)
		}
		if s.Inputs != len(msg.TxIn) || s.Outputs != len(msg.TxOut) || s.Items != items || s.Size != msg.SerializeSize() || s.Base != msg.SerializeSizeStripped() {
			t.Fatalf("measured %+v", s)
		}
		short, _, err := DecodeTx(raw)
		if err != nil || short.TxHash() != msg.TxHash() {
			t.Fatalf("without its long witnesses: %v", err)
		}
	})
}

// FuzzBlock: what passes is what the library's checks pass.
func FuzzBlock(f *testing.F) {
	for _, b := range []*wire.MsgBlock{mined(f), mined(f, spend([]byte{1})), mined(f, spend(make([][]byte, 40)...), spend())} {
		f.Add(blockBytes(f, b))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		s, err := Check(raw)
		if err != nil || s.Inputs > 1<<12 {
			return
		}
		var msg wire.MsgBlock
		if err := msg.Deserialize(bytes.NewReader(raw)); err != nil || !libraryCheck(&msg) {
			t.Fatalf("passed here and not there: %v", err)
		}
		short, err := Decode(raw, s)
		if err != nil || len(short.Transactions) != len(msg.Transactions) {
			t.Fatalf("decoded: %v", err)
		}
		ids := map[chainhash.Hash]bool{}
		for i, tx := range short.Transactions {
			if tx.TxHash() != msg.Transactions[i].TxHash() {
				t.Fatal("another id")
			}
			ids[tx.TxHash()] = true
		}
	})
}
