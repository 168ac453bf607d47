package wallet

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcec/v2/ecdsa"
	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"
	"pgregory.net/rapid"
)

// TestSpendEndToEnd signs, verifies and finalizes through the engine, with both
// script types, several sizes, with the first and the last k keys.
func TestSpendEndToEnd(t *testing.T) {
	sizes := [][2]int{{1, 2}, {2, 3}, {3, 5}, {11, 15}, {20, 20}}
	for _, st := range []ScriptType{ScriptWSH, ScriptSHWSH} {
		for _, size := range sizes {
			k, n := size[0], size[1]
			t.Run(fmt.Sprintf("%s %d of %d", st, k, n), func(t *testing.T) {
				g := newTestGroup(t, st, k, n)
				s := g.spend(t, 2)
				for _, first := range []int{0, n - k} {
					var who []int
					for i := range k {
						who = append(who, first+i)
					}
					sigs := g.sign(t, s, who...)
					cache := NewSigCache(1000)
					for i, err := range s.VerifyAll(sigs, cache) {
						if err != nil {
							t.Fatalf("signature %d: %v", i, err)
						}
					}
					tx, err := s.Finalize(sigs, cache)
					if err != nil {
						t.Fatal(err)
					}
					checkFinal(t, s, tx)
					if _, err := s.Finalize(sigs[:len(sigs)-1], cache); !errors.Is(err, ErrMissingSignatures) {
						t.Errorf("with one signature less: %v", err)
					}
				}
			})
		}
	}
}

// checkFinal checks a final transaction with a fresh engine and against what
// the spend promised of it.
func checkFinal(t *testing.T, s *Spend, tx *wire.MsgTx) {
	t.Helper()
	if err := CheckTx(tx, s.prevOutputs()); err != nil {
		t.Error(err)
	}
	if tx.TxHash() != s.TxID() {
		t.Errorf("txid %s, want %s", tx.TxHash(), s.TxID())
	}
	weight := blockchain.GetTransactionWeight(btcutil.NewTx(tx))
	// Low R and now and then a shorter S save a few bytes a signature.
	slack := int64(len(tx.TxIn) * s.d.threshold * 4)
	if most := int64(s.weight); weight > most || weight < most-slack {
		t.Errorf("weight %d, promised at most %d", weight, most)
	}
	if vsize := (weight + 3) / 4; vsize > s.VSize() {
		t.Errorf("size %d vB, promised %d", vsize, s.VSize())
	}
}

// TestManyInputs takes the path with the shared midstate, beyond maxReplayInputs.
func TestManyInputs(t *testing.T) {
	g := newTestGroup(t, ScriptWSH, 2, 3)
	s := g.spend(t, maxReplayInputs+1)
	sigs := g.sign(t, s, 2, 0)
	tx, err := s.Finalize(sigs, nil)
	if err != nil {
		t.Fatal(err)
	}
	checkFinal(t, s, tx)
}

// otherSignature returns a second valid signature by the same key: another nonce.
func otherSignature(t interface{ Fatalf(string, ...any) }, g testGroup, s *Spend, input, who int) Signature {
	branches, err := g.accounts[who].branchKeys(g.d.branches[who])
	if err != nil {
		t.Fatalf("derive: %v", err)
	}
	in := s.in[input]
	priv, err := branches[in.Branch].child(in.Index)
	if err != nil {
		t.Fatalf("derive: %v", err)
	}
	key := priv.Bytes()
	var e btcec.ModNScalar
	e.SetBytes(&s.hashes[input])
	extra := bytes.Repeat([]byte{0xff}, 32)
	for i := uint32(0); ; i++ {
		r, sv, ok := signOnce(&priv, &e, btcec.NonceRFC6979(key[:], s.hashes[input][:], extra, nil, i))
		if !ok || sv.IsZero() {
			continue
		}
		der := ecdsaSignature(&r, &sv)
		return Signature{Input: uint32(input), Key: uint32(who), Bytes: append(der, byte(txscript.SigHashAll))}
	}
}

// TestFinalizeIsCanonical: any order of the same valid signatures, with repeats,
// surplus and invalid ones, makes the same bytes.
func TestFinalizeIsCanonical(t *testing.T) {
	g := newTestGroup(t, ScriptSHWSH, 2, 4)
	s := g.spend(t, 2)
	valid := g.sign(t, s, 0, 1, 2, 3)
	for input := range 2 {
		for who := range 4 {
			valid = append(valid, otherSignature(t, g, s, input, who))
		}
	}
	for i, err := range s.VerifyAll(valid, nil) {
		if err != nil {
			t.Fatalf("signature %d: %v", i, err)
		}
	}
	// What must come out, by the rule: keys 0 and 1, of each the least signature.
	want := make(map[[2]uint32][]byte)
	for _, sig := range valid {
		at := [2]uint32{sig.Input, sig.Key}
		if want[at] == nil || bytes.Compare(sig.Bytes, want[at]) < 0 {
			want[at] = sig.Bytes
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		sigs := slices.Clone(valid)
		for range rapid.IntRange(0, 10).Draw(t, "noise") {
			sig := rapid.SampledFrom(valid).Draw(t, "sig")
			switch rapid.IntRange(0, 4).Draw(t, "kind") {
			case 0: // a repeat
			case 1: // by a wrong key
				sig.Key = rapid.Uint32Range(0, 5).Draw(t, "key")
				if sig.Key == 1 {
					sig.Key = 1 << 31
				}
			case 2: // on a wrong input
				sig.Input = rapid.Uint32Range(0, 3).Draw(t, "input")
			case 3: // damaged
				sig.Bytes = bytes.Clone(sig.Bytes)
				sig.Bytes[rapid.IntRange(0, len(sig.Bytes)-1).Draw(t, "at")] ^= byte(rapid.IntRange(1, 255).Draw(t, "by"))
			case 4: // anything
				sig.Bytes = rapid.SliceOf(rapid.Byte()).Draw(t, "bytes")
			}
			sigs = append(sigs, sig)
		}
		sigs = rapid.Permutation(sigs).Draw(t, "order")
		cache := rapid.SampledFrom([]*SigCache{nil, NewSigCache(1), NewSigCache(100)}).Draw(t, "cache")
		tx, err := s.Finalize(sigs, cache)
		if err != nil {
			t.Fatal(err)
		}
		for i, in := range tx.TxIn {
			var stack [][]byte
			for _, key := range s.scripts[i].Order {
				if key < 2 {
					stack = append(stack, want[[2]uint32{uint32(i), uint32(key)}])
				}
			}
			if !slices.EqualFunc(stack, in.Witness[1:3], bytes.Equal) {
				t.Fatalf("input %d: witness %x, want %x", i, in.Witness[1:3], stack)
			}
		}
	})
}

// TestFinalizeRunsTheEngine breaks a spend so that our own checks pass and only
// the engine can object: the signature hash is wrong, or the output is not what
// the script hashes to.
func TestFinalizeRunsTheEngine(t *testing.T) {
	breaks := map[string]func(*Spend){
		"wrong hash":   func(s *Spend) { s.hashes[0][0] ^= 1 },
		"wrong output": func(s *Spend) { s.prev[0] = &wire.TxOut{Value: 100_000, PkScript: s.prev[1].PkScript} },
		"wrong amount": func(s *Spend) { s.prev[0] = &wire.TxOut{Value: 99_999, PkScript: s.prev[0].PkScript} },
		"no output":    func(s *Spend) { s.prev[0] = &wire.TxOut{} },
	}
	for name, broken := range breaks {
		sizes := []int{2}
		if name == "wrong hash" { // once beyond replay, which is slow
			sizes = append(sizes, maxReplayInputs+1)
		}
		for _, inputs := range sizes {
			g := newTestGroup(t, ScriptWSH, 2, 3)
			s := g.spend(t, inputs)
			broken(s)
			sigs := g.sign(t, s, 0, 1)
			for i, err := range s.VerifyAll(sigs[:1], nil) {
				if err != nil {
					t.Fatalf("%s: signature %d: %v", name, i, err)
				}
			}
			if _, err := s.Finalize(sigs, nil); !errors.Is(err, ErrScriptFailed) || !strings.Contains(err.Error(), "input 0") {
				t.Errorf("%s, %d inputs: %v", name, inputs, err)
			}
		}
	}
}

// ecdsaSignature serializes without grinding.
func ecdsaSignature(r, s *btcec.ModNScalar) []byte {
	return ecdsa.NewSignature(r, s).Serialize()
}
