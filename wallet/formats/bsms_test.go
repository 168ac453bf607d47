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

// field returns what stands after a label that begins so.
func (p bsmsPart) field(label string) string {
	for _, f := range p.Fields {
		if strings.HasPrefix(f, label) {
			_, value, _ := strings.Cut(f, ":")
			return strings.TrimSpace(value)
		}
	}
	return ""
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

// tokens are those of a setup, in the order of its signers; one where they share it.
func (v bsmsVector) tokens(t *testing.T) []Token {
	t.Helper()
	var out []Token
	for _, f := range v.Rounds["ROUND 1"]["Coordinator"].Fields {
		label, value, _ := strings.Cut(f, ": ")
		if !strings.HasPrefix(label, "TOKEN") || strings.Contains(label, "decimal") || strings.Contains(label, "mnemonic") {
			continue
		}
		token, err := ParseToken(value)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, token)
	}
	return out
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
				if got := r.signed() + "\n" + r.Signature; got != text {
					t.Errorf("%s %s: written again as %q", v.Mode, name, got)
				}
				if err := r.Verify(wallet.Mainnet); err != nil {
					t.Errorf("%s %s: %v", v.Mode, name, err)
				}
				r.Description += "."
				if err := r.Verify(wallet.Mainnet); !errors.Is(err, ErrSignature) {
					t.Errorf("%s %s: another text verifies: %v", v.Mode, name, err)
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

func TestBSMSTokens(t *testing.T) {
	for _, v := range bsmsVectors(t) {
		c := v.Rounds["ROUND 1"]["Coordinator"]
		for i, token := range v.tokens(t) {
			if token.none() {
				if _, err := token.Encrypt("x"); err == nil {
					t.Error("encrypted without a token")
				}
				continue
			}
			encrypt, _, err := token.keys()
			if err != nil {
				t.Fatal(err)
			}
			var decimals, keys []string
			for _, f := range c.Fields {
				label, value, _ := strings.Cut(f, ": ")
				switch {
				case strings.Contains(label, "decimal"):
					decimals = append(decimals, value)
				case strings.HasPrefix(label, "ENCRYPTION_KEY"):
					keys = append(keys, value)
				}
			}
			if token.Decimal() != decimals[i] || hex.EncodeToString(encrypt) != keys[i] {
				t.Errorf("%s: %s %x, want %s %s", v.Mode, token.Decimal(), encrypt, decimals[i], keys[i])
			}
			if want := c.field("TOKEN (mnemonic)"); want != "" && token.Mnemonic() != want {
				t.Errorf("%s: %q, want %q", v.Mode, token.Mnemonic(), want)
			}
		}
	}
}

func TestBSMSEncryption(t *testing.T) {
	n := 0
	for _, v := range bsmsVectors(t) {
		tokens := v.tokens(t)
		for round, parts := range v.Rounds {
			for who, part := range parts {
				for name, file := range part.Files {
					if !strings.HasSuffix(name, ".dat") {
						continue
					}
					n++
					token := tokens[0]
					if i := strings.IndexAny(who, "123"); len(tokens) > 1 && i > 0 {
						token = tokens[who[i]-'1']
					}
					plain := parts[strings.TrimSuffix(who, " encryption")].Files[strings.TrimSuffix(name, ".dat")+".bsms"]
					if plain == "" {
						plain = parts["Coordinator"].Files["my_multisig_wallet.bsms"]
					}
					text, err := token.Decrypt(file)
					if err != nil || text != plain {
						t.Fatalf("%s, %s, %s: %q %v", v.Mode, round, who, text, err)
					}
					_, mac, err := token.keys()
					if err != nil || hex.EncodeToString(mac) != part.field("HMAC_KEY") {
						t.Errorf("%s, %s, %s: key of the MAC %x %v", v.Mode, round, who, mac, err)
					}
					if again, err := token.Encrypt(text); err != nil || again != file {
						t.Errorf("%s, %s, %s: encrypted again as %s %v", v.Mode, round, who, again, err)
					}
					wrong := slices.Clone(token)
					wrong[0] ^= 1
					if _, err := wrong.Decrypt(file); !errors.Is(err, ErrEncrypted) {
						t.Errorf("another token: %v", err)
					}
					if _, _, err := Parse([]byte(file), wallet.Mainnet); !errors.Is(err, ErrEncrypted) {
						t.Errorf("encrypted, as a wallet: %v", err)
					}
				}
			}
		}
	}
	if n != 9 {
		t.Errorf("%d encrypted files, want 9", n)
	}
}
