package wallet

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
)

func TestMnemonic(t *testing.T) {
	// Vectors of BIP39's reference implementation, passphrase TREZOR.
	cases := []struct{ entropy, words, seed string }{
		{"00000000000000000000000000000000",
			"abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about",
			"c55257c360c07c72029aebc1b53c05ed0362ada38ead3e3e9efa3708e53495531f09a6987599d18264c1e1c92f2cf141630c7a3c4ab7c81b2f001698e7463b04"},
		{"7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f",
			"legal winner thank year wave sausage worth useful legal winner thank yellow",
			"2e8905819b8723fe2c1d161860e5ee1830318dbf49a83bd451cfb8440c28bd6fa457fe1296106559a3c80937a1c1069be3a3a5bd381ee6260e8d9739fce1f607"},
	}
	for _, c := range cases {
		entropy, err := hex.DecodeString(c.entropy)
		if err != nil {
			t.Fatal(err)
		}
		words, err := NewMnemonic(entropy)
		if err != nil || words != c.words {
			t.Errorf("%q (%v), want %q", words, err, c.words)
		}
		for _, text := range []string{c.words, "  " + strings.ReplaceAll(strings.ToUpper(c.words), " ", "\n ")} {
			seed, err := MnemonicSeed(text, "TREZOR")
			if err != nil || hex.EncodeToString(seed) != c.seed {
				t.Errorf("seed %x (%v), want %s", seed, err, c.seed)
			}
		}
	}
}

// TestMnemonicPassphraseNFKD: one passphrase typed two ways is one passphrase.
func TestMnemonicPassphraseNFKD(t *testing.T) {
	words, err := NewMnemonic(make([]byte, 16))
	if err != nil {
		t.Fatal(err)
	}
	a, errA := MnemonicSeed(words, "\u00e9")
	b, errB := MnemonicSeed(words, "e\u0301")
	if errA != nil || errB != nil || !bytes.Equal(a, b) {
		t.Error("composed and decomposed passphrases differ", errA, errB)
	}
}

func TestMnemonicErrors(t *testing.T) {
	abandon := strings.Repeat("abandon ", 11)
	for says, words := range map[string]string{
		"0 words":             "",
		"11 words":            abandon,
		"26 words":            strings.Repeat("abandon ", 26),
		"word 12 is not":      abandon + "secretword",
		"checksum":            abandon + "abandon",
		"want 12, 15, 18, 21": strings.Repeat("abandon ", 13),
	} {
		_, err := MnemonicSeed(words, "")
		if !errors.Is(err, ErrMnemonic) || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "secretword") {
			t.Errorf("%s: %v", says, err)
		}
	}
	if _, err := NewMnemonic(make([]byte, 17)); !errors.Is(err, ErrMnemonic) {
		t.Errorf("17 bytes of entropy: %v", err)
	}
}
