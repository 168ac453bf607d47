package main

import (
	"os"
	"path/filepath"
	"testing"
)

// A passphrase that others may read is named, one of its owner alone is not; nor is one
// that is not there.
func TestAPassphraseThatOthersReadIsNamed(t *testing.T) {
	for mode, named := range map[os.FileMode]bool{0o600: false, 0o400: false, 0o644: true, 0o640: true, 0o604: true, 0o620: true} {
		file := filepath.Join(t.TempDir(), "passphrase")
		if err := os.WriteFile(file, []byte("x"), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(file, mode); err != nil {
			t.Fatal(err)
		}
		if got := readableByOthers(file); (got == file) != named || !named && got != "" {
			t.Errorf("%o: %q", mode, got)
		}
	}
	for _, file := range []string{"", filepath.Join(t.TempDir(), "none")} {
		if got := readableByOthers(file); got != "" {
			t.Errorf("%q: %q", file, got)
		}
	}
}
