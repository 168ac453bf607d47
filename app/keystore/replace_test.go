package keystore

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// A keystore that is replaced opens with the new passphrase alone, and holds
// the same; where it cannot be written, the old one stays.
func TestReplace(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "keystore")
	c := Content{Network: "regtest", Mnemonic: "words", IdentitySeed: [32]byte{1}, DatabaseKey: [32]byte{2}}
	if err := Replace(path, []byte("new"), c); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("replaced what is not there: %v", err)
	}
	if err := CreateWith(path, []byte("old"), c, LightWork()); err != nil {
		t.Fatal(err)
	}
	if err := Replace(path, []byte("new"), c); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path, []byte("old")); !errors.Is(err, ErrPassphrase) {
		t.Errorf("with the old passphrase: %v", err)
	}
	got, err := Open(path, []byte("new"))
	if err != nil || got.Mnemonic != c.Mnemonic || got.IdentitySeed != c.IdentitySeed || got.DatabaseKey != c.DatabaseKey {
		t.Errorf("with the new one: %v", err)
	}
	fi, err := os.Stat(path)
	if err != nil || fi.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", fi.Mode(), err)
	}
	if names, err := os.ReadDir(dir); err != nil || len(names) != 1 {
		t.Errorf("left behind: %v, %v", names, err)
	}
}
