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
	Files map[string]string
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

func TestBSMSEncrypted(t *testing.T) {
	n := 0
	for _, v := range bsmsVectors(t) {
		for _, parts := range v.Rounds {
			for _, part := range parts {
				for name, file := range part.Files {
					if !strings.HasSuffix(name, ".dat") {
						continue
					}
					n++
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
