package app

import (
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/store"
)

// Where the socket of a running node was removed, what still says that it runs says how
// to find its process.
func TestAStoreInUseNamesTheWayOut(t *testing.T) {
	dir := t.TempDir()
	db, err := store.Open(filepath.Join(dir, StoreName), nil, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	_, err = OpenStore(dir, nil, slog.New(slog.DiscardHandler))
	if e := api.AsError(err); e == nil || e.Code != "data_dir_locked" || !strings.Contains(e.Hint, "fuser "+filepath.Join(dir, StoreName, "quorate.lock")) {
		t.Errorf("%v", err)
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
}
