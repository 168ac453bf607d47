package wallet

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/address/v2"
	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcec/v2/ecdsa"
	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chainhash/v2"

	"github.com/quorate/quorate/wallet/psbt"
)

// proofOf returns the proof key of a test account, and its private key.
func proofOf(t testing.TB, seed byte) (ProofKey, *btcec.PrivateKey) {
	t.Helper()
	a, err := DeriveAccount(bytes.Repeat([]byte{seed}, 32), Regtest, ScriptWSH, 0)
	if err != nil {
		t.Fatal(err)
	}
	p, err := a.Key().ProofKey(Regtest)
	if err != nil {
		t.Fatal(err)
	}
	branch, chain, err := childPriv(&a.priv, &a.pub.pub, &a.pub.chain, 0)
	if err != nil {
		t.Fatal(err)
	}
	pub := btcec.PrivKeyFromScalar(&branch).PubKey()
	child, _, err := childPriv(&branch, (*[33]byte)(pub.SerializeCompressed()), &chain, 0)
	if err != nil {
		t.Fatal(err)
	}
	priv := btcec.PrivKeyFromScalar(&child)
	if !bytes.Equal(priv.PubKey().SerializeCompressed(), p.PubKey[:]) {
		t.Fatal("the proof key is not the child 0/0")
	}
	return p, priv
}

func TestVerifyMessage(t *testing.T) {
	p, priv := proofOf(t, 1)
	if p.PathText() != "m/48h/1h/0h/2h/0/0" {
		t.Errorf("path %s", p.PathText())
	}
	const text = "quorate proof of a key"
	hash := messageHash(text)
	sig := ecdsa.SignCompact(priv, hash[:], true)
	for _, header := range []byte{0, 4, 8, 252} { // P2PKH compressed, P2SH-P2WPKH, P2WPKH, uncompressed
		s := bytes.Clone(sig)
		s[0] += header
		if err := p.VerifyMessage(text, s); err != nil {
			t.Errorf("header %d: %v", s[0], err)
		}
		read, err := ReadMessageSignature(" "+base64.StdEncoding.EncodeToString(s)+"\n", p)
		if err != nil || !bytes.Equal(read.Recoverable, s) {
			t.Errorf("header %d read back: %v", s[0], err)
		}
	}
	armored := "-----BEGIN BITCOIN SIGNED MESSAGE-----\n" + text + "\n-----BEGIN BITCOIN SIGNATURE-----\n" +
		p.Address + "\n" + base64.StdEncoding.EncodeToString(sig) + "\n-----END BITCOIN SIGNATURE-----\n"
	if read, err := ReadMessageSignature(armored, p); err != nil || !bytes.Equal(read.Recoverable, sig) {
		t.Errorf("armored: %v", err)
	}
	other, _ := proofOf(t, 2)
	flipped := bytes.Clone(sig)
	flipped[40] ^= 1
	high := bytes.Clone(sig)
	high[0] = 43
	for name, f := range map[string]func() error{
		"another text":   func() error { return p.VerifyMessage(text+".", sig) },
		"another key":    func() error { return other.VerifyMessage(text, sig) },
		"a flipped bit":  func() error { return p.VerifyMessage(text, flipped) },
		"a wrong header": func() error { return p.VerifyMessage(text, high) },
		"a short one":    func() error { return p.VerifyMessage(text, sig[:64]) },
		"nothing":        func() error { return p.VerifyMessage(text, nil) },
		"no base64":      func() error { _, err := ReadMessageSignature("&&&", p); return err },
		"a long text":    func() error { _, err := ReadMessageSignature(strings.Repeat("A", 600), p); return err },
	} {
		if err := f(); !errors.Is(err, ErrMessageSignature) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The prefix is as Bitcoin Core has had it since 2011.
func TestVerifyMessageHashVector(t *testing.T) {
	want := chainhash.DoubleHashH([]byte("\x18Bitcoin Signed Message:\n\x05hello"))
	if got := messageHash("hello"); got != want {
		t.Errorf("message hash %x", got)
	}
}

func TestBIP322Vectors(t *testing.T) {
	type simple struct {
		Message      string   `json:"message"`
		PrivateKeys  []string `json:"private_keys"`
		Address      string   `json:"address"`
		Type         string   `json:"type"`
		Signatures   []string `json:"bip322_signatures"`
		Signature    string   `json:"signature"`
		MessageHash  string   `json:"message_hash"`
		ToSpendHash  string   `json:"to_spend_tx_hash"`
		ToSignHash   string   `json:"to_sign_tx_hash"`
		ErrSubstring string   `json:"error_substr"`
	}
	type file struct {
		TxHashes []simple `json:"tx_hashes"`
		Simple   []simple `json:"simple"`
		Error    []simple `json:"error"`
	}
	hashes, verified, refused := 0, 0, 0
	keys := map[string]ProofKey{}
	for _, name := range []string{"basic-test-vectors.json", "generated-test-vectors.json"} {
		var f file
		readShared(t, &f, "vectors", "bip-0322", name)
		for _, v := range f.TxHashes {
			script, err := ParseAddress(v.Address, Mainnet)
			if err != nil {
				t.Fatal(err)
			}
			spend := toSpend(v.Message, script)
			if spend.TxHash().String() != v.ToSpendHash || toSign(spend).TxHash().String() != v.ToSignHash {
				t.Errorf("%q: transactions differ", v.Message)
			}
			if got := hex.EncodeToString(spend.TxIn[0].SignatureScript[2:]); got != v.MessageHash {
				t.Errorf("%q: message hash %s", v.Message, got)
			}
			hashes++
		}
		for _, v := range f.Simple {
			if v.Type != "p2wpkh" {
				continue
			}
			p := keyOfWIF(t, v.PrivateKeys[0])
			keys[v.Address] = p
			if addr, err := AddressOf(p.PkScript, Mainnet); err != nil || addr != v.Address {
				t.Fatalf("address %s: %v", addr, err)
			}
			for _, text := range v.Signatures {
				for _, s := range []string{text, strings.TrimPrefix(text, "smp")} {
					sig, err := ReadMessageSignature(s, p)
					if err != nil {
						t.Errorf("%q: %v", v.Message, err)
						continue
					}
					if err := p.VerifyBIP322(v.Message, sig.BIP322); err != nil {
						t.Errorf("%q: %v", v.Message, err)
					}
					if p.VerifyBIP322(v.Message+"x", sig.BIP322) == nil {
						t.Errorf("%q: signs another message too", v.Message)
					}
					verified++
				}
			}
		}
		for _, v := range f.Error {
			p, ok := keys[v.Address]
			if !ok {
				continue // of an address that proves no key here
			}
			sig, err := ReadMessageSignature(v.Signature, p)
			if err == nil {
				if sig.Recoverable != nil {
					err = p.VerifyMessage(v.Message, sig.Recoverable)
				} else {
					err = p.VerifyBIP322(v.Message, sig.BIP322)
				}
			}
			if err == nil {
				t.Errorf("%q %q is taken", v.Message, v.Signature)
			}
			refused++
		}
	}
	if hashes == 0 || verified == 0 || refused == 0 {
		t.Errorf("%d hashes, %d signatures, %d errors looked at", hashes, verified, refused)
	}
}

func keyOfWIF(t *testing.T, text string) ProofKey {
	t.Helper()
	wif, err := btcutil.DecodeWIF(text)
	if err != nil {
		t.Fatal(err)
	}
	p := ProofKey{PubKey: [33]byte(wif.SerializePubKey())}
	p.PkScript = append([]byte{0, 20}, address.Hash160(p.PubKey[:])...)
	return p
}

func TestProofPSBT(t *testing.T) {
	p, priv := proofOf(t, 1)
	const text = "quorate proof of a key"
	hash, err := p.bip322Hash(text)
	if err != nil {
		t.Fatal(err)
	}
	sig := append(signLowR(&priv.Key, hash).Serialize(), 1)
	for _, version := range []uint32{0, 2} {
		unsigned, err := p.ProofPSBT(text, version)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.ProofFromPSBT(text, unsigned); !errors.Is(err, ErrMessageSignature) {
			t.Errorf("unsigned: %v", err)
		}
		raw, err := unsigned.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		for name, finish := range map[string]func(*psbt.Input){
			"partial": func(in *psbt.Input) {
				in.PartialSigs = []psbt.PartialSig{{PubKey: p.PubKey[:], Signature: sig}}
			},
			"final": func(in *psbt.Input) { in.FinalWitness = [][]byte{sig, p.PubKey[:]} },
		} {
			signed, err := psbt.Parse(raw)
			if err != nil {
				t.Fatal(err)
			}
			finish(&signed.Inputs[0])
			got, err := p.ProofFromPSBT(text, signed)
			if err != nil || p.VerifyBIP322(text, got) != nil {
				t.Errorf("%s, version %d: %v", name, version, err)
			}
			if _, err := p.ProofFromPSBT("another", signed); !errors.Is(err, ErrForeignTx) {
				t.Errorf("%s of another text: %v", name, err)
			}
		}
	}
	if err := p.VerifyBIP322(text, append(bytes.Clone(sig[:len(sig)-1]), 3)); !errors.Is(err, ErrSignatureHashType) {
		t.Errorf("SIGHASH_SINGLE: %v", err)
	}
}

func FuzzReadMessageSignature(f *testing.F) {
	p, priv := proofOf(f, 1)
	hash := messageHash("x")
	f.Add(base64.StdEncoding.EncodeToString(ecdsa.SignCompact(priv, hash[:], true)))
	f.Add("smpAA==")
	f.Add("-----BEGIN BITCOIN SIGNED MESSAGE-----\n-----END")
	f.Fuzz(func(t *testing.T, s string) {
		sig, err := ReadMessageSignature(s, p)
		if err == nil && (sig.Recoverable == nil) == (sig.BIP322 == nil) {
			t.Errorf("%q is read as %+v", s, sig)
		}
	})
}
