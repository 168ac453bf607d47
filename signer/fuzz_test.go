package signer

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/wallet"
)

// FuzzSpendRequest: what a node asks never stops the signer, and what is read
// as a spend can be asked again in its own words.
func FuzzSpendRequest(f *testing.F) {
	l := NewLocal(bytes.Repeat([]byte{1}, 64), wallet.Regtest)
	a, err := l.account(wallet.ScriptWSH, 0)
	if err != nil {
		f.Fatal(err)
	}
	d, err := wallet.NewMultisig(wallet.Regtest, wallet.ScriptWSH, 1, []wallet.Key{a.Key()})
	if err != nil {
		f.Fatal(err)
	}
	s, err := wallet.NewSpend(d, []wallet.Input{{OutPoint: wire.OutPoint{Hash: [32]byte{1}}, Amount: 50_000}},
		[]wallet.Output{{PkScript: append([]byte{0, 20}, make([]byte, 20)...), Amount: 49_000}}, 0)
	if err != nil {
		f.Fatal(err)
	}
	p, err := s.PSBT(2, nil)
	if err != nil {
		f.Fatal(err)
	}
	raw, err := p.Bytes()
	if err != nil {
		f.Fatal(err)
	}
	b, err := json.Marshal(spendRequest{account{wallet.ScriptWSH, 0}, d.String(), raw, false})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte(`{"script":"wsh","account":0,"descriptor":"wsh()","psbt":"cHNidP8="}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var q spendRequest
		if decode(bytes.NewReader(b), &q) != nil {
			return
		}
		s, err := q.spend(wallet.Regtest)
		if err != nil {
			return
		}
		p, err := s.PSBT(2, nil)
		if err != nil {
			t.Fatalf("spend that cannot be asked for: %v", err)
		}
		raw, err := p.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		again, err := spendRequest{Descriptor: s.Descriptor().String(), PSBT: raw}.spend(wallet.Regtest)
		if err != nil || again.TxID() != s.TxID() {
			t.Fatalf("asked again: %v", err)
		}
	})
}

// FuzzClaimRequest: a claim that is read is one that is asked for in the same
// words, and has the same hash.
func FuzzClaimRequest(f *testing.F) {
	claim := port.KeyClaim{Group: [32]byte{1}, Identity: [32]byte{2}, Sealing: [32]byte{3}, Key: "k"}
	for range 3 {
		b, err := json.Marshal(newClaimRequest(account{wallet.ScriptWSH, 0}, claim))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
		if claim.Replaces != nil {
			claim = port.KeyClaim{Group: [32]byte{1}, Identity: [32]byte{2}, Key: "k", Round: [32]byte{5}}
			continue
		}
		claim.Key, claim.Replaces = "", &port.Replaced{Old: [32]byte{4}, Cuts: []port.ReplacedCut{{Incarnation: 1, Seq: 2}}}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var q claimRequest
		if decode(bytes.NewReader(b), &q) != nil {
			return
		}
		c, err := q.claim()
		if err != nil {
			return
		}
		again, err := newClaimRequest(q.account, c).claim()
		if err != nil || again.Hash() != c.Hash() {
			t.Fatalf("asked again: %v", err)
		}
	})
}
