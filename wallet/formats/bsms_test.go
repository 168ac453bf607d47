package formats

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/quorate/quorate/wallet"
)

type bsmsPart struct {
	Fields []string
	Files  map[string]string
}

type bsmsVector struct {
	Mode   string
	Rounds map[string]map[string]bsmsPart
}

func bsmsVectors(t *testing.T) []bsmsVector {
	t.Helper()
	dir := os.Getenv("QUORATE_SHARED")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared")
	}
	raw, err := os.ReadFile(filepath.Join(dir, "vectors", "bip-0129.json"))
	if err != nil {
		t.Skip("no vectors: set QUORATE_SHARED to the folder that holds them")
	}
	var all struct{ Vectors []bsmsVector }
	if err := json.Unmarshal(raw, &all); err != nil {
		t.Fatal(err)
	}
	if len(all.Vectors) != 4 {
		t.Fatalf("%d vectors, want 4", len(all.Vectors))
	}
	return all.Vectors
}

func TestBSMSKeyRecords(t *testing.T) {
	n := 0
	for _, v := range bsmsVectors(t) {
		for _, part := range v.Rounds["ROUND 1"] {
			for name, text := range part.Files {
				if !strings.HasSuffix(name, ".bsms") {
					continue
				}
				n++
				r, err := ParseKeyRecord(text)
				if err != nil {
					t.Fatalf("%s %s: %v", v.Mode, name, err)
				}
				if got := strings.Join([]string{bsmsVersion, r.Token, r.Key, r.Description, r.Signature}, "\n"); got != text {
					t.Errorf("%s %s: written again as %q", v.Mode, name, got)
				}
				if _, _, err := Parse([]byte(text), wallet.Mainnet); !errors.Is(err, ErrOneKey) {
					t.Errorf("%s %s as a wallet: %v", v.Mode, name, err)
				}
			}
		}
	}
	if n != 9 {
		t.Errorf("%d records, want 9", n)
	}
}

func TestBSMSDescriptorRecords(t *testing.T) {
	for _, v := range bsmsVectors(t) {
		text := v.Rounds["ROUND 2"]["Coordinator"].Files["my_multisig_wallet.bsms"]
		r, err := ParseDescriptorRecord(text)
		if err != nil {
			t.Fatalf("%s: %v", v.Mode, err)
		}
		if r.String() != text {
			t.Errorf("%s: written again as %q", v.Mode, r)
		}
		if strings.Contains(v.Mode, "Public Keys") {
			fixedKeys(t, r)
			if _, _, err := Parse([]byte(text), wallet.Mainnet); !errors.Is(err, wallet.ErrUnsupported) {
				t.Errorf("%s: a wallet of one address: %v", v.Mode, err)
			}
			continue
		}
		w, f, err := Parse([]byte(text), wallet.Mainnet)
		if err != nil || f != BSMS {
			t.Fatalf("%s: %s %v", v.Mode, f, err)
		}
		again, err := Write(w, BSMS)
		// The vectors write ' where the canonical form is h.
		if err != nil || strings.ReplaceAll(string(again), "h", "'") != strings.ReplaceAll(text+"\n", "h", "'") {
			t.Errorf("%s: written again as %s %v", v.Mode, again, err)
		}
		other := strings.Replace(text, r.Address, "bc1qother", 1)
		if _, _, err := Parse([]byte(other), wallet.Mainnet); !errors.Is(err, ErrFormat) {
			t.Errorf("%s with another address: %v", v.Mode, err)
		}
	}
}

// fixedKeys derives the address of the vector whose keys are no extended ones.
func fixedKeys(t *testing.T, r DescriptorRecord) {
	t.Helper()
	if _, err := wallet.SplitChecksum(r.Descriptor); err != nil {
		t.Error(err)
	}
	var pubs [][]byte
	for _, m := range regexp.MustCompile(`\](0[23][0-9a-f]{64})`).FindAllStringSubmatch(r.Descriptor, -1) {
		pub, err := hex.DecodeString(m[1])
		if err != nil {
			t.Fatal(err)
		}
		pubs = append(pubs, pub)
	}
	slices.SortFunc(pubs, bytes.Compare)
	script := []byte{0x51}
	for _, pub := range pubs {
		script = append(append(script, 33), pub...)
	}
	hash := sha256.Sum256(append(script, 0x52, 0xae))
	got, err := wallet.AddressOf(append([]byte{0, 32}, hash[:]...), wallet.Mainnet)
	if err != nil || got != r.Address || r.Paths != bsmsOpen {
		t.Errorf("address %s %v under %q, want %s", got, err, r.Paths, r.Address)
	}
}

// tokens are those of a setup in each form, in the order of its signers; one
// where they share it.
func (v bsmsVector) tokens() (hex, decimal, words []string) {
	for _, f := range v.Rounds["ROUND 1"]["Coordinator"].Fields {
		label, value, _ := strings.Cut(f, ": ")
		switch {
		case !strings.HasPrefix(label, "TOKEN"):
		case strings.Contains(label, "decimal"):
			decimal = append(decimal, value)
		case strings.Contains(label, "mnemonic"):
			words = append(words, value)
		default:
			hex = append(hex, value)
		}
	}
	return hex, decimal, words
}

// What the vectors of BIP129 have encrypted opens with the token of its signer,
// in each of its forms, and with no other.
func TestBSMSEncrypted(t *testing.T) {
	n, wallets := 0, 0
	for _, v := range bsmsVectors(t) {
		hexes, decimals, words := v.tokens()
		for round, parts := range v.Rounds {
			for who, part := range parts {
				for name, file := range part.Files {
					if !strings.HasSuffix(name, ".dat") {
						continue
					}
					n++
					if _, _, err := Parse([]byte(file), wallet.Mainnet); !errors.Is(err, ErrEncrypted) {
						t.Errorf("encrypted, as a wallet: %v", err)
					}
					of := 0
					if i := strings.IndexAny(who, "123"); len(hexes) > 1 && i > 0 {
						of = int(who[i] - '1')
					}
					plain := parts[strings.TrimSuffix(who, " encryption")].Files[strings.TrimSuffix(name, ".dat")+".bsms"]
					if plain == "" {
						plain = parts["Coordinator"].Files["my_multisig_wallet.bsms"]
					}
					tokens := []string{hexes[of], "0x" + strings.ToUpper(hexes[of]) + "\n", decimals[of]}
					if len(words) > of {
						tokens = append(tokens, words[of])
					}
					raw, err := hex.DecodeString(file)
					if err != nil {
						t.Fatal(err)
					}
					for _, token := range tokens {
						for form, closed := range map[string][]byte{"hex": []byte(file), "wrapped": []byte(wrap(file, 64, "\r\n")), "binary": raw} {
							text, err := Decrypt(closed, token)
							if err != nil || string(text) != plain {
								t.Fatalf("%s, %s, %s, %s, with %q: %q %v", v.Mode, round, who, form, token, text, err)
							}
						}
					}
					if w, _, err := Parse([]byte(plain), wallet.Mainnet); err == nil && w.Descriptor != nil {
						wallets++
					}
					if _, err := Decrypt([]byte(file), strings.Repeat("ab", len(hexes[of])/2)); !errors.Is(err, ErrEncrypted) {
						t.Errorf("another token: %v", err)
					}
					raw[len(raw)-1] ^= 1
					if _, err := Decrypt(raw, hexes[of]); !errors.Is(err, ErrEncrypted) {
						t.Errorf("damaged: %v", err)
					}
				}
			}
		}
	}
	if n != 9 || wallets == 0 {
		t.Errorf("%d encrypted files, want 9; %d of them wallets", n, wallets)
	}
	for _, token := range []string{"", "00", "abc", "legal winner thank", "legal winner thank year wave legal"} {
		if _, err := Decrypt(bytes.Repeat([]byte("ab"), 60), token); !errors.Is(err, ErrToken) {
			t.Errorf("token %q: %v", token, err)
		}
	}
}
