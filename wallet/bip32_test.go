package wallet

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcutil/v2/hdkeychain"
	"github.com/btcsuite/btcd/chaincfg/v2"
	"pgregory.net/rapid"
)

type bip32Vector struct {
	Name   string
	Seed   string
	Chains []struct{ Path, XPub, XPrv string }

	Invalid []struct{ Key, Reason string }
}

// TestBIP32Vectors runs all five vectors: derivation from the seed (2 and 3, 4
// have leading zeros in keys), and the keys that must be refused.
func TestBIP32Vectors(t *testing.T) {
	var file struct{ Vectors []bip32Vector }
	readShared(t, &file, "vectors", "bip-0032.json")
	if len(file.Vectors) != 5 {
		t.Fatalf("%d vectors, want 5", len(file.Vectors))
	}
	chains, invalid := 0, 0
	for _, v := range file.Vectors {
		t.Run(v.Name, func(t *testing.T) {
			for _, c := range v.Chains {
				chains++
				seed, err := hex.DecodeString(v.Seed)
				if err != nil {
					t.Fatal(err)
				}
				key, err := hdkeychain.NewMaster(seed, &chaincfg.MainNetParams)
				if err != nil {
					t.Fatal(err)
				}
				for _, step := range testPath(t, c.Path) {
					checkChild(t, key, step)
					if key, err = key.Derive(step); err != nil {
						t.Fatal(err)
					}
				}
				if key.String() != c.XPrv {
					t.Errorf("%s: private key %s, want %s", c.Path, key, c.XPrv)
				}
				pub, err := key.Neuter()
				if err != nil {
					t.Fatal(err)
				}
				if pub.String() != c.XPub {
					t.Errorf("%s: public key %s, want %s", c.Path, pub, c.XPub)
				}
				for _, s := range []string{c.XPub, c.XPrv} {
					parsed, mainnet, err := parseExtended(s)
					if err != nil || !mainnet || parsed.String() != s {
						t.Errorf("%s: parsed as %v, mainnet %v, %v", s, parsed, mainnet, err)
					}
				}
			}
			for _, c := range v.Invalid {
				invalid++
				if _, _, err := parseExtended(c.Key); err == nil {
					t.Errorf("accepted: %s", c.Reason)
				}
			}
		})
	}
	if chains != 17 || invalid != 14 {
		t.Errorf("%d chains and %d invalid keys were checked", chains, invalid)
	}
}

func testPath(t *testing.T, path string) []uint32 {
	t.Helper()
	p := &parser{what: "path", s: strings.TrimPrefix(path, "m")}
	var out []uint32
	for p.accept('/') {
		n, err := p.number()
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, n)
	}
	return out
}

// checkChild compares our own unhardened derivation with hdkeychain's.
func checkChild(t interface{ Fatalf(string, ...any) }, parent *hdkeychain.ExtendedKey, step uint32) {
	if step >= hardened {
		return
	}
	want, err := parent.Derive(step)
	if err != nil {
		t.Fatalf("derive: %v", err)
	}
	wantPub, err := want.ECPubKey()
	if err != nil {
		t.Fatalf("derive: %v", err)
	}
	pub, err := parent.ECPubKey()
	if err != nil {
		t.Fatalf("derive: %v", err)
	}
	node := newPubNode(pub, parent.ChainCode())
	got, chain, err := node.child(step)
	if err != nil || !got.IsEqual(wantPub) || !bytes.Equal(chain[:], want.ChainCode()) {
		t.Fatalf("public child %d differs (%v)", step, err)
	}
	priv, err := parent.ECPrivKey()
	if err != nil {
		t.Fatalf("derive: %v", err)
	}
	scalar, chain, err := childPriv(&priv.Key, &node.pub, &node.chain, step)
	if err != nil || !bytes.Equal(chain[:], want.ChainCode()) {
		t.Fatalf("private child %d differs (%v)", step, err)
	}
	if !btcec.PrivKeyFromScalar(&scalar).PubKey().IsEqual(wantPub) {
		t.Fatalf("private child %d differs", step)
	}
}

// TestChildrenEqualHDKeychain checks our derivation against hdkeychain's on random keys.
func TestChildrenEqualHDKeychain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.SliceOfN(rapid.Byte(), 16, 64).Draw(t, "seed")
		master, err := hdkeychain.NewMaster(seed, &chaincfg.MainNetParams)
		if err != nil {
			t.Skip("seed without a key")
		}
		checkChild(t, master, rapid.Uint32Range(0, hardened-1).Draw(t, "index"))
	})
}

func TestPublicChildRefusesHardened(t *testing.T) {
	node, _, err := parseAccount("xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybGhePY2gZ29ESFjqJoCu1Rupje8YtGqsefD265TMg7usUDFdp6W1EGMcet8")
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := node.child(hardened); err == nil {
		t.Error("derived a hardened child from a public key")
	}
}
