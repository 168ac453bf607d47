package ops

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/app"
	"github.com/quorate/quorate/app/config"
	"github.com/quorate/quorate/app/keystore"
	"github.com/quorate/quorate/wallet"
)

// Ailment is one thing that is wrong with a node.
type Ailment struct {
	Code  string `json:"code"`
	What  string `json:"what"`
	Where string `json:"where"`
	Do    string `json:"do"`
	// Mended: it was made right.
	Mended bool `json:"mended"`
}

// DoctorOptions say which node to look at.
type DoctorOptions struct {
	DataDir    string
	Passphrase []byte
	// Mend makes right what is safe: modes of files, what is left over, and what
	// can be made anew from the rest.
	Mend bool
	Now  time.Time
	Log  *slog.Logger
}

// Doctor looks at everything a node holds, and says what is wrong and what to
// do. Of a running node it looks at the files, and asks it how it is.
func Doctor(ctx context.Context, o DoctorOptions) ([]Ailment, error) {
	d := &doctor{o: o}
	if fi, err := os.Stat(o.DataDir); errors.Is(err, fs.ErrNotExist) || err == nil && !fi.IsDir() {
		return nil, api.Missing("not_initialized", "there is no node in "+o.DataDir, "make one with `quorate init`, or restore a backup")
	}
	d.files()
	conf, ok := d.config()
	if !ok {
		conf = config.Default()
	}
	content, err := d.keystore(conf, ok)
	if err != nil {
		return nil, err
	}
	if content == nil {
		return d.found, nil
	}
	defer content.Zero()
	if err := d.store(ctx, *content); err != nil {
		return nil, err
	}
	return d.found, nil
}

type doctor struct {
	o     DoctorOptions
	found []Ailment
}

func (d *doctor) says(code, what, where, do string) *Ailment {
	d.found = append(d.found, Ailment{Code: code, What: what, Where: where, Do: do})
	return &d.found[len(d.found)-1]
}

// mend makes one ailment right, where that was asked for.
func (d *doctor) mend(a *Ailment, how func() error) {
	if !d.o.Mend {
		return
	}
	if err := how(); err != nil {
		a.Do = "it could not be mended: " + err.Error()
		return
	}
	a.Mended = true
}

func (d *doctor) path(name string) string { return filepath.Join(d.o.DataDir, name) }

const doMend = "`quorate doctor --mend` does it"

// files looks at modes and at what is left over.
func (d *doctor) files() {
	d.mode(d.o.DataDir, 0o700, "data_dir_permissions")
	d.mode(d.path(app.ConfigName), 0o600, "config_permissions")
	d.mode(d.path(app.KeystoreName), 0o600, "keystore_permissions")
	if fi, err := os.Stat(d.path(app.StoreName)); err == nil && fi.IsDir() {
		d.mode(d.path(app.StoreName), 0o700, "store_permissions")
	}
	entries, err := os.ReadDir(d.o.DataDir)
	if err != nil {
		d.says("data_dir_unreadable", err.Error(), d.o.DataDir, "look at its owner and mode")
		return
	}
	_, node := os.Lstat(d.path(app.KeystoreName))
	for _, e := range entries {
		name := e.Name()
		switch {
		case name == restoringName && node != nil:
			d.says("restore_unfinished", "a restore did not end: this is no node yet", d.path(name), "run `quorate restore` again, with the same backup")
		case strings.HasSuffix(name, ".tmp") && e.Type().IsRegular():
			a := d.says("leftover", "a file is left from a write that did not end", d.path(name), doMend)
			d.mend(a, func() error { return os.Remove(d.path(name)) })
		}
	}
}

func (d *doctor) mode(path string, most os.FileMode, code string) {
	fi, err := os.Stat(path)
	if err != nil || fi.Mode().Perm()&^most == 0 {
		return
	}
	a := d.says(code, fmt.Sprintf("others may reach it: its mode is %o", fi.Mode().Perm()), path, fmt.Sprintf("chmod %o %s; or %s", most, path, doMend))
	d.mend(a, func() error { return os.Chmod(path, most) })
}

func (d *doctor) config() (config.Config, bool) {
	path := d.path(app.ConfigName)
	l, err := config.Load(path, nil, nil)
	if _, serr := os.Stat(path); errors.Is(serr, fs.ErrNotExist) {
		d.says("config_missing", "there is no configuration", path, "take it from a backup, or write network and name into it")
		return l.Config, false
	}
	if err != nil {
		d.says("config_bad", err.Error(), path, "correct it: docs/configuration.md lists every key")
		return l.Config, false
	}
	return l.Config, true
}

// keystore opens it. Without its secrets nothing further can be looked at.
func (d *doctor) keystore(conf config.Config, known bool) (*keystore.Content, error) {
	path := d.path(app.KeystoreName)
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		d.says("keystore_missing", "the keystore is missing: identity and keys are in it", path, "restore a backup in another data directory, or make a node of the mnemonic (`init --mnemonic-file`, `wallet invite --replace`)")
		return nil, nil
	}
	c, err := keystore.Open(path, d.o.Passphrase)
	switch {
	case errors.Is(err, keystore.ErrPassphrase):
		return nil, api.Fail("wrong_passphrase", "the keystore was not opened: wrong passphrase", "try again")
	case errors.Is(err, keystore.ErrPermissions):
		d.says("keystore_closed", "the keystore is not opened while others may read it", path, "chmod 600 "+path)
		return nil, nil
	case err != nil:
		d.says("keystore_corrupt", err.Error(), path, "restore a backup in another data directory")
		return nil, nil
	}
	if known && c.Network != conf.Network {
		d.says("wrong_network", fmt.Sprintf("the keystore is for %s, the configuration says %s", c.Network, conf.Network), d.path(app.ConfigName), "set network to "+c.Network)
	}
	if _, err := wallet.MnemonicSeed(c.Mnemonic, c.MnemonicPassphrase); err != nil && conf.Signer == "" {
		d.says("keystore_mnemonic", "the keystore holds no valid mnemonic", path, "restore a backup in another data directory")
	}
	if lead := c.Created.Sub(d.o.Now); lead > 0 {
		d.says("clock_behind", fmt.Sprintf("the clock is %v before the keystore was made", lead.Round(time.Minute)), "system clock", "set the clock: expiries and invites go by it")
	}
	return &c, nil
}

// running asks a running node what can be told without its store.
func (d *doctor) running(ctx context.Context) error {
	client, err := api.Dial(d.o.DataDir)
	if err != nil {
		return err
	}
	defer client.Close()
	s, err := client.Status(ctx)
	if err != nil {
		return err
	}
	if s.Chain.Problem != "" && s.Chain.Backend != "none" {
		d.says("chain_problem", string(s.Chain.Problem), s.Chain.Backend, "look at the Bitcoin node, and at chain in config.toml")
	}
	for _, w := range s.Wallets {
		for _, a := range w.Alarms {
			d.says(a.Code, a.Message, "wallet "+w.Name, "see docs/threat-model.md, and speak to the other cosigners")
		}
		if w.Restored != nil {
			d.says("restored_unsynced", "not heard from since the restore: "+w.Restored.Missing(), "wallet "+w.Name, "have their nodes online; until then this one does not sign")
		}
	}
	return nil
}
