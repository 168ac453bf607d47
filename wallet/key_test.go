package wallet

import (
	"crypto/sha256"
	"errors"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcec/v2/ecdsa"
)

const (
	testTPub = "tpubDDwf2gdFxFahr9RUtDQCuZmsx34CfdZ7RALAirwC2FGeLBzW1TDiEpqFeRdxLdZD7rfsbZHYwSaT6CLM3TAcYRw6xfRv4U6KCQt4Zuhvjkz"
	testTPrv = "tprv8hFctGb1osu2xgPgzZjcWA7mP1YGWJNCqrjPSLttbyUFVhjjP4Q84LDPUHb6iQQHE1tnCKT1bDhnni2m77be58zhqTdcXjj5w3QXMHC1ffo"
	testXPub = "xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybGhePY2gZ29ESFjqJoCu1Rupje8YtGqsefD265TMg7usUDFdp6W1EGMcet8"
	// The account key of BIP84.
	testZpub = "zpub6rFR7y4Q2AijBEqTUquhVz398htDFrtymD9xYYfG1m4wAcvPhXNfE3EfH1r1ADqtfSdVCToUG868RvUUkgDKf31mGDtKsAYz2oz2AGutZYs"
	testVpub = "Vpub5kob2MCBWa6fJL1mhyJr7YbJzmhv1MkeMaM6inMpJ6bQ6tGFCKRmwNi5AgbUNkX2k8yLMcagNERokcENWReJD1EGzrQAcXG6xjSEcciNwEx"
	testHex  = "0260b2003c386519fc9eadf2b5cf124dd8eea4c4e68d5e154050a9346ea98ce600"
)

func TestParseKey(t *testing.T) {
	want := "[4ba43603/48h/1h/0h/2h]" + testTPub
	for _, text := range []string{want, "[4ba43603/48'/1'/0'/2h]" + testTPub, "[4BA43603/48h/1h/0h/2h]" + testTPub} {
		k, err := ParseKey(text, Regtest)
		if err != nil {
			t.Fatal(err)
		}
		if k.String() != want {
			t.Errorf("%s, want %s", k, want)
		}
	}
}

func TestParseKeyErrors(t *testing.T) {
	cases := []struct {
		name, text string
		net        Network
		offset     int
		is         error
		says       string
	}{
		{"empty", "", Regtest, 0, nil, "key is missing"},
		{"no origin", testTPub, Regtest, 0, ErrNoOrigin, ""},
		{"only an origin", "[4ba43603/48h]", Regtest, 14, nil, "key is missing"},
		{"open origin", "[4ba43603/48h" + testTPub, Regtest, 13, nil, "want ']'"},
		{"origin that ends", "[4ba43603/48h", Regtest, 13, nil, "ends where"},
		{"short fingerprint", "[4ba436/48h]" + testTPub, Regtest, 1, nil, "8 hex digits"},
		{"X", "[4ba43603/48X]" + testTPub, Regtest, 12, nil, "want ']'"},
		{"index too high", "[4ba43603/2147483648]" + testTPub, Regtest, 10, nil, "above 2147483647"},
		{"derivation", "[4ba43603/48h]" + testTPub + "/0", Regtest, 14 + len(testTPub), nil, "derivation after the key"},
		{"text after", "[4ba43603/48h]" + testTPub + ",", Regtest, 14 + len(testTPub), nil, "text after the key"},
		{"space after", "[4ba43603/48h]" + testTPub + " ", Regtest, 14, errExtendedKey, ""},
		{"other network", "[4ba43603/48h]" + testTPub, Mainnet, 14, ErrWrongNetwork, "key is for a test network, the wallet is on mainnet"},
		{"mainnet on regtest", "[4ba43603/48h]" + testXPub, Regtest, 14, ErrWrongNetwork, "key is for mainnet"},
		{"private", "[4ba43603/48h]" + testTPrv, Regtest, 14, ErrPrivateKey, ""},
		{"WIF", "[4ba43603/48h]L4rK1yDtCWekvXuE6oXD9jCYfFNV2cWRpVuPLBcCU2z8TrisoyY1", Mainnet, 14, ErrPrivateKey, ""},
		{"hex key", "[4ba43603/48h]" + testHex, Mainnet, 14, nil, "single key"},
		{"SLIP-132 of another network", "[4ba43603/48h]" + testVpub, Mainnet, 14, ErrWrongNetwork, "key is for a test network"},
		{"SLIP-132 of one signature", "[4ba43603/48h]" + testZpub, Mainnet, 14, ErrSLIP132, "zpub is of a single-signature account"},
		{"damaged SLIP-132", "[4ba43603/48h]" + testVpub[:60] + "x" + testVpub[61:], Regtest, 14, errExtendedKey, "checksum"},
		{"damaged", "[4ba43603/48h]" + strings.Replace(testTPub, "Ddwf2", "Ddwf3", 1)[:50] + "x" + testTPub[51:], Regtest, 14, errExtendedKey, ""},
		{"path too long", "[4ba43603" + strings.Repeat("/0", 254) + "]" + testTPub, Regtest, 0, errPathTooLong, ""},
		{"path beyond BIP32", "[4ba43603" + strings.Repeat("/0", 256) + "]" + testTPub, Regtest, 9 + 2*255 + 1, errPathTooLong, ""},
	}
	for _, c := range cases {
		_, err := ParseKey(c.text, c.net)
		var syntax *SyntaxError
		if !errors.As(err, &syntax) {
			t.Errorf("%s: %v has no position", c.name, err)
			continue
		}
		if syntax.Offset != c.offset || c.is != nil && !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want byte %d, %v %q", c.name, err, c.offset, c.is, c.says)
		}
		if strings.Contains(err.Error(), "tprv8h") || strings.Contains(err.Error(), "L4rK") {
			t.Errorf("%s: the error repeats the secret", c.name)
		}
	}
	if _, err := ParseKey("", "testnet3"); !errors.Is(err, ErrUnknownNetwork) {
		t.Errorf("unknown network: %v", err)
	}
}

func TestVerifyHash(t *testing.T) {
	g := newTestGroup(t, ScriptWSH, 1, 2)
	hash := sha256.Sum256([]byte("proof of possession"))
	sig := g.accounts[0].SignHash(hash)
	if err := g.accounts[0].Key().VerifyHash(hash, sig); err != nil {
		t.Fatal(err)
	}
	if len(sig) > 70 {
		t.Errorf("%d bytes: not low R", len(sig))
	}
	if err := g.accounts[1].Key().VerifyHash(hash, sig); !errors.Is(err, ErrSignatureInvalid) {
		t.Errorf("other key: %v", err)
	}
	if err := g.accounts[0].Key().VerifyHash(sha256.Sum256(nil), sig); !errors.Is(err, ErrSignatureInvalid) {
		t.Errorf("other hash: %v", err)
	}
	if err := g.accounts[0].Key().VerifyHash(hash, append(sig, 1)); !errors.Is(err, ErrSignatureEncoding) {
		t.Errorf("sighash byte: %v", err)
	}
	if err := g.accounts[0].Key().VerifyHash(hash, highS(t, sig)); !errors.Is(err, ErrSignatureHighS) {
		t.Errorf("high S: %v", err)
	}
	if err := (Key{XPub: testTPrv}).VerifyHash(hash, sig); !errors.Is(err, ErrPrivateKey) {
		t.Errorf("private key: %v", err)
	}
	if err := (Key{}).VerifyHash(hash, sig); !errors.Is(err, errExtendedKey) {
		t.Errorf("no key: %v", err)
	}
}

// highS returns the signature's twin, which verifies just as well and which
// anyone can make of it. Serialize of btcec would undo it.
func highS(t *testing.T, der []byte) []byte {
	t.Helper()
	sig, err := ecdsa.ParseDERSignature(der)
	if err != nil {
		t.Fatal(err)
	}
	r, s := sig.R(), sig.S()
	s.Negate()
	integer := func(n btcec.ModNScalar) []byte {
		b := n.Bytes()
		v := b[:]
		for v[0] == 0 {
			v = v[1:]
		}
		if v[0] >= 0x80 {
			v = append([]byte{0}, v...)
		}
		return append([]byte{2, byte(len(v))}, v...)
	}
	body := append(integer(r), integer(s)...)
	return append([]byte{0x30, byte(len(body))}, body...)
}

func TestAccountKeyZero(t *testing.T) {
	g := newTestGroup(t, ScriptWSH, 1, 1)
	s := g.spend(t, 1)
	g.accounts[0].Zero()
	if sig := g.accounts[0].SignHash([32]byte{}); sig != nil {
		t.Error("signed after Zero")
	}
	if _, err := s.Sign(g.accounts[0]); !errors.Is(err, ErrKeyWiped) {
		t.Errorf("Sign after Zero: %v", err)
	}
	if !g.accounts[0].priv.IsZero() {
		t.Error("the key is still there")
	}
}

func TestDeriveAccount(t *testing.T) {
	seed, err := MnemonicSeed(strings.Repeat("abandon ", 11)+"about", "")
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]struct {
		net     Network
		st      ScriptType
		account uint32
	}{
		"/48h/0h/0h/2h": {Mainnet, ScriptWSH, 0},
		"/48h/1h/7h/2h": {Signet, ScriptWSH, 7},
		"/48h/1h/0h/1h": {Testnet4, ScriptSHWSH, 0},
	} {
		a, err := DeriveAccount(seed, want.net, want.st, want.account)
		if err != nil {
			t.Fatal(err)
		}
		// The fingerprint of this well-known mnemonic.
		text := a.Key().String()
		if !strings.HasPrefix(text, "[73c5da0a"+path+"]") {
			t.Errorf("%s, want path %s", text, path)
		}
		if _, err := ParseKey(text, want.net); err != nil {
			t.Error(err)
		}
	}
	for name, err := range map[string]error{
		"script": func() error { _, err := DeriveAccount(seed, Regtest, "tr", 0); return err }(),
	} {
		if !errors.Is(err, ErrUnsupported) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := DeriveAccount(seed, Regtest, ScriptWSH, hardened); !errors.Is(err, ErrScriptIndex) {
		t.Errorf("account too high: %v", err)
	}
	if _, err := DeriveAccount(seed, "main", ScriptWSH, 0); !errors.Is(err, ErrUnknownNetwork) {
		t.Errorf("unknown network: %v", err)
	}
	if _, err := DeriveAccount(seed[:15], Regtest, ScriptWSH, 0); err == nil {
		t.Error("accepted a seed of 15 bytes")
	}
}

func TestKeyIsACopy(t *testing.T) {
	g := newTestGroup(t, ScriptWSH, 1, 1)
	want := g.d.Keys()[0].String()
	g.accounts[0].Key().Path[0] = 1
	g.d.Keys()[0].Path[0] = 1
	if g.accounts[0].Key().String() != want || g.d.Keys()[0].String() != want {
		t.Error("a caller can change the path")
	}
}

func FuzzParseKey(f *testing.F) {
	for _, s := range []string{"[4ba43603/48h/1h/0h/2h]" + testTPub, testTPub + "/<0;1>/*", "[4ba43603]" + testTPrv + "/3h/*'", testHex, "[", "[deadbeef/<0;1>]"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		k, err := ParseKey(s, Regtest)
		if err != nil {
			var syntax *SyntaxError
			if !errors.As(err, &syntax) || syntax.Offset < 0 || syntax.Offset > len(s) {
				t.Fatalf("no position in %v", err)
			}
			return
		}
		again, err := ParseKey(k.String(), Regtest)
		if err != nil || again.String() != k.String() {
			t.Fatalf("%s parses as %s (%v)", k, again, err)
		}
	})
}
