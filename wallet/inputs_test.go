package wallet

import (
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/btcsuite/btcd/address/v2/base58"
)

func trialInput(t testing.TB, elem ...string) []byte {
	t.Helper()
	raw, err := os.ReadFile(sharedFile(t, filepath.Join(append([]string{"trials", "wallets", "inputs"}, elem...)...)))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// Mnemonics as people type them, and what is none.
func TestMnemonicsOfPeople(t *testing.T) {
	const words = "legal winner thank year wave sausage worth useful legal winner thank yellow"
	for name, says := range map[string]string{
		"bom.txt": "", "commas.txt": "", "four.txt": "", "lines.txt": "", "nbsp.txt": "", "numbered.txt": "", "numbered2.txt": "", "quoted.txt": "", "upper.txt": "",
		"badsum.txt": "checksum", "eight.txt": "8 words", "japanese.txt": "word 1 is not in the English list",
	} {
		got, err := ReadMnemonic(trialInput(t, "seeds", name))
		if err == nil {
			_, err = MnemonicSeed(got, "")
		}
		if says == "" && (err != nil || got != words) {
			t.Errorf("%s: %v", name, err)
		}
		if says != "" && (!errors.Is(err, ErrMnemonic) || !strings.Contains(err.Error(), says)) {
			t.Errorf("%s: %v, want one that says %q", name, err, says)
		}
	}
}

func TestReadMnemonic(t *testing.T) {
	const words = "legal winner thank year wave sausage worth useful legal winner thank yellow"
	list := strings.Fields(words)
	number := func(format string) string {
		var out []string
		for i, w := range list {
			out = append(out, strings.NewReplacer("N", string(rune('0'+(i+1)/10))+string(rune('0'+(i+1)%10)), "W", w).Replace(format))
		}
		return strings.Join(out, "\n")
	}
	columns := ""
	for i := range 6 {
		columns += strings.Split(number("N. W"), "\n")[i] + "\t" + strings.Split(number("N. W"), "\n")[i+6] + "\r\n"
	}
	wide := []byte{0xff, 0xfe}
	for _, u := range utf16.Encode([]rune(words + "\r\n")) {
		wide = binary.LittleEndian.AppendUint16(wide, u)
	}
	for name, text := range map[string]string{
		"as it is": words, "N. W": number("N. W"), "N) W": number("N) W"), "N: W": number("N: W"), "#N W": number("#N W"), "NW": number("NW"), "(N) W": number("(N) W"),
		"columns": columns, "a table": number("| N | W |"), "JSON": `["` + strings.ReplaceAll(words, " ", `","`) + `"]`, "dashes": strings.ReplaceAll(words, " ", " - "),
		"UTF-16": string(wide), "slanted": "\u201c" + words + "\u201d", "no width": strings.ReplaceAll(words, " ", " \u200b"), "a mail": "> " + words,
	} {
		if got, err := ReadMnemonic([]byte(text)); err != nil || got != words {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, text := range map[string]string{
		"a word of none": "legal winner secretword", "four letters of none": "lega winn xqzk", "three letters": "leg win xq", "a number twice": strings.Replace(number("N. W"), "12.", "11.", 1),
		"a number missing": strings.Replace(number("N. W"), "12.", "", 1), "numbers alone": "1 2 3", "binary": "\x00\x01\xff", "a number too many": number("N. W") + "\n13.",
	} {
		got, err := ReadMnemonic([]byte(text))
		if !errors.Is(err, ErrMnemonic) && !(name == "a number too many" && got == words) {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && strings.Contains(err.Error(), "secr") {
			t.Errorf("%s: the error has a word: %v", name, err)
		}
	}
}

func FuzzReadMnemonic(f *testing.F) {
	f.Add([]byte("1. legal 3. winner\n2) thank"))
	f.Add([]byte("lega\xc2\xa0winn, \"than\""))
	f.Fuzz(func(t *testing.T, raw []byte) {
		words, err := ReadMnemonic(raw)
		if err != nil {
			if !errors.Is(err, ErrMnemonic) {
				t.Errorf("unnamed error %v", err)
			}
			return
		}
		if again, err := ReadMnemonic([]byte(words)); err != nil || again != words {
			t.Errorf("%q is read as %q (%v)", words, again, err)
		}
	})
}

// Signatures as devices and programs write them; each verifies.
func TestSignaturesOfOthers(t *testing.T) {
	const (
		text = "quorate key proof; wallet 9a47e077c8df48becbfdaf335264800c392fdcf50833d66416290f711182c08e; node be70cbe0831445f0cd234f689f8ef302ddd09559ab8c622d0d4812edddc88481; record 04e9e3ec231572dbca0c9ea14bf6d576173a815750019b4ceda3ec4cff889a2c"
		of   = "[73c5da0a/48h/1h/0h/2h]tpubDFH9dgzveyD8zTbPUFuLrGmCydNvxehyNdUXKJAQN8x4aZ4j6UZqGfnqFrD4NqyaTVGKbvEW54tsvPTK2UoSbCC1PJY8iCNiwTL3RWZEheQ"
	)
	k, err := ParseKey(of, Regtest)
	if err != nil {
		t.Fatal(err)
	}
	p, err := k.ProofKey(Regtest)
	if err != nil {
		t.Fatal(err)
	}
	verify := func(s, text string) error {
		sig, err := ReadMessageSignature(s, p)
		switch {
		case err != nil:
			return err
		case sig.BIP322 != nil:
			return p.VerifyBIP322(text, sig.BIP322)
		}
		return p.VerifyMessage(text, sig.Recoverable)
	}
	for _, name := range []string{"bom.txt", "coldcard.txt", "electrum-crlf.txt", "hex.txt", "json.txt", "krux.sig", "multibit.txt", "three-lines.txt", "wrapped.txt"} {
		if err := verify(string(trialInput(t, "msg", name)), text); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	var kinds map[string]string
	if err := json.Unmarshal(trialInput(t, "msg", "bip322.json"), &kinds); err != nil {
		t.Fatal(err)
	}
	for kind, taken := range map[string]bool{"p2wpkh": true, "p2pkh": true, "p2sh": false} {
		if err := verify(kinds[kind], "quorate key proof; wallet 9a47e077"); (err == nil) != taken {
			t.Errorf("BIP322 by %s: %v", kind, err)
		}
	}
	// By a link, a mail, and the alphabet of links.
	bare := strings.TrimSpace(string(trialInput(t, "msg", "wrapped.txt")))
	for name, s := range map[string]string{
		"a mail": "> " + strings.ReplaceAll(bare, "\n", "\n> "), "a label": "Signature: " + strings.ReplaceAll(bare, "\n", ""), "no padding": strings.TrimRight(bare, "="),
		"links": strings.NewReplacer("+", "-", "/", "_", "\n", "").Replace(bare), "smp": "smp" + kinds["p2wpkh"], "smp in quotes": `"smp` + kinds["p2wpkh"] + `"`,
	} {
		of := text
		if strings.HasPrefix(name, "smp") {
			of = "quorate key proof; wallet 9a47e077"
		}
		if err := verify(s, of); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := verify(bare+"\n\n"+strings.TrimSpace(string(trialInput(t, "msg", "hex.txt"))), text); err != nil {
		t.Errorf("one signature twice: %v", err)
	}
}

// A packet has all account keys of a wallet or none: who reads it takes the list to be whole.
func TestAccountKeysAllOrNone(t *testing.T) {
	for name, want := range map[string]int{"own.desc": 2, "casa-like.desc": 0} {
		d, err := ParseDescriptor(strings.TrimSpace(string(trialInput(t, "wallets", name))), Regtest)
		if err != nil {
			t.Fatal(err)
		}
		if got := len(d.psbtXPubs()); got != want {
			t.Errorf("%s: %d account keys of %d, want %d", name, got, len(d.Keys()), want)
		}
	}
}

// A version is of one network; what is none is of neither.
func TestVersionNetwork(t *testing.T) {
	for text, want := range map[string][2]bool{
		"0488b21e": {true, true}, "02aa7ed3": {true, true}, "0295b43f": {true, true}, "04b24746": {true, true}, "049d7cb2": {true, true},
		"043587cf": {false, true}, "02575483": {false, true}, "024289ef": {false, true}, "045f1cf6": {false, true}, "044a5262": {false, true},
		"00000000": {false, false}, "0488ade4": {false, false}, "02aa7a99": {false, false},
	} {
		raw, err := hex.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		mainnet, known := VersionNetwork(binary.BigEndian.Uint32(raw))
		if got := [2]bool{mainnet, known}; got != want {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
	const vpub = "Vpub5m3AM5P2d8GJdM3hu8EZmFNssDa11omosqGXc2pRUGCKZLHdbJcjTCFT7VpWZ1C1huzZYXeJbNs2FWzxqKB1VZoyMZjz7LZXdwmdagGeVHX"
	if mainnet, known := VersionNetwork(binary.BigEndian.Uint32(base58.Decode(vpub))); mainnet || !known {
		t.Error("Vpub is not of the test networks")
	}
}
