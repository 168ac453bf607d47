package wallet

import (
	"crypto/sha256"
	"encoding/binary"
	"testing"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

// testGroup is a k-of-n wallet on regtest whose keys are all at hand.
type testGroup struct {
	accounts []*AccountKey
	d        *Descriptor
}

func newTestGroup(t testing.TB, st ScriptType, k, n int) testGroup {
	t.Helper()
	var g testGroup
	keys := make([]Key, n)
	for i := range keys {
		seed := sha256.Sum256(binary.BigEndian.AppendUint32([]byte("test cosigner"), uint32(i)))
		a, err := DeriveAccount(seed[:], Regtest, st, 0)
		if err != nil {
			t.Fatal(err)
		}
		g.accounts, keys[i] = append(g.accounts, a), a.Key()
	}
	d, err := NewMultisig(Regtest, st, k, keys)
	if err != nil {
		t.Fatal(err)
	}
	g.d = d
	return g
}

// testOutPoint returns an outpoint of its own for each n.
func testOutPoint(n int) wire.OutPoint {
	return wire.OutPoint{Hash: chainhash.HashH(binary.BigEndian.AppendUint32(nil, uint32(n))), Index: uint32(n % 3)}
}

// testParts returns inputs of 100,000 satoshis and two outputs, fee 10,000.
func (g testGroup) testParts(t testing.TB, inputs int) ([]Input, []Output) {
	t.Helper()
	in := make([]Input, inputs)
	for i := range in {
		in[i] = Input{OutPoint: testOutPoint(i), Amount: 100_000, Branch: uint32(i % 2), Index: uint32(i)}
	}
	change, err := g.d.Script(BranchChange, 7)
	if err != nil {
		t.Fatal(err)
	}
	pay := make([]byte, 22)
	pay[1] = 20
	return in, []Output{
		{PkScript: pay, Amount: 40_000},
		{PkScript: change.PkScript, Amount: int64(inputs)*100_000 - 50_000},
	}
}

func (g testGroup) spend(t testing.TB, inputs int) *Spend {
	t.Helper()
	in, out := g.testParts(t, inputs)
	s, err := NewSpend(g.d, in, out, 0)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// sign returns the signatures of these cosigners, in that order.
func (g testGroup) sign(t testing.TB, s *Spend, who ...int) []Signature {
	t.Helper()
	var sigs []Signature
	for _, i := range who {
		more, err := s.Sign(g.accounts[i])
		if err != nil {
			t.Fatal(err)
		}
		sigs = append(sigs, more...)
	}
	return sigs
}

// prevOutputs returns what the spend's inputs spend, for CheckTx.
func (s *Spend) prevOutputs() []Output {
	out := make([]Output, len(s.prev))
	for i, prev := range s.prev {
		out[i] = Output{PkScript: prev.PkScript, Amount: prev.Value}
	}
	return out
}
