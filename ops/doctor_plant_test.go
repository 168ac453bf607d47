package ops

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/quorate/quorate/app"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/store"
	"github.com/quorate/quorate/store/storetest"
)

func errorsJoin(errs ...error) error { return errors.Join(errs...) }

// contents0 are the node's own records.
func contents0(t *testing.T, db *store.Badger) map[string][]byte {
	t.Helper()
	recs, err := db.Records(t.Context(), journal.GroupID{}, "")
	if err != nil {
		t.Fatal(err)
	}
	return recs
}

func batchOf(group, name string, value []byte) port.Batch {
	var g journal.GroupID
	// A group that does not parse is the zero one, in which nothing is looked for.
	_ = g.UnmarshalText([]byte(group))
	return port.Batch{Group: g, Puts: map[string][]byte{name: value}}
}

func swap(path, old, fresh string) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return os.WriteFile(path, bytes.ReplaceAll(b, []byte(old), []byte(fresh)), 0o600)
}

func unfinished(dir string) error {
	return errors.Join(os.WriteFile(filepath.Join(dir, restoringName), nil, 0o600), os.Remove(filepath.Join(dir, app.KeystoreName)))
}

func flip8(v []byte) []byte { b := bytes.Clone(v); b[7] ^= 4; return b }

func truncateTable(dir string) error {
	tables, err := filepath.Glob(filepath.Join(dir, app.StoreName, "*.sst"))
	if err != nil || len(tables) == 0 {
		return fmt.Errorf("no tables: %w", err)
	}
	fi, err := os.Stat(tables[0])
	if err != nil {
		return err
	}
	return os.Truncate(tables[0], fi.Size()-20)
}

// lastEntry takes the end of a chain away, which breaks no link.
func lastEntry(key []byte) func(string) error {
	return func(dir string) error {
		var last []byte
		find := func(k, _ []byte) ([]byte, bool) {
			if k[0] == 'e' && bytes.Compare(k, last) > 0 {
				last = k
			}
			return nil, false
		}
		if _, err := storetest.Plant(filepath.Join(dir, app.StoreName), key, find); err != nil {
			return err
		}
		_, err := storetest.Plant(filepath.Join(dir, app.StoreName), key, func(k, _ []byte) ([]byte, bool) { return nil, bytes.Equal(k, last) })
		return err
	}
}

// signedThen plants something in a store whose guard knows a signature.
func signedThen(t *testing.T, plant func(string) error) func(string) error {
	return func(dir string) error {
		db := openStore(t, dir)
		err := db.Commit(t.Context(), port.Batch{Guard: []port.GuardUpdate{storetest.Sign(1, 1)}})
		if err = errors.Join(err, db.Close()); err != nil {
			return err
		}
		return plant(dir)
	}
}
