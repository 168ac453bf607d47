package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/dgraph-io/badger/v4"
)

// registryHead is the length of Badger's key registry without any data key: an
// initialization vector (16) and a known text (12).
const registryHead = 16 + 12

// checkKey says whether the key is the one of the store, before Badger touches
// anything.
func checkKey(dir string, key []byte) error {
	if _, err := os.Stat(filepath.Join(dir, badger.ManifestFilename)); errors.Is(err, fs.ErrNotExist) {
		if err := whole(dir, badger.ManifestFilename); err != nil {
			return err
		}
	}
	if _, err := os.Stat(filepath.Join(dir, badger.KeyRegistryFileName)); errors.Is(err, fs.ErrNotExist) {
		return whole(dir, badger.KeyRegistryFileName) // or a new store
	}
	_, err := badger.OpenKeyRegistry(badger.KeyRegistryOptions{Dir: dir, ReadOnly: true, EncryptionKey: key})
	switch {
	case errors.Is(err, badger.ErrEncryptionKeyMismatch):
		return ErrKey
	case err != nil:
		return fmt.Errorf("%w: read key registry: %w", ErrCorrupt, err)
	}
	return nil
}

// whole says that tables are there without a file that they rest on: Badger
// (v4.9.6) would begin a new one, and then end the process at tables it cannot
// read, or delete those that it does not know.
func whole(dir, missing string) error {
	tables, err := filepath.Glob(filepath.Join(dir, "*.sst"))
	if err != nil {
		return fmt.Errorf("list tables: %w", err)
	}
	if len(tables) > 0 {
		return fmt.Errorf("%w: %s is missing", ErrCorrupt, missing)
	}
	return nil
}

// checkManifest refuses a MANIFEST that names no table where there are some and
// no log: it lost its end, and Badger would delete them. (A crash leaves a table
// that is not named yet beside the log that it was made of, or beside others.)
func checkManifest(dir string) error {
	raw, err := os.ReadFile(filepath.Join(dir, badger.ManifestFilename))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read MANIFEST: %w", err)
	}
	_, sets, err := splitManifest(raw)
	if err != nil {
		return nil // Badger says what is wrong
	}
	for _, s := range sets {
		if len(s.Changes) > 0 {
			return nil
		}
	}
	logs, err := filepath.Glob(filepath.Join(dir, "*.mem"))
	if err != nil {
		return fmt.Errorf("list logs: %w", err)
	}
	if len(logs) > 0 {
		return nil
	}
	return whole(dir, "the end of "+badger.ManifestFilename)
}

func hasDataKey(dir string) bool {
	info, err := os.Stat(filepath.Join(dir, badger.KeyRegistryFileName))
	return err == nil && info.Size() > registryHead
}

// verifyTables reads every block of every table. Badger (v4.9.6) panics at a
// block with a wrong checksum, while it makes the text of the error.
func (s *Badger) verifyTables() (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = errors.New("wrong checksum of a block")
		}
	}()
	return s.db.VerifyChecksum()
}

// checkVersion writes the schema version into a new store, and refuses data of
// a newer one.
func (s *Badger) checkVersion() error {
	var version uint32
	fresh := false
	err := s.db.View(func(txn *badger.Txn) error {
		item, err := txn.Get([]byte{spaceVersion})
		if errors.Is(err, badger.ErrKeyNotFound) {
			fresh = true
			return s.checkEmpty(txn)
		}
		if err != nil {
			return fmt.Errorf("read schema version: %w", err)
		}
		return item.Value(func(v []byte) error {
			if len(v) != 4 {
				return fmt.Errorf("%w: schema version of %d bytes", ErrCorrupt, len(v))
			}
			version = binary.BigEndian.Uint32(v)
			return nil
		})
	})
	switch {
	case err != nil:
		return err
	case version > schemaVersion:
		return fmt.Errorf("%w: schema %d, this one knows %d", ErrNewer, version, schemaVersion)
	case fresh && s.readOnly:
		return nil
	case fresh:
		err := s.update(func(txn *badger.Txn) error {
			return txn.Set([]byte{spaceVersion}, binary.BigEndian.AppendUint32(nil, schemaVersion))
		})
		if err != nil {
			return fmt.Errorf("write schema version: %w", err)
		}
	}
	return nil
}

func (s *Badger) checkEmpty(txn *badger.Txn) error {
	it := txn.NewIterator(badger.IteratorOptions{})
	defer it.Close()
	if it.Rewind(); it.Valid() {
		return fmt.Errorf("%w: no schema version", ErrCorrupt)
	}
	return nil
}

// loadGuard reads the sign guard into memory.
func (s *Badger) loadGuard() error {
	return s.db.View(func(txn *badger.Txn) error {
		want, err := getCount(txn, []byte{spaceGuardCount})
		if err != nil {
			return fmt.Errorf("read sign guard: %w", err)
		}
		err = scan(txn, []byte{spaceGuard}, func(item *badger.Item) error {
			r, err := parseGuardKey(item.Key())
			if err != nil {
				return fmt.Errorf("read sign guard: %w", err)
			}
			s.guard.Add(r)
			return nil
		})
		if err != nil {
			return err
		}
		if got := uint64(s.guard.Len()); got != want {
			return fmt.Errorf("%w: sign guard holds %d of %d records", ErrCorrupt, got, want)
		}
		return nil
	})
}

// scan calls f with every key that has a prefix, in order.
func scan(txn *badger.Txn, prefix []byte, f func(*badger.Item) error) error {
	it := txn.NewIterator(badger.IteratorOptions{Prefix: prefix})
	defer it.Close()
	for it.Rewind(); it.Valid(); it.Next() {
		if err := f(it.Item()); err != nil {
			return err
		}
	}
	return nil
}

// firstKeys returns at most so many keys with a prefix.
func firstKeys(txn *badger.Txn, prefix []byte, most int) (keys [][]byte) {
	it := txn.NewIterator(badger.IteratorOptions{Prefix: prefix})
	defer it.Close()
	for it.Rewind(); it.Valid() && len(keys) < most; it.Next() {
		keys = append(keys, it.Item().KeyCopy(nil))
	}
	return keys
}

// getCount returns a stored count, 0 where there is none.
func getCount(txn *badger.Txn, key []byte) (n uint64, err error) {
	item, err := txn.Get(key)
	if errors.Is(err, badger.ErrKeyNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	err = item.Value(func(v []byte) error {
		n, err = parseCount(v)
		return err
	})
	return n, err
}
