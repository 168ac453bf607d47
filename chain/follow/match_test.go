package follow

import (
	"crypto/sha256"
	"maps"
	"slices"
	"testing"

	"github.com/btcsuite/btcd/address/v2"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"
	"pgregory.net/rapid"

	"github.com/quorate/quorate/coordinator/port"
)

// output is a script of one kind, and an input that spends it.
type output struct {
	script []byte
	in     wire.TxIn
	hidden bool // a spend does not show the script
}

func pushed(parts ...[]byte) []byte {
	var out []byte
	for _, p := range parts {
		if len(p) > 75 {
			out = append(out, txscript.OP_PUSHDATA1)
		}
		out = append(append(out, byte(len(p))), p...)
	}
	return out
}

func scriptHash(redeem []byte) []byte {
	return append(append([]byte{txscript.OP_HASH160, 20}, address.Hash160(redeem)...), txscript.OP_EQUAL)
}

func witnessScriptHash(witness []byte) []byte {
	h := sha256.Sum256(witness)
	return append([]byte{txscript.OP_0, 32}, h[:]...)
}

// outputs are one of each kind; n makes them differ from others.
func outputs(n byte) map[string]output {
	sig := slices.Repeat([]byte{n}, 71)
	key := append([]byte{2}, slices.Repeat([]byte{n}, 32)...)
	multi := slices.Concat([]byte{txscript.OP_1, 33}, key, []byte{txscript.OP_1, txscript.OP_CHECKMULTISIG})
	wpkh := append([]byte{txscript.OP_0, 20}, address.Hash160(key)...)
	wsh := witnessScriptHash(multi)
	pkh := slices.Concat([]byte{txscript.OP_DUP, txscript.OP_HASH160, 20}, address.Hash160(key), []byte{txscript.OP_EQUALVERIFY, txscript.OP_CHECKSIG})
	return map[string]output{
		"wsh":        {script: wsh, in: wire.TxIn{Witness: wire.TxWitness{{}, sig, multi}}},
		"wsh of two": {script: wsh, in: wire.TxIn{Witness: wire.TxWitness{sig, multi}}},
		"sh-wsh":     {script: scriptHash(wsh), in: wire.TxIn{SignatureScript: pushed(wsh), Witness: wire.TxWitness{{}, sig, multi}}},
		"sh":         {script: scriptHash(multi), in: wire.TxIn{SignatureScript: pushed(nil, sig, multi)}},
		"sh-wpkh":    {script: scriptHash(wpkh), in: wire.TxIn{SignatureScript: pushed(wpkh), Witness: wire.TxWitness{sig, key}}},
		"wpkh":       {script: wpkh, in: wire.TxIn{Witness: wire.TxWitness{sig, key}}},
		"pkh":        {script: pkh, in: wire.TxIn{SignatureScript: pushed(sig, key)}},
		"tr":         {script: append([]byte{txscript.OP_1, 32}, key[1:]...), in: wire.TxIn{Witness: wire.TxWitness{sig[:64]}}, hidden: true},
		"bare":       {script: multi, in: wire.TxIn{SignatureScript: pushed(nil, sig)}, hidden: true},
	}
}

// spendOf spends an output of an earlier transaction, or of none that is known.
func (o output) spendOf(from wire.OutPoint) *wire.MsgTx {
	in := o.in
	in.PreviousOutPoint = from
	other := outputs(200)["wpkh"]
	return &wire.MsgTx{
		TxIn:  []*wire.TxIn{{SignatureScript: other.in.SignatureScript, Witness: other.in.Witness}, &in},
		TxOut: []*wire.TxOut{{PkScript: other.script}},
	}
}

// TestMatchKinds finds the spend of each kind of output: by the script that it
// shows, or by an output that was seen to pay it; whatever else was watched
// before, and not before it is watched itself.
func TestMatchKinds(t *testing.T) {
	for name, o := range outputs(1) {
		for first, other := range outputs(2) {
			m := newMatcher()
			m.add([][]byte{other.script})
			unseen := o.spendOf(wire.OutPoint{Index: 7})
			if m.tx(unseen) {
				t.Errorf("%s after %s: matches before its script is watched", name, first)
			}
			m.add([][]byte{o.script})
			if m.tx(unseen) == o.hidden {
				t.Errorf("%s after %s: spend of an output that was not seen: match %v", name, first, !o.hidden)
			}
			if m.tx(other.spendOf(wire.OutPoint{Index: 8})) == other.hidden {
				t.Errorf("%s before %s: spend of an output that was not seen: match %v", first, name, !other.hidden)
			}
			pay := &wire.MsgTx{TxOut: []*wire.TxOut{{PkScript: []byte{1}}, {PkScript: o.script}, {PkScript: o.script}}}
			if !m.tx(pay) {
				t.Errorf("%s after %s: payment is not found", name, first)
			}
			for index := uint32(1); index < 3; index++ {
				if !m.tx(o.spendOf(wire.OutPoint{Hash: pay.TxHash(), Index: index})) {
					t.Errorf("%s after %s: spend of output %d is not found", name, first, index)
				}
			}
			if o.hidden && m.tx(o.spendOf(wire.OutPoint{Hash: pay.TxHash(), Index: 0})) {
				t.Errorf("%s after %s: spend of another's output matches", name, first)
			}
		}
	}
}

// TestKindWatchedLater finds payment and spend of a script whose kind was not
// watched while they went by, and a spend that comes afterwards.
func TestKindWatchedLater(t *testing.T) {
	for name, o := range outputs(1) {
		for first, other := range outputs(2) {
			s := newScript(40)
			pay := func(lock uint32) *wire.MsgTx {
				return &wire.MsgTx{LockTime: lock, TxOut: []*wire.TxOut{{PkScript: o.script}}}
			}
			early, late := pay(1), pay(2)
			s.blocks[10].Txs = append(s.blocks[10].Txs, early, late)
			s.blocks[30].Txs = append(s.blocks[30].Txs, o.spendOf(wire.OutPoint{Hash: early.TxHash()}))
			f, _ := begin(t, s, Options{Known: []port.BlockRef{s.ref(5)}, Scripts: [][]byte{other.script}})
			for height := 6; height < 40; height++ {
				expect(t, f, port.Connected, s.ref(height))
			}
			expect(t, f, port.CaughtUp, s.ref(39))
			if err := f.Watch(t.Context(), [][]byte{o.script}, 6); err != nil {
				t.Fatal(err)
			}
			t.Log(name, "after", first)
			expect(t, f, port.Rescanned, s.ref(10))
			expect(t, f, port.Rescanned, s.ref(30))
			expect(t, f, port.CaughtUp, s.ref(39))
			s.change(func() { s.pool = append(s.pool, o.spendOf(wire.OutPoint{Hash: late.TxHash()})) })
			if n := expect(t, f, port.Seen, s.ref(39)); len(n.Txs) != 1 {
				t.Errorf("%s after %s: saw %d spends", name, first, len(n.Txs))
			}
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

var kindNames = slices.Sorted(maps.Keys(outputs(0)))

// drawInput draws inputs of every kind, and what resembles them.
func drawInput(t *rapid.T) *wire.TxIn {
	part := rapid.OneOf(
		rapid.SliceOfN(rapid.Byte(), 0, 40),
		rapid.SliceOfN(rapid.Byte(), 33, 33),
		rapid.Map(rapid.SliceOfN(rapid.Byte(), 32, 32), func(b []byte) []byte { return append([]byte{2 + b[0]&1}, b...) }),
		rapid.SliceOfN(rapid.Byte(), 70, 73),
	)
	in := &wire.TxIn{PreviousOutPoint: wire.OutPoint{Index: uint32(rapid.IntRange(0, 5).Draw(t, "index"))}}
	if rapid.IntRange(0, 2).Draw(t, "like") == 0 {
		kinds := outputs(rapid.Byte().Draw(t, "n"))
		name := rapid.SampledFrom(kindNames).Draw(t, "kind")
		in.SignatureScript, in.Witness = kinds[name].in.SignatureScript, kinds[name].in.Witness
		return in
	}
	in.Witness = rapid.SliceOfN(part, 0, 4).Draw(t, "witness")
	switch rapid.IntRange(0, 3).Draw(t, "script") {
	case 0:
		in.SignatureScript = pushed(rapid.SliceOfN(part, 0, 3).Draw(t, "pushed")...)
	case 1:
		in.SignatureScript = rapid.SliceOfN(rapid.Byte(), 0, 120).Draw(t, "any")
	}
	return in
}

// plain is what an input spends, derived in the general way.
func plain(in *wire.TxIn) []byte {
	s, err := txscript.ComputePkScript(in.SignatureScript, in.Witness)
	if err != nil {
		return nil
	}
	return s.Script()
}

// TestMatchIsPlain: it finds exactly the transactions that pay a watched
// script, spend an output seen to pay one, or show one.
func TestMatchIsPlain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var txs []*wire.MsgTx
		var scripts [][]byte
		for range rapid.IntRange(1, 8).Draw(t, "txs") {
			tx := &wire.MsgTx{LockTime: uint32(len(txs))}
			for range rapid.IntRange(1, 3).Draw(t, "inputs") {
				in := drawInput(t)
				if len(txs) > 0 && rapid.Bool().Draw(t, "known") {
					in.PreviousOutPoint.Hash = txs[rapid.IntRange(0, len(txs)-1).Draw(t, "spends")].TxHash()
				}
				tx.TxIn = append(tx.TxIn, in)
				if s := plain(in); s != nil {
					scripts = append(scripts, s)
				}
			}
			kinds := outputs(rapid.Byte().Draw(t, "n paid"))
			for _, name := range kindNames {
				if o := kinds[name]; rapid.IntRange(0, 4).Draw(t, "pays") == 0 {
					tx.TxOut = append(tx.TxOut, &wire.TxOut{PkScript: o.script})
					scripts = append(scripts, o.script)
				}
			}
			txs = append(txs, tx)
		}
		m := newMatcher()
		watched, outs := map[string]bool{}, map[wire.OutPoint]bool{}
		for _, tx := range txs {
			if len(scripts) > 0 && rapid.Bool().Draw(t, "watch") { // further ones, at any time
				s := rapid.SampledFrom(scripts).Draw(t, "script")
				m.add([][]byte{s})
				watched[string(s)] = true
			}
			want := false
			for i, out := range tx.TxOut {
				if watched[string(out.PkScript)] {
					want = true
					outs[wire.OutPoint{Hash: tx.TxHash(), Index: uint32(i)}] = true
				}
			}
			for _, in := range tx.TxIn {
				want = want || outs[in.PreviousOutPoint] || watched[string(plain(in))]
			}
			if got := m.tx(tx); got != want {
				t.Fatalf("match %v, want %v", got, want)
			}
		}
	})
}
