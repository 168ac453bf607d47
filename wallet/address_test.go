package wallet

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/address/v2"
	"github.com/btcsuite/btcd/txscript/v2"
)

// TestAddresses has vectors of BIP173 and BIP350, and base58 ones.
func TestAddresses(t *testing.T) {
	cases := []struct {
		address string
		net     Network
		script  string
	}{
		{"BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4", Mainnet, "0014751e76e8199196d454941c45d1b3a323f1433bd6"},
		{"tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sl5k7", Testnet4, "00201863143c14c5166804bd19203356da136c985678cd4d27a1b8c6329604903262"},
		{"tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sl5k7", Signet, "00201863143c14c5166804bd19203356da136c985678cd4d27a1b8c6329604903262"},
		{"bc1pw508d6qejxtdg4y5r3zarvary0c5xw7kw508d6qejxtdg4y5r3zarvary0c5xw7kt5nd6y", Mainnet, ""},
		{"BC1SW50QGDZ25J", Mainnet, "6002751e"},
		{"bc1zw508d6qejxtdg4y5r3zarvaryvaxxpcs", Mainnet, "5210751e76e8199196d454941c45d1b3a323"},
		{"bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0", Mainnet, "512079be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"},
		{"1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2", Mainnet, "76a91477bff20c60e522dfaa3350c39b030a5d004e839a88ac"},
		{"3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy", Mainnet, "a914b472a266d0bd89c13706a4132ccfb16f7c3b9fcb87"},
		{"mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn", Regtest, "76a914243f1394f44554f4ce3fd68649c19adc483ce92488ac"},
		{"2MzQwSSnBHWHqSAqtTVQ6v47XtaisrJa1Vc", Signet, "a9144e9f39ca4688ff102128ea4ccda34105324305b087"},
	}
	for _, c := range cases {
		script, err := ParseAddress(c.address, c.net)
		if c.script == "" { // 40 bytes for version 1: BIP350 calls it valid, BIP341 has no such program
			if !errors.Is(err, ErrAddress) {
				t.Errorf("%s: %x (%v)", c.address, script, err)
			}
			continue
		}
		if err != nil || hex.EncodeToString(script) != c.script {
			t.Errorf("%s: %x (%v), want %s", c.address, script, err, c.script)
			continue
		}
		back, err := AddressOf(script, c.net)
		if err != nil || back != c.address && back != strings.ToLower(c.address) {
			t.Errorf("%s: back as %s (%v)", c.address, back, err)
		}
	}
}

func TestAddressErrors(t *testing.T) {
	cases := []struct {
		address string
		net     Network
		is      error
	}{
		{"", Mainnet, ErrAddress},
		{"1", Mainnet, ErrAddress},
		{"bc1", Mainnet, ErrAddress},
		{"bc1q", Mainnet, ErrAddress},
		{testHex, Mainnet, ErrAddress}, // a public key is no address
		{strings.Repeat("1", 100), Mainnet, ErrAddress},
		{"tc1qw508d6qejxtdg4y5r3zarvary0c5xw7kg3g4ty", Mainnet, ErrAddress},
		{"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5", Mainnet, ErrAddress},                     // checksum
		{"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3T4", Mainnet, ErrAddress},                     // mixed case
		{"BC13W508D6QEJXTDG4Y5R3ZARVARY0C5XW7KN40WF2", Mainnet, ErrAddress},                     // version 17
		{"bc1rw5uspcuh", Mainnet, ErrAddress},                                                   // one byte
		{"BC1QR508D6QEJXTDG4Y5R3ZARVARYV98GJ9P", Mainnet, ErrAddress},                           // 16 bytes for version 0
		{"bc1zw508d6qejxtdg4y5r3zarvaryvqyzf3du", Mainnet, ErrAddress},                          // padding
		{"bc1gmk9yu", Mainnet, ErrAddress},                                                      // no data
		{"bc1p38j9r5y49hruaue7wxjce0updqjuyyx0kh56v8s25huc6995vvpql3jow4", Mainnet, ErrAddress}, // not bech32
		{"bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd", Mainnet, ErrAddress}, // bech32, not bech32m
		{"1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN3", Mainnet, ErrAddress},
		{"L4rK1yDtCWekvXuE6oXD9jCYfFNV2cWRpVuPLBcCU2z8TrisoyY1", Mainnet, ErrAddress},
		{"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", Regtest, ErrWrongNetwork},
		{"tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sl5k7", Mainnet, ErrWrongNetwork},
		{"tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sl5k7", Regtest, ErrWrongNetwork},
		{"1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2", Signet, ErrWrongNetwork},
		{"3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy", Testnet4, ErrWrongNetwork},
		{"mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn", Mainnet, ErrWrongNetwork},
		{"1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2", "", ErrUnknownNetwork},
	}
	for _, c := range cases {
		if script, err := ParseAddress(c.address, c.net); !errors.Is(err, c.is) {
			t.Errorf("%q on %s: %x, %v, want %v", c.address, c.net, script, err, c.is)
		}
	}
	for name, script := range map[string][]byte{
		"empty": nil, "return": {txscript.OP_RETURN}, "bare key": append(pushKey(nil, make([]byte, 33)), txscript.OP_CHECKSIG),
		"version 0 of 16 bytes": append([]byte{0, 16}, make([]byte, 16)...),
	} {
		if a, err := AddressOf(script, Mainnet); !errors.Is(err, ErrNoAddress) {
			t.Errorf("%s: %s, %v", name, a, err)
		}
	}
	if _, err := AddressOf(nil, "x"); !errors.Is(err, ErrUnknownNetwork) {
		t.Error(err)
	}
}

// FuzzParseAddress: what parses has an address again, the same but for case,
// and btcd reads it alike.
func FuzzParseAddress(f *testing.F) {
	for _, s := range []string{"bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080", "2MzQwSSnBHWHqSAqtTVQ6v47XtaisrJa1Vc", "mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn", "bc1", "1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		script, err := ParseAddress(s, Regtest)
		if err != nil {
			return
		}
		back, err := AddressOf(script, Regtest)
		if err != nil || back != s && back != strings.ToLower(s) {
			t.Fatalf("%q comes back as %q (%v)", s, back, err)
		}
		if theirs, err := address.DecodeAddress(s, Regtest.Params()); err == nil {
			want, err := txscript.PayToAddrScript(theirs)
			if err != nil || !bytes.Equal(script, want) {
				t.Fatalf("%q: %x, btcd has %x (%v)", s, script, want, err)
			}
		}
	})
}

// TestNoCorrectionIsOffered: what is said of a mistyped address is one of a few
// sentences, whatever was typed. So it names neither the place of the error nor
// the checksum that would make the mistyped text an address (BIP173).
func TestNoCorrectionIsOffered(t *testing.T) {
	said := map[string]bool{}
	for _, a := range []string{
		"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2", "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy",
		"bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
	} {
		for i := range a {
			for _, c := range []byte("qpzry9x8gf2tvdw0s3jn54khce6mua7l1bioABCXYZ!é :") {
				for _, s := range []string{a[:i] + string(rune(c)) + a[i+1:], a[:i] + string(rune(c)) + a[i:], a[:i] + a[i+1:], a[:i]} {
					if s == a {
						continue
					}
					if _, err := ParseAddress(s, Mainnet); errors.Is(err, ErrAddress) {
						said[err.Error()] = true
					}
				}
			}
		}
	}
	for s := range said {
		if len(said) > 14 || strings.ContainsAny(s, "=") {
			t.Errorf("one of %d sentences: %s", len(said), s)
		}
	}
	if len(said) < 5 {
		t.Errorf("few sentences, so few mistakes were tried: %v", said)
	}
}

func TestLinkIsNoAddress(t *testing.T) {
	_, err := ParseAddress("bitcoin:bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4?amount=0.1", Mainnet)
	if !errors.Is(err, ErrAddress) || !strings.Contains(err.Error(), "link") {
		t.Error(err)
	}
}
