package ops

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/app"
	"github.com/quorate/quorate/app/config"
	"github.com/quorate/quorate/app/keystore"
)

const abandon = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about"

func initOptions(dir string) InitOptions {
	c := config.Default()
	c.Network, c.Name = "regtest", "alice"
	return InitOptions{DataDir: dir, Config: c, Passphrase: testPass, Work: keystore.LightWork()}
}

func codeOf(t *testing.T, err error) string {
	t.Helper()
	var e *api.Error
	if !errors.As(err, &e) {
		t.Fatalf("not an *api.Error: %v", err)
	}
	return e.Code
}

func TestInit(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	r, err := Init(initOptions(dir))
	if err != nil {
		t.Fatal(err)
	}
	if len(strings.Fields(r.Mnemonic)) != 24 || !strings.HasPrefix(r.PeerID, "12D3KooW") {
		t.Errorf("%d words, peer id %s", len(strings.Fields(r.Mnemonic)), r.PeerID)
	}
	for path, mode := range map[string]os.FileMode{dir: 0o700, filepath.Join(dir, "keystore"): 0o600, filepath.Join(dir, "config.toml"): 0o600} {
		if fi, err := os.Stat(path); err != nil || fi.Mode().Perm() != mode {
			t.Errorf("%s: %v %v", path, fi.Mode(), err)
		}
	}
	l, err := config.Load(app.ConfigPath(dir), nil, nil)
	if err != nil || l.Network != "regtest" || l.Name != "alice" {
		t.Errorf("%+v %v", l, err)
	}
	c, err := app.Unlock(dir, "regtest", testPass)
	if err != nil || c.Mnemonic != r.Mnemonic {
		t.Fatalf("unlock: %v", err)
	}
	if _, err := app.Unlock(dir, "mainnet", testPass); codeOf(t, err) != "wrong_network" {
		t.Error(err)
	}
	if _, err := app.Unlock(dir, "regtest", []byte("q")); codeOf(t, err) != "wrong_passphrase" {
		t.Error(err)
	}
	before, _ := os.ReadFile(filepath.Join(dir, "keystore"))
	if _, err := Init(initOptions(dir)); codeOf(t, err) != "exists" {
		t.Error(err)
	}
	if after, _ := os.ReadFile(filepath.Join(dir, "keystore")); string(after) != string(before) {
		t.Error("overwritten")
	}
	if err := os.Chmod(filepath.Join(dir, "keystore"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := app.Unlock(dir, "regtest", testPass); codeOf(t, err) != "keystore_permissions" {
		t.Error(err)
	}
	if _, err := app.Unlock(t.TempDir(), "regtest", nil); codeOf(t, err) != "not_initialized" {
		t.Error(err)
	}
}

func TestInitGivenMnemonic(t *testing.T) {
	dir := t.TempDir()
	o := initOptions(dir)
	o.Mnemonic = []byte(" " + strings.ReplaceAll(abandon, " ", "\n "))
	r, err := Init(o)
	if err != nil || r.Mnemonic != "" || r.Fingerprint != "73c5da0a" {
		t.Fatalf("%d characters shown, %v", len(r.Mnemonic), err)
	}
	if c, err := app.Unlock(dir, "regtest", testPass); err != nil || c.Mnemonic != abandon {
		t.Error(err)
	}
	if fi, err := os.Stat(dir); err != nil || fi.Mode().Perm() != 0o700 {
		t.Errorf("an existing directory stays %v %v", fi.Mode(), err)
	}
}

// The passphrase of a mnemonic is kept with it, and makes other keys.
func TestInitMnemonicPassphrase(t *testing.T) {
	dir := t.TempDir()
	o := initOptions(dir)
	o.Mnemonic, o.MnemonicPassphrase = []byte(abandon), "TREZOR"
	r, err := Init(o)
	if err != nil || r.Fingerprint != "b4e3f5ed" {
		t.Fatalf("fingerprint %q, %v", r.Fingerprint, err)
	}
	if c, err := app.Unlock(dir, "regtest", testPass); err != nil || c.Mnemonic != abandon || c.MnemonicPassphrase != "TREZOR" {
		t.Error(err)
	}
}

// What fails changes nothing.
func TestInitFails(t *testing.T) {
	parent := t.TempDir()
	bad := initOptions(filepath.Join(parent, "n"))
	bad.Mnemonic = []byte(abandon + " secretword")
	_, err := Init(bad)
	if codeOf(t, err) != "bad_mnemonic" || strings.Contains(err.Error(), "secretword") {
		t.Error(err)
	}
	tooMuch := initOptions(filepath.Join(parent, "n"))
	tooMuch.Work = keystore.Work{Time: 1000, Memory: 64, Threads: 1}
	if _, err := Init(tooMuch); codeOf(t, err) != "not_written" {
		t.Error(err)
	}
	if entries, _ := os.ReadDir(parent); len(entries) != 0 {
		t.Errorf("left behind: %v", entries)
	}
	file := filepath.Join(parent, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Init(initOptions(file)); codeOf(t, err) != "not_written" {
		t.Error(err)
	}
}
