package keystore

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// CreateWith seals content into a new file of mode 0600, at the given cost of
// trying a passphrase. It never overwrites one (fs.ErrExist). When it returns nil
// the file is on the disk.
func CreateWith(path string, pass []byte, c Content, w Work) error {
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("create keystore: %s: %w", path, fs.ErrExist)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("create keystore: %w", err)
	}
	b, err := seal(pass, c, w)
	if err != nil {
		return fmt.Errorf("create keystore: %w", err)
	}
	if err := WriteFile(path, b); err != nil {
		return fmt.Errorf("create keystore: %w", err)
	}
	return nil
}

// Replace writes a keystore in the place of one that is there: after a crash
// either the old or the new one is. It returns fs.ErrNotExist where there is none.
func Replace(path string, pass []byte, c Content) error {
	if _, err := os.Lstat(path); err != nil {
		return fmt.Errorf("replace keystore: %w", err)
	}
	b, err := seal(pass, c, DefaultWork())
	if err != nil {
		return fmt.Errorf("replace keystore: %w", err)
	}
	if err := WriteFile(path, b); err != nil {
		return fmt.Errorf("replace keystore: %w", err)
	}
	return nil
}

// WriteFile writes a file of mode 0600 so that after a crash either all of it
// is there or what was there before: a temporary file beside it, synced,
// renamed, and the directory synced.
func WriteFile(path string, b []byte) error {
	tmp := path + "." + rand.Text()[:8] + ".tmp"
	if err := writeSynced(tmp, b); err != nil {
		return err
	}
	if err := os.Rename(tmp, path); err != nil {
		return errors.Join(err, os.Remove(tmp))
	}
	return syncDir(filepath.Dir(path))
}

// writeSynced writes a new file, or leaves none behind.
func writeSynced(path string, b []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Open reads a keystore. It returns ErrPassphrase, ErrPermissions, ErrCorrupt,
// ErrNewer or ErrWork, wrapped, or an error of the file system.
func Open(path string, pass []byte) (Content, error) {
	b, err := read(path)
	if err != nil {
		return Content{}, fmt.Errorf("open keystore: %w", err)
	}
	c, err := unseal(b, pass, maxWork())
	if err != nil {
		return Content{}, fmt.Errorf("open keystore: %w", err)
	}
	return c, nil
}

func read(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	fi, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !fi.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a file: %w", path, ErrCorrupt)
	}
	if fi.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%s has mode %o: %w", path, fi.Mode().Perm(), ErrPermissions)
	}
	return io.ReadAll(io.LimitReader(f, maxFileLen+1))
}
