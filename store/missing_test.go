package store_test

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/store"
)

// Tables without the files that they rest on are damage, and are left alone.
func TestMissingFiles(t *testing.T) {
	for _, name := range []string{"MANIFEST", "KEYREGISTRY"} {
		dir := t.TempDir()
		key := make([]byte, store.KeySize)
		s, err := store.Open(dir, key, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Commit(t.Context(), port.Batch{Puts: map[string][]byte{"a": {1}}}); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		kept, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
		if _, err := store.Open(dir, key, slog.New(slog.DiscardHandler)); !errors.Is(err, store.ErrCorrupt) {
			t.Errorf("without %s: %v", name, err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), kept, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err = store.Open(dir, key, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatalf("%s put back: %v", name, err)
		}
		if recs, err := s.Records(t.Context(), port.Batch{}.Group, ""); err != nil || len(recs) != 1 {
			t.Errorf("%s put back: %v %v", name, recs, err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
