package app

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/app/keystore"
	"github.com/quorate/quorate/store"
)

// What a data directory holds.
const (
	ConfigName   = "config.toml" // the configuration
	KeystoreName = "keystore"    // the file with the secrets: a directory that has one is a node
	StoreName    = "db"          // the directory of the store
	headersName  = "neutrino"    // the directory of the light client
)

// ConfigPath is where the configuration of a data directory is.
func ConfigPath(dataDir string) string { return filepath.Join(dataDir, ConfigName) }

// Unlock opens the keystore of a data directory and checks that it is for the
// network that is configured, where one is named. Errors are *api.Error.
func Unlock(dataDir string, network string, passphrase []byte) (keystore.Content, error) {
	path := filepath.Join(dataDir, KeystoreName)
	if err := OwnDir(dataDir); err != nil {
		return keystore.Content{}, err
	}
	c, err := keystore.Open(path, passphrase)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return c, api.Missing("not_initialized", "there is no node in "+dataDir, "make one with `quorate init`")
	case errors.Is(err, keystore.ErrPassphrase):
		return c, api.Fail("wrong_passphrase", "the keystore was not opened: wrong passphrase", "try again")
	case errors.Is(err, keystore.ErrPermissions):
		return c, api.Refuse("keystore_permissions", "the keystore was not opened: others may read or write it", "chmod 600 "+path)
	case errors.Is(err, keystore.ErrNewer):
		return c, api.Fail("keystore_newer", "the keystore was written by a newer version", "use that version")
	case errors.Is(err, keystore.ErrCorrupt), errors.Is(err, keystore.ErrWork):
		return c, api.Fail("keystore_corrupt", "the keystore was not opened: "+err.Error(), "restore it from a backup")
	case err != nil:
		if e := SystemError("the keystore was not opened", dataDir, err); e != nil {
			return c, e
		}
		return c, api.Fail("keystore", "the keystore was not opened: "+err.Error(), "")
	}
	if network != "" && c.Network != network {
		c.Zero()
		return c, api.Refuse("wrong_network", fmt.Sprintf("this node is for %s, not for %s", c.Network, network), "set network to "+c.Network+", or make another node for "+network)
	}
	return c, nil
}

// OpenStore opens the store of a data directory with its database key. Errors
// are *api.Error.
func OpenStore(dataDir string, key []byte, log *slog.Logger) (*store.Badger, error) {
	db, err := store.Open(filepath.Join(dataDir, StoreName), key, log)
	if err != nil {
		return nil, storeError(dataDir, err)
	}
	return db, nil
}

// ReadStore opens the store of a data directory for reading, without changing a file of
// it; it is opened as OpenStore does where that cannot be: a node that was killed left
// what is still to be taken in. Errors are *api.Error.
func ReadStore(dataDir string, key []byte, log *slog.Logger) (*store.Badger, error) {
	db, err := store.OpenReadOnly(filepath.Join(dataDir, StoreName), key, log)
	switch {
	case errors.Is(err, store.ErrUnclean), errors.Is(err, errors.ErrUnsupported):
		return OpenStore(dataDir, key, log)
	case err != nil:
		return nil, storeError(dataDir, err)
	}
	return db, nil
}

func storeError(dir string, err error) error {
	switch {
	case errors.Is(err, store.ErrLocked):
		return api.Fail("data_dir_locked", "the node in "+dir+" is running already", "stop it first, or choose another --data-dir; if no command reaches it, its socket was removed: end its process, `fuser "+filepath.Join(dir, StoreName, "quorate.lock")+"` names it")
	case errors.Is(err, store.ErrKey):
		return api.Fail("wrong_store_key", "the store was not opened: it belongs to another keystore", "restore the keystore that belongs to it")
	case errors.Is(err, store.ErrNewer):
		return api.Fail("store_newer", "the store was written by a newer version", "use that version")
	case errors.Is(err, store.ErrCorrupt):
		return api.Fail("store_corrupt", "the store was not opened: "+err.Error(), "keep a copy, and restore a backup in another data directory: the others hold what came after it")
	}
	if e := SystemError("the store was not opened", dir, err); e != nil {
		return e
	}
	return api.Fail("store", "the store was not opened: "+err.Error(), "")
}
