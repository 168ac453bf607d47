package wallet

import (
	"bytes"
	"errors"
	"testing"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/wallet/psbt"
)

// fundedSpend returns a spend of two outputs of one real previous transaction.
func fundedSpend(t *testing.T, g testGroup) (*Spend, map[chainhash.Hash]*wire.MsgTx) {
	t.Helper()
	prev := wire.NewMsgTx(2)
	prev.AddTxIn(&wire.TxIn{PreviousOutPoint: testOutPoint(1)})
	in, out := g.testParts(t, 2)
	for i := range in {
		script, err := g.d.Script(in[i].Branch, in[i].Index)
		if err != nil {
			t.Fatal(err)
		}
		prev.AddTxOut(&wire.TxOut{Value: in[i].Amount, PkScript: script.PkScript})
	}
	for i := range in {
		in[i].OutPoint = wire.OutPoint{Hash: prev.TxHash(), Index: uint32(i)}
	}
	s, err := NewSpend(g.d, in, out, 123)
	if err != nil {
		t.Fatal(err)
	}
	return s, map[chainhash.Hash]*wire.MsgTx{prev.TxHash(): prev}
}

// TestPSBTRoundTrip writes a packet, reads it back as the same spend, and
// carries signatures in it.
func TestPSBTRoundTrip(t *testing.T) {
	for _, st := range []ScriptType{ScriptWSH, ScriptSHWSH} {
		for _, version := range []int{0, 2} {
			for _, withPrev := range []bool{false, true} {
				g := newTestGroup(t, st, 2, 3)
				s, prev := fundedSpend(t, g)
				if !withPrev {
					prev = nil
				}
				p, err := s.PSBT(version, prev, OwnOutput{Output: 1, Branch: BranchChange, Index: 7})
				if err != nil {
					t.Fatal(err)
				}
				if len(p.XPubs) != 3 || len(p.Outputs[1].Derivations) != 3 || len(p.Outputs[0].Derivations) != 0 {
					t.Errorf("%d xpubs, %d derivations of change", len(p.XPubs), len(p.Outputs[1].Derivations))
				}
				for _, sig := range g.sign(t, s, 2, 0) {
					in := &p.Inputs[sig.Input]
					in.PartialSigs = append(in.PartialSigs, psbt.PartialSig{PubKey: s.scripts[sig.Input].PubKeys[sig.Key], Signature: sig.Bytes})
				}
				raw, err := p.Bytes()
				if err != nil {
					t.Fatal(err)
				}
				read, err := psbt.Parse(raw)
				if err != nil {
					t.Fatal(err)
				}
				again, err := SpendFromPSBT(g.d, read)
				if err != nil {
					t.Fatal(err)
				}
				if again.TxID() != s.TxID() || again.Fee() != s.Fee() || again.LockTime() != 123 || again.Inputs()[1] != s.Inputs()[1] {
					t.Errorf("%s v%d: another spend came back", st, version)
				}
				sigs, err := s.SignaturesFromPSBT(read)
				if err != nil || len(sigs) != 4 {
					t.Fatalf("%d signatures (%v)", len(sigs), err)
				}
				if _, err := again.Finalize(sigs, nil); err != nil {
					t.Error(err)
				}
			}
		}
	}
}

func TestPSBTErrors(t *testing.T) {
	g := newTestGroup(t, ScriptWSH, 2, 3)
	s, prev := fundedSpend(t, g)
	if _, err := s.PSBT(1, nil); !errors.Is(err, psbt.ErrVersion) {
		t.Errorf("version 1: %v", err)
	}
	for name, own := range map[string]OwnOutput{
		"another's": {Output: 0, Branch: 1, Index: 7}, "other index": {Output: 1, Branch: 1, Index: 8},
		"no such output": {Output: 2, Branch: 1, Index: 7}, "negative": {Output: -1, Branch: 1, Index: 7},
	} {
		if _, err := s.PSBT(2, nil, own); !errors.Is(err, ErrForeignTx) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := s.PSBT(2, nil, OwnOutput{Output: 1, Branch: 2}); !errors.Is(err, ErrScriptIndex) {
		t.Errorf("third branch: %v", err)
	}
	for hash, tx := range prev {
		lie := tx.Copy()
		lie.TxOut[0].Value++
		if _, err := s.PSBT(2, map[chainhash.Hash]*wire.MsgTx{hash: lie}); !errors.Is(err, ErrPrevTx) {
			t.Errorf("another previous transaction: %v", err)
		}
	}
}

func TestSpendFromPSBTErrors(t *testing.T) {
	g := newTestGroup(t, ScriptWSH, 2, 3)
	other := newTestGroup(t, ScriptWSH, 1, 3)
	seq := uint32(0xffffffff)
	cases := []struct {
		name   string
		d      *Descriptor
		change func(p *psbt.Packet)
		is     error
	}{
		{"nothing wrong", g.d, func(*psbt.Packet) {}, nil},
		{"another wallet's", other.d, func(*psbt.Packet) {}, ErrForeignInput},
		{"version 1", g.d, func(p *psbt.Packet) { p.TxVersion = 1 }, ErrForeignTx},
		{"final sequence", g.d, func(p *psbt.Packet) { p.Inputs[1].Sequence = &seq }, ErrForeignTx},
		{"no derivations", g.d, func(p *psbt.Packet) { p.Inputs[1].Derivations = nil }, ErrForeignInput},
		{"wrong index", g.d, func(p *psbt.Packet) {
			for i := range p.Inputs[1].Derivations {
				p.Inputs[1].Derivations[i].Origin.Path[5]++
			}
		}, ErrForeignInput},
		{"hardened index", g.d, func(p *psbt.Packet) {
			for i := range p.Inputs[1].Derivations {
				p.Inputs[1].Derivations[i].Origin.Path[5] += hardened
			}
		}, ErrForeignInput},
		{"short paths", g.d, func(p *psbt.Packet) {
			for i := range p.Inputs[1].Derivations {
				p.Inputs[1].Derivations[i].Origin.Path = nil
			}
		}, ErrForeignInput},
		{"foreign fingerprints", g.d, func(p *psbt.Packet) {
			for i := range p.Inputs[1].Derivations {
				p.Inputs[1].Derivations[i].Origin.Fingerprint[0] ^= 1
			}
		}, ErrForeignInput},
		{"spent output unknown", g.d, func(p *psbt.Packet) { p.Inputs[0].WitnessUTXO = nil }, psbt.ErrMissing},
		{"outputs exceed inputs", g.d, func(p *psbt.Packet) { p.Outputs[0].Amount += 1_000_000 }, ErrNegativeFee},
		{"one right derivation is enough", g.d, func(p *psbt.Packet) {
			for i := range p.Inputs[1].Derivations[:2] {
				p.Inputs[1].Derivations[i].Origin.Fingerprint[0] ^= 1
			}
		}, nil},
	}
	for _, c := range cases {
		s, _ := fundedSpend(t, g)
		p, err := s.PSBT(2, nil)
		if err != nil {
			t.Fatal(err)
		}
		c.change(p)
		if _, err := SpendFromPSBT(c.d, p); !errors.Is(err, c.is) || (err == nil) != (c.is == nil) {
			t.Errorf("%s: %v, want %v", c.name, err, c.is)
		}
	}
}

func TestSignaturesFromPSBTErrors(t *testing.T) {
	g := newTestGroup(t, ScriptWSH, 2, 3)
	s, _ := fundedSpend(t, g)
	p, err := s.PSBT(0, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.spend(t, 2).SignaturesFromPSBT(p); !errors.Is(err, ErrForeignTx) {
		t.Errorf("another transaction: %v", err)
	}
	sig := g.sign(t, s, 0)[0]
	p.Inputs[1].PartialSigs = []psbt.PartialSig{{PubKey: s.scripts[0].PubKeys[0], Signature: sig.Bytes}}
	if _, err := s.SignaturesFromPSBT(p); !errors.Is(err, ErrSignatureKey) {
		t.Errorf("key of another input: %v", err)
	}
	// Of a witness, only what verifies comes out.
	p.Inputs[1].PartialSigs = nil
	for name, witness := range map[string]wire.TxWitness{
		"empty": nil, "short": {nil, sig.Bytes}, "long": make(wire.TxWitness, 1000),
		"nonsense": {nil, bytes.Repeat([]byte{1}, 70), nil},
	} {
		p.Inputs[0].FinalWitness = witness
		if sigs, err := s.SignaturesFromPSBT(p); err != nil || len(sigs) != 0 {
			t.Errorf("%s: %v (%v)", name, sigs, err)
		}
	}
}
