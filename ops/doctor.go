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
type Ailment = api.Ailment

// Diagnosis is what the command line answers with.
type Diagnosis struct {
	api.Page[Ailment]
	Looks api.List[api.Look] `json:"looks"`
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

// Doctor looks at everything a node holds, and says what is wrong, what to do, and
// what it did not look at. A running node looks by itself, and is asked; it is not
// needed to have the passphrase for that.
func Doctor(ctx context.Context, o DoctorOptions) (api.Examination, error) {
	d := &doctor{o: o, Examiner: app.Examiner{Mend: o.Mend, Now: o.Now}}
	if fi, err := os.Stat(o.DataDir); errors.Is(err, fs.ErrNotExist) || err == nil && !fi.IsDir() {
		return d.Examination, api.Missing("not_initialized", "there is no node in "+o.DataDir, "make one with `quorate init`, or restore a backup")
	}
	if err := app.OwnDir(o.DataDir); err != nil {
		return d.Examination, err
	}
	_ = d.Look("files", func() error { d.files(); return nil })
	var conf config.Config
	known := false
	_ = d.Look("configuration", func() error { conf, known = d.config(); return nil })
	if !known {
		conf = config.Default()
	}
	runs, err := d.running(ctx)
	if err != nil {
		return d.Examination, err
	}
	if runs && len(o.Passphrase) == 0 {
		d.Unseen("no passphrase was given", "keystore", "clock")
		return d.Examination, nil
	}
	content, err := d.keystore(conf, known)
	if err != nil || runs {
		if content != nil {
			content.Zero()
		}
		return d.Examination, err
	}
	d.Unseen("the node does not run", "chain", "listeners", "broadcasts", "alarms")
	if content == nil {
		d.Unseen("the keystore was not opened", "store", "space", "history")
		return d.Examination, nil
	}
	defer content.Zero()
	return d.Examination, d.store(ctx, *content)
}

// NodeRuns says whether a node answers in a data directory.
func NodeRuns(ctx context.Context, dataDir string) bool {
	client, err := api.Dial(dataDir)
	if err != nil {
		return false
	}
	defer client.Close()
	_, err = client.Status(ctx)
	return err == nil || api.AsError(err).Kind != api.Unavailable
}

type doctor struct {
	app.Examiner
	o DoctorOptions
}

func (d *doctor) path(name string) string { return filepath.Join(d.o.DataDir, name) }

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
		if e := app.SystemError("the data directory was not read", d.o.DataDir, err); e != nil {
			d.Says(e.Code, e.Message, d.o.DataDir, e.Hint)
			return
		}
		d.Says("data_dir_unreadable", err.Error(), d.o.DataDir, "look at its owner and mode")
		return
	}
	_, node := os.Lstat(d.path(app.KeystoreName))
	for _, e := range entries {
		name := e.Name()
		switch {
		case name == restoringName && node != nil:
			d.Says("restore_unfinished", "a restore did not end: this is no node yet", d.path(name), "run `quorate restore` again, with the same backup")
		case strings.HasSuffix(name, ".tmp") && e.Type().IsRegular():
			a := d.Says("leftover", "a file is left from a write that did not end", d.path(name), app.DoMend)
			d.Made(a, func() error { return os.Remove(d.path(name)) })
		}
	}
}

func (d *doctor) mode(path string, most os.FileMode, code string) {
	fi, err := os.Stat(path)
	if err != nil || fi.Mode().Perm()&^most == 0 {
		return
	}
	a := d.Says(code, fmt.Sprintf("others may reach it: its mode is %o", fi.Mode().Perm()), path, fmt.Sprintf("chmod %o %s; or %s", most, path, app.DoMend))
	d.Made(a, func() error { return os.Chmod(path, most) })
}

func (d *doctor) config() (config.Config, bool) {
	path := d.path(app.ConfigName)
	l, err := config.Load(path, nil, nil)
	if _, serr := os.Stat(path); errors.Is(serr, fs.ErrNotExist) {
		d.Says("config_missing", "there is no configuration", path, "take it from a backup, or write network and name into it")
		return l.Config, false
	}
	if e := api.AsError(err); e != nil && e.Code != "bad_config" {
		if e.Code == "permission_denied" {
			e.Hint = app.OwnerHint(d.o.DataDir)
		}
		d.Says(e.Code, e.Message, path, e.Hint)
		return l.Config, false
	}
	if err != nil {
		d.Says("config_bad", err.Error(), path, "correct it: docs/configuration.md lists every key")
		return l.Config, false
	}
	return l.Config, true
}

// keystore opens it. Without its secrets nothing further can be looked at.
func (d *doctor) keystore(conf config.Config, known bool) (content *keystore.Content, err error) {
	var denied *api.Error
	err = d.Look("keystore", func() (err error) { content, denied, err = d.openKeystore(conf, known); return err })
	if denied != nil {
		d.Looks = d.Looks[:len(d.Looks)-1]
		d.Unseen(denied.Message, "keystore")
	}
	if content == nil {
		d.Unseen("the keystore was not opened", "clock")
		return nil, err
	}
	_ = d.Look("clock", func() error {
		if lead := content.Created.Sub(d.o.Now); lead > 0 {
			d.Says("clock_behind", fmt.Sprintf("the clock is %v before the keystore was made", lead.Round(time.Minute)), "system clock", "set the clock: expiries and invites go by it")
		}
		return nil
	})
	return content, err
}

// openKeystore returns denied where it was not read at all.
func (d *doctor) openKeystore(conf config.Config, known bool) (content *keystore.Content, denied *api.Error, err error) {
	path := d.path(app.KeystoreName)
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		d.Says("keystore_missing", "the keystore is missing: identity and keys are in it", path, "restore a backup in another data directory, or make a node of the mnemonic (`init --mnemonic-file`, `wallet invite --replace`)")
		return nil, nil, nil
	}
	c, err := keystore.Open(path, d.o.Passphrase)
	switch {
	case err == nil:
	case errors.Is(err, keystore.ErrPassphrase):
		return nil, nil, api.Fail("wrong_passphrase", "the keystore was not opened: wrong passphrase", "try again")
	case errors.Is(err, keystore.ErrPermissions):
		d.Says("keystore_closed", "the keystore is not opened while others may read it", path, "chmod 600 "+path)
		return nil, nil, nil
	case errors.Is(err, keystore.ErrNewer):
		d.Says("keystore_newer", "the keystore was written by a newer version", path, "use that version")
		return nil, nil, nil
	case errors.Is(err, keystore.ErrCorrupt), errors.Is(err, keystore.ErrWork):
		d.Says("keystore_corrupt", err.Error(), path, "restore a backup in another data directory")
		return nil, nil, nil
	default:
		e := app.SystemError("the keystore was not read", d.o.DataDir, err)
		if e == nil {
			e = api.Fail("keystore_unreadable", "the keystore was not read: "+err.Error(), "see why, and try again: nothing says that it is damaged")
		}
		d.Says(e.Code, e.Message, path, e.Hint)
		return nil, e, nil
	}
	if known && c.Network != conf.Network {
		d.Says("wrong_network", fmt.Sprintf("the keystore is for %s, the configuration says %s", c.Network, conf.Network), d.path(app.ConfigName), "set network to "+c.Network)
	}
	if _, err := wallet.MnemonicSeed(c.Mnemonic, c.MnemonicPassphrase); err != nil && conf.Signer == "" {
		d.Says("keystore_mnemonic", "the keystore holds no valid mnemonic", path, "restore a backup in another data directory")
	}
	return &c, nil, nil
}

// running has a running node look, and says whether one runs.
func (d *doctor) running(ctx context.Context) (bool, error) {
	client, err := api.Dial(d.o.DataDir)
	if err != nil {
		return false, err
	}
	defer client.Close()
	x, err := client.Doctor(ctx)
	if err == nil {
		d.Items = append(d.Items, x.Items...)
		d.Looks = append(d.Looks, x.Looks...)
		d.Unseen("its files are looked at when the node is stopped", "store")
		return true, nil
	}
	e := api.AsError(err)
	switch {
	case e.Code == "not_running":
		return false, nil
	case e.Code == "unknown_route":
		d.Unseen("the running node is of an older version: stop it for that", "store", "space", "history", "chain", "listeners", "broadcasts", "alarms")
		return true, nil
	}
	return true, err
}
