package store_test

import (
	"log/slog"
	"testing"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/store"
	"github.com/quorate/quorate/store/storetest"
)

func testKey() []byte {
	key := make([]byte, store.KeySize)
	for i := range key {
		key[i] = byte(i)
	}
	return key
}

// quiet drops what is below a warning.
func quiet(t testing.TB) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
}

func openBadger(t *testing.T, dir string, key []byte) *store.Badger {
	t.Helper()
	s, err := store.Open(dir, key, quiet(t))
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestBadgerConformance(t *testing.T) {
	for name, key := range map[string][]byte{"encrypted": testKey(), "plain": nil} {
		t.Run(name, func(t *testing.T) {
			if testing.Short() && key == nil {
				t.Skip("no node runs without a key")
			}
			storetest.Run(t, func(t *testing.T) (port.Store, func() port.Store) {
				dir := t.TempDir()
				s := openBadger(t, dir, key)
				return s, func() port.Store {
					_ = s.Close()
					s = openBadger(t, dir, key)
					return s
				}
			})
		})
	}
}
