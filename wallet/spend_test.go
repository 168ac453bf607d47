package wallet

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

func TestNewSpendErrors(t *testing.T) {
	cases := []struct {
		name   string
		change func(in *[]Input, out *[]Output)
		is     error
		says   string
	}{
		{"nothing wrong", func(*[]Input, *[]Output) {}, nil, ""},
		{"no inputs", func(in *[]Input, _ *[]Output) { *in = nil }, ErrNoInputs, ""},
		{"no outputs", func(_ *[]Input, out *[]Output) { *out = nil }, ErrNoOutputs, ""},
		{"same coin twice", func(in *[]Input, _ *[]Output) { (*in)[2].OutPoint = (*in)[0].OutPoint }, ErrDuplicateInput, "input 2"},
		{"coin of nothing", func(in *[]Input, _ *[]Output) { (*in)[1].Amount = 0 }, ErrAmount, "input 1"},
		{"coin below nothing", func(in *[]Input, _ *[]Output) { (*in)[1].Amount = -1 }, ErrAmount, "input 1"},
		{"coin above all money", func(in *[]Input, _ *[]Output) { (*in)[0].Amount = maxAmount + 1 }, ErrAmount, "input 0"},
		{"coins above all money", func(in *[]Input, _ *[]Output) { (*in)[1].Amount = maxAmount }, ErrAmount, "input 1"},
		{"coins that overflow", func(in *[]Input, _ *[]Output) { (*in)[1].Amount = 1<<63 - 1 }, ErrAmount, "input 1"},
		{"output of nothing", func(_ *[]Input, out *[]Output) { (*out)[0].Amount = 0 }, ErrAmount, "output 0"},
		{"output below nothing", func(_ *[]Input, out *[]Output) { (*out)[0].Amount = -5 }, ErrAmount, "output 0"},
		{"outputs above all money", func(_ *[]Input, out *[]Output) { (*out)[1].Amount = maxAmount }, ErrAmount, "output 1"},
		{"more out than in", func(_ *[]Input, out *[]Output) { (*out)[1].Amount = 260_001 }, ErrNegativeFee, ""},
		{"no script", func(_ *[]Input, out *[]Output) { (*out)[0].PkScript = nil }, ErrScript, "output 0"},
		{"long script", func(_ *[]Input, out *[]Output) { (*out)[0].PkScript = make([]byte, txscript.MaxScriptSize+1) }, ErrScript, "output 0"},
		{"third branch", func(in *[]Input, _ *[]Output) { (*in)[2].Branch = 2 }, ErrScriptIndex, "input 2"},
		{"hardened index", func(in *[]Input, _ *[]Output) { (*in)[2].Index = hardened }, ErrScriptIndex, "input 2"},
		{"too many outputs", func(_ *[]Input, out *[]Output) {
			for range 4000 {
				*out = append(*out, (*out)[0])
			}
		}, ErrTooHeavy, ""},
	}
	g := newTestGroup(t, ScriptWSH, 2, 3)
	for _, c := range cases {
		in, out := g.testParts(t, 3)
		c.change(&in, &out)
		_, err := NewSpend(g.d, in, out, 0)
		if !errors.Is(err, c.is) || (err == nil) != (c.is == nil) || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %v %q", c.name, err, c.is, c.says)
		}
	}
}

// TestSpendAtTheWeightLimit finds the most inputs that are accepted: the final
// transaction is standard, and one more input would not be.
func TestSpendAtTheWeightLimit(t *testing.T) {
	g := newTestGroup(t, ScriptWSH, 2, 3)
	n := (MaxTxWeight - 4*200) / g.d.InputWeight()
	for {
		in, out := g.testParts(t, n+1)
		if _, _, err := checkSpend(g.d, in, out); err != nil {
			if !errors.Is(err, ErrTooHeavy) {
				t.Fatal(err)
			}
			break
		}
		n++
	}
	in, out := g.testParts(t, n)
	_, weight, err := checkSpend(g.d, in, out)
	if err != nil || weight > MaxTxWeight || weight+g.d.InputWeight() <= MaxTxWeight {
		t.Errorf("%d inputs weigh %d (%v)", n, weight, err)
	}
}

func TestSpendTransaction(t *testing.T) {
	for _, st := range []ScriptType{ScriptWSH, ScriptSHWSH} {
		g := newTestGroup(t, st, 2, 3)
		in, out := g.testParts(t, 3)
		s, err := NewSpend(g.d, in, out, 800_000)
		if err != nil {
			t.Fatal(err)
		}
		tx := s.Tx()
		if tx.Version != 2 || tx.LockTime != 800_000 || s.LockTime() != 800_000 || s.Fee() != 10_000 || s.Descriptor() != g.d {
			t.Errorf("%s: version %d, locktime %d, fee %d", st, tx.Version, tx.LockTime, s.Fee())
		}
		for i, txIn := range tx.TxIn {
			if txIn.PreviousOutPoint != in[i].OutPoint || txIn.Sequence != 0xfffffffd || txIn.SignatureScript != nil || txIn.Witness != nil {
				t.Errorf("%s: input %d is %+v", st, i, txIn)
			}
		}
		for i, txOut := range tx.TxOut {
			if txOut.Value != out[i].Amount || !bytes.Equal(txOut.PkScript, out[i].PkScript) {
				t.Errorf("%s: output %d is %+v", st, i, txOut)
			}
		}
		if (tx.TxHash() == s.TxID()) != (st == ScriptWSH) {
			t.Errorf("%s: the txid must cover the scriptSig, where there is one", st)
		}
		// Nothing a caller holds reaches into the spend.
		want := s.TxID()
		in[0].Amount, out[0].PkScript[0] = 1, 0xff
		s.Inputs()[0].Amount, s.Outputs()[0].PkScript[0] = 1, 0xff
		tx.TxIn[0].Sequence, tx.TxOut[0].PkScript[0] = 1, 0xff
		final, err := s.Finalize(g.sign(t, s, 0, 1), nil)
		if err != nil || final.TxHash() != want || s.Inputs()[0].Amount != 100_000 {
			t.Errorf("%s: the spend changed (%v)", st, err)
		}
		final.TxIn[0].Witness[3][0] ^= 1
		if _, err := s.Finalize(g.sign(t, s, 0, 1), nil); err != nil {
			t.Errorf("%s: the final transaction shares memory: %v", st, err)
		}
	}
}

func TestCheckTx(t *testing.T) {
	g := newTestGroup(t, ScriptWSH, 2, 3)
	s := g.spend(t, 3)
	final, err := s.Finalize(g.sign(t, s, 0, 1), nil)
	if err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		name   string
		change func(tx *wire.MsgTx, prev *[]Output)
		is     error
		says   string
	}{
		{"nothing wrong", func(*wire.MsgTx, *[]Output) {}, nil, ""},
		{"other output", func(tx *wire.MsgTx, _ *[]Output) { tx.TxOut[0].Value-- }, ErrScriptFailed, "input 0"},
		{"other amount", func(_ *wire.MsgTx, prev *[]Output) { (*prev)[1].Amount++ }, ErrScriptFailed, "input 1"},
		{"no witness", func(tx *wire.MsgTx, _ *[]Output) { tx.TxIn[2].Witness = nil }, ErrScriptFailed, "input 2"},
		{"surplus item", func(tx *wire.MsgTx, _ *[]Output) {
			tx.TxIn[2].Witness = append(wire.TxWitness{nil}, tx.TxIn[2].Witness...)
		}, ErrScriptFailed, "input 2"},
		{"dummy not empty", func(tx *wire.MsgTx, _ *[]Output) { tx.TxIn[1].Witness[0] = []byte{1} }, ErrScriptFailed, "input 1"},
		{"signatures swapped", func(tx *wire.MsgTx, _ *[]Output) {
			w := tx.TxIn[1].Witness
			w[1], w[2] = w[2], w[1]
		}, ErrScriptFailed, "input 1"},
		{"high S", func(tx *wire.MsgTx, _ *[]Output) {
			w := tx.TxIn[1].Witness
			w[1] = append(highS(t, w[1][:len(w[1])-1]), 1)
		}, ErrScriptFailed, "input 1"},
		{"output unknown", func(_ *wire.MsgTx, prev *[]Output) { *prev = (*prev)[:2] }, ErrScriptFailed, "3 inputs, 2 outputs"},
		{"script empty", func(_ *wire.MsgTx, prev *[]Output) { (*prev)[0].PkScript = nil }, ErrScriptFailed, "input 0"},
		{"coin twice", func(tx *wire.MsgTx, _ *[]Output) { tx.TxIn[2].PreviousOutPoint = tx.TxIn[0].PreviousOutPoint }, ErrDuplicateInput, "input 2"},
		{"no inputs", func(tx *wire.MsgTx, prev *[]Output) { tx.TxIn, *prev = nil, nil }, ErrNoInputs, ""},
	}
	for _, c := range cases {
		tx, prev := final.Copy(), s.prevOutputs()
		c.change(tx, &prev)
		err := CheckTx(tx, prev)
		if !errors.Is(err, c.is) || (err == nil) != (c.is == nil) || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %v %q", c.name, err, c.is, c.says)
		}
	}
}

// TestEnginePanicIsAnError gives the engine nobody to ask for previous outputs.
func TestEnginePanicIsAnError(t *testing.T) {
	g := newTestGroup(t, ScriptWSH, 1, 1)
	s := g.spend(t, 1)
	tx := s.tx.Copy()
	tx.TxIn[0].Witness = wire.TxWitness{nil, g.sign(t, s, 0)[0].Bytes, s.scripts[0].WitnessScript}
	err := runEngine(tx, 0, s.prev[0], nil, nil, nil)
	if !errors.Is(err, ErrScriptFailed) || !strings.Contains(err.Error(), "engine panic") {
		t.Errorf("got %v", err)
	}
}
