package journal

import (
	"encoding/hex"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestGolden holds everything that two nodes must agree on against bytes made
// once. If it fails, the format has changed, and nodes of the two versions do
// not understand each other: -update is for a new protocol version only.
func TestGolden(t *testing.T) {
	cipher, plain := sealed(t)
	id, ep, key := NewIdentity([32]byte{1}), testEpoch(), sealingKey(t, 1)
	public := key.Public()
	hash := H("golden", []byte("a"), nil, []byte("bc"))
	epochID, author, cipherID, plainID := ep.ID(), id.Author(), cipher.ID(), plain.ID()
	entry, err := ep.entryKey(epochID, author)
	if err != nil {
		t.Fatal(err)
	}
	c, _, err := Chains{}.Add(cipher, false)
	if err != nil {
		t.Fatal(err)
	}
	snapshot, err := c.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	got := []struct {
		name string
		b    []byte
	}{
		{"hash", hash[:]},
		{"author", author[:]},
		{"identity-signature", id.Sign("golden", []byte("message"))},
		{"epoch-id", epochID[:]},
		{"entry-key", entry},
		{"topic", []byte(ep.Topic())},
		{"sealed-id", cipherID[:]},
		{"sealed-entry", cipher.Bytes()},
		{"plain-id", plainID[:]},
		{"plain-entry", plain.Bytes()},
		{"sealing-public", public[:]},
		{"stanza-info", stanzaInfo(ep.Group, epochID, author, Author{2})},
		{"snapshot", snapshot},
	}
	var b strings.Builder
	for _, g := range got {
		b.WriteString(g.name + " " + hex.EncodeToString(g.b) + "\n")
	}
	path := filepath.Join("testdata", "golden.txt")
	if *update {
		stanza, err := SealSecret(ep, author, Author{2}, public)
		if err != nil {
			t.Fatal(err)
		}
		b.WriteString("stanza " + hex.EncodeToString(stanza) + "\n")
		if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for line := range strings.Lines(string(file)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		want[name] = value
	}
	for _, g := range got {
		if w := want[g.name]; hex.EncodeToString(g.b) != w {
			t.Errorf("%s is\n%x, was\n%s", g.name, g.b, w)
		}
	}
	if len(want) != len(got)+1 {
		t.Errorf("%d values in %s, want %d", len(want), path, len(got)+1)
	}
	// A stanza differs each time it is made; that of the file must open.
	stanza, err := hex.DecodeString(want["stanza"])
	if err != nil {
		t.Fatal(err)
	}
	if opened, err := OpenSecret(key, ep.Group, epochID, ep.Number, ep.Parent, author, Author{2}, stanza); err != nil || opened != ep {
		t.Errorf("stanza: %v", err)
	}
}

var update = flag.Bool("update", false, "write testdata/golden.txt anew")
