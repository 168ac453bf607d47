package psbt

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// sharedDir finds the directory of vectors and fixtures: QUORATE_SHARED, or
// ../shared seen from the root of the repository.
func sharedDir(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("QUORATE_SHARED")
	if dir == "" {
		root, err := os.Getwd()
		if err != nil {
			t.Fatal(err)
		}
		for {
			if _, err := os.Stat(filepath.Join(root, "go.mod")); err == nil {
				break
			}
			parent := filepath.Dir(root)
			if parent == root {
				t.Skip("no go.mod above the test: cannot find the shared vectors")
			}
			root = parent
		}
		dir = filepath.Join(root, "..", "shared")
	}
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("no shared vectors (set QUORATE_SHARED): %v", err)
	}
	return dir
}

// vector is one case of the BIPs' test vectors.
type vector struct {
	Context string `json:"context"`
	Case    string `json:"case"`
	Sub     string `json:"sub"`
	Hex     string `json:"hex"`
	Base64  string `json:"base64"`
	Valid   bool   `json:"valid"`
}

func (v vector) raw(t testing.TB) []byte {
	t.Helper()
	raw, err := hex.DecodeString(v.Hex)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// isTx tells the one vector that is a transaction apart from the packets.
func (v vector) isTx() bool { return v.Valid && !strings.HasPrefix(v.Hex, "70736274ff") }

func vectors(t testing.TB, bip string) []vector {
	t.Helper()
	var file struct {
		Vectors []vector `json:"vectors"`
	}
	readJSON(t, filepath.Join(sharedDir(t), "vectors", "bip-"+bip+".json"), &file)
	if len(file.Vectors) == 0 {
		t.Fatalf("no vectors for BIP %s", bip)
	}
	return file.Vectors
}

// fixture is a packet's whole life, made by Bitcoin Core.
type fixture struct {
	PSBT     string   `json:"psbt"`
	Signed   []string `json:"signed"`
	Combined string   `json:"combined"`
	Final    string   `json:"final"`
	name     string
}

func fixtures(t testing.TB) []fixture {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(sharedDir(t), "fixtures", "*-v[02].json"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no fixtures: %v", err)
	}
	out := make([]fixture, len(names))
	for i, name := range names {
		readJSON(t, name, &out[i])
		out[i].name = strings.TrimSuffix(filepath.Base(name), ".json")
	}
	return out
}

// all returns every packet of the fixture, binary.
func (f fixture) all(t testing.TB) [][]byte {
	t.Helper()
	var out [][]byte
	for _, text := range append([]string{f.PSBT, f.Combined}, f.Signed...) {
		out = append(out, unbase64(t, text))
	}
	return out
}

func readJSON(t testing.TB, name string, v any) {
	t.Helper()
	raw, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, v); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

func unbase64(t testing.TB, text string) []byte {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func mustParse(t testing.TB, raw []byte) *Packet {
	t.Helper()
	p, err := Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func mustBytes(t testing.TB, p *Packet) []byte {
	t.Helper()
	raw, err := p.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}
