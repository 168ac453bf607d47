package ops

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/app"
	"github.com/quorate/quorate/app/config"
	"github.com/quorate/quorate/app/keystore"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/service"
	"github.com/quorate/quorate/wallet"
)

// InitOptions say what node to make.
type InitOptions struct {
	DataDir string
	// Config is written to config.toml; its network is the node's for good.
	Config     config.Config
	Passphrase []byte
	// Mnemonic is the BIP39 mnemonic of the Bitcoin keys, in any form that
	// wallet.ReadMnemonic reads; empty draws one of 24 words.
	Mnemonic []byte
	// MnemonicPassphrase is the passphrase of BIP39 that goes with it, or "".
	MnemonicPassphrase string
	// Work is the cost of trying a passphrase; zero is keystore.DefaultWork.
	Work keystore.Work

	seedOnly bool // for a signer process: a keystore and no configuration
}

// InitResult is what Init made. Mnemonic is empty where one was given; it is
// for the user's eyes only. Fingerprint is that of the master key, empty without a
// seed: any passphrase makes keys, and by it the user sees whether they are the
// right ones.
type InitResult struct {
	PeerID      string
	Mnemonic    string
	Fingerprint string
}

// Init makes the data directory of a node, mode 0700: its keystore and its
// configuration. It never overwrites one, and leaves nothing behind when it
// fails. Errors are *api.Error.
func Init(o InitOptions) (InitResult, error) {
	if err := app.OwnDir(o.DataDir); err != nil {
		return InitResult{}, err
	}
	if err := Vacant(o.DataDir); err != nil {
		return InitResult{}, err
	}
	if err := CheckPassphrase(o.Passphrase, o.Config.Network); err != nil {
		return InitResult{}, err
	}
	given := len(o.Mnemonic) > 0
	content, err := newContent(o)
	if err != nil {
		return InitResult{}, err
	}
	defer content.Zero()
	result := InitResult{PeerID: service.PeerID(journal.NewIdentity(content.IdentitySeed).Author())}
	if !given {
		result.Mnemonic = content.Mnemonic
	}
	if content.Mnemonic != "" {
		if result.Fingerprint, err = fingerprint(content); err != nil {
			return InitResult{}, api.Misuse("bad_mnemonic", err.Error(), "")
		}
	}
	made, err := makeDir(o.DataDir)
	if err != nil {
		return InitResult{}, notWritten(err)
	}
	if err := writeNode(o, content); err != nil {
		if made {
			// Fails where something else was put into it meanwhile, which is then kept.
			err = errors.Join(err, os.Remove(o.DataDir))
		}
		return InitResult{}, notWritten(err)
	}
	return result, nil
}

// Vacant refuses a directory that holds a node already, or a part of one. Errors
// are *api.Error.
func Vacant(dataDir string) error {
	for _, name := range []string{app.KeystoreName, app.ConfigName, restoringName} {
		if _, err := os.Lstat(filepath.Join(dataDir, name)); err == nil {
			return api.Refuse("exists", fmt.Sprintf("%s already holds a node (%s)", dataDir, name), "choose another --data-dir")
		}
	}
	return nil
}

// HoldsNode says whether a directory holds a whole node: not the rest of a restore that
// did not end, nor a configuration alone.
func HoldsNode(dataDir string) bool {
	_, keys := os.Lstat(filepath.Join(dataDir, app.KeystoreName))
	_, half := os.Lstat(filepath.Join(dataDir, restoringName))
	return keys == nil && half != nil
}

// InitSigner makes the data directory of a signer process: a keystore, and
// nothing else, so that no node can be started from it by mistake. Errors are
// *api.Error.
func InitSigner(o InitOptions) (InitResult, error) {
	o.Config.Signer = "" // it is the seed's own place
	o.seedOnly = true
	return Init(o)
}

func newContent(o InitOptions) (keystore.Content, error) {
	c := keystore.Content{Network: o.Config.Network, MnemonicPassphrase: o.MnemonicPassphrase, Created: api.Time(time.Now())}
	const hint = "give 12 to 24 words of the BIP39 English list"
	if len(o.Mnemonic) > 0 {
		words, err := wallet.ReadMnemonic(o.Mnemonic)
		if err == nil && words == "" {
			err = fmt.Errorf("%w: there are no words", wallet.ErrMnemonic)
		}
		if err != nil {
			return c, api.Misuse("bad_mnemonic", err.Error(), hint)
		}
		c.Mnemonic = words
	}
	for _, b := range [][]byte{c.IdentitySeed[:], c.SealingSeed[:], c.DatabaseKey[:]} {
		if _, err := rand.Read(b); err != nil {
			return c, api.Fail("no_entropy", "random bytes could not be drawn: "+err.Error(), "")
		}
	}
	if o.Config.Signer != "" {
		if c.Mnemonic != "" {
			return c, api.Misuse("two_seeds", "a mnemonic was given for a node that is to have no seed of its own", "where a signer holds the keys, give it to `quorate signer init`")
		}
		return c, nil
	}
	if c.Mnemonic == "" {
		words, err := NewWords()
		if err != nil {
			return c, err
		}
		c.Mnemonic = words
	}
	seed, err := wallet.MnemonicSeed(c.Mnemonic, c.MnemonicPassphrase)
	if err != nil {
		return c, api.Misuse("bad_mnemonic", err.Error(), hint)
	}
	clear(seed)
	return c, nil
}

// fingerprint is of the master key of a keystore, as signers show it.
func fingerprint(c keystore.Content) (string, error) {
	seed, err := wallet.MnemonicSeed(c.Mnemonic, c.MnemonicPassphrase)
	if err != nil {
		return "", err
	}
	defer clear(seed)
	account, err := wallet.DeriveAccount(seed, wallet.Network(c.Network), wallet.DefaultScript, 0)
	if err != nil {
		return "", fmt.Errorf("derive keys: %w", err)
	}
	defer account.Zero()
	key := account.Key()
	return hex.EncodeToString(key.Fingerprint[:]), nil
}

// makeDir makes the directory, or makes an existing one private.
func makeDir(dir string) (made bool, err error) {
	if fi, err := os.Stat(dir); err == nil {
		if !fi.IsDir() {
			return false, fmt.Errorf("%s is not a directory", dir)
		}
		return false, os.Chmod(dir, 0o700)
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o700); err != nil {
		return false, err
	}
	return true, os.Mkdir(dir, 0o700)
}

// writeNode writes the keystore last: a directory that has one is a node.
func writeNode(o InitOptions, c keystore.Content) error {
	conf := filepath.Join(o.DataDir, app.ConfigName)
	if !o.seedOnly {
		if err := keystore.WriteFile(conf, []byte(config.File(o.Config))); err != nil {
			return err
		}
	}
	work := o.Work
	if work == (keystore.Work{}) {
		work = keystore.DefaultWork()
	}
	if err := keystore.CreateWith(filepath.Join(o.DataDir, app.KeystoreName), o.Passphrase, c, work); err != nil {
		if !o.seedOnly {
			err = errors.Join(err, os.Remove(conf))
		}
		return err
	}
	return nil
}

func notWritten(err error) error {
	const what = "the node could not be written"
	var mine *api.Error
	if errors.As(err, &mine) {
		return mine
	}
	if e := api.System(what, err); e != nil {
		if errors.Is(err, fs.ErrPermission) {
			e.Hint = "choose a --data-dir that you may write to, or give it to this user with chown"
		}
		return e
	}
	return api.Fail("not_written", what+": "+err.Error(), "")
}

// ChangePassphrase seals the keystore of a data directory with another
// passphrase, at today's cost of trying one. After a crash it is sealed with
// one or the other. Backups keep theirs, and so does whoever copied the file
// before. Errors are *api.Error.
func ChangePassphrase(dataDir string, old, new []byte) error {
	path := filepath.Join(dataDir, app.KeystoreName)
	c, err := app.Unlock(dataDir, "", old)
	if err != nil {
		return err
	}
	defer c.Zero()
	if err := CheckPassphrase(new, c.Network); err != nil {
		return err
	}
	if err := keystore.Replace(path, new, c); err != nil {
		return notWritten(err)
	}
	return nil
}
