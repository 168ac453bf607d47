package ops

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"filippo.io/age"

	"github.com/quorate/quorate/app"
)

// runs has a node run until the test ends it.
func runs(t *testing.T, dir string) (stop func()) {
	t.Helper()
	c := initOptions(dir).Config
	c.Chain.Backend, c.Listen = "none", []string{"/ip4/127.0.0.1/tcp/0"}
	ctx, cancel := context.WithCancel(t.Context())
	ready, done := make(chan struct{}), make(chan error, 1)
	go func() {
		done <- app.Run(ctx, app.RunOptions{DataDir: dir, Config: c, Passphrase: testPass, Log: slog.New(slog.DiscardHandler), Ready: func() { close(ready) }})
	}()
	select {
	case <-ready:
	case err := <-done:
		cancel()
		t.Fatal(err)
	}
	return func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// A node that runs is backed up to a recipient without its passphrase. What then opens
// the file is not enough for its keys: those take the passphrase too.
func TestABackupWithoutThePassphrase(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "n")
	node, err := Init(initOptions(dir))
	if err != nil {
		t.Fatal(err)
	}
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	o := backupOptions(dir, filepath.Join(t.TempDir(), "b.age"))
	o.Passphrase, o.SealPassphrase, o.KeepSealed, o.Recipients = nil, nil, true, []string{id.Recipient().String()}
	if _, err := Backup(t.Context(), o); codeOf(t, err) != "not_running" {
		t.Errorf("of a node that does not run: %v", err)
	}
	stop := runs(t, dir)
	bare := o
	bare.Recipients, bare.SealPassphrase = nil, []byte("sealed")
	if _, err := Backup(t.Context(), bare); codeOf(t, err) != "bad_recipient" {
		t.Errorf("to nobody: %v", err)
	}
	if _, err := os.Lstat(o.File); err == nil {
		t.Error("a refused backup left a file")
	}
	made, err := Backup(t.Context(), o)
	if err != nil || made.Keystore != "sealed" || made.PeerID != node.PeerID {
		t.Fatalf("%+v: %v", made, err)
	}
	stop()

	r := restoreOptions("", o.File)
	r.SealPassphrase, r.Identities, r.Expect = nil, id.String(), node.PeerID
	fresh := []byte("another passphrase")
	asked := 0
	for what, c := range map[string]struct {
		new, old []byte
		ask      func() ([]byte, error)
		code     string
	}{
		"the same passphrase":  {new: testPass},
		"another, and the old": {new: fresh, old: testPass},
		"another alone":        {new: fresh, code: "wrong_passphrase"},
		"a wrong old one":      {new: testPass, old: fresh, code: "wrong_passphrase"},
		"asked for":            {new: fresh, ask: func() ([]byte, error) { asked++; return testPass, nil }},
		"never known":          {new: fresh, ask: func() ([]byte, error) { return fresh, nil }, code: "wrong_passphrase"},
	} {
		r := r
		r.DataDir = filepath.Join(t.TempDir(), "to")
		r.Passphrase, r.KeystorePassphrase, r.AskKeystore = c.new, c.old, c.ask
		_, err := Restore(t.Context(), r)
		if c.code != "" {
			if codeOf(t, err) != c.code {
				t.Errorf("%s: %v", what, err)
			}
			if _, err := os.Lstat(r.DataDir); err == nil {
				t.Errorf("%s: something was made", what)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", what, err)
			continue
		}
		content, err := app.Unlock(r.DataDir, "regtest", c.new)
		if err != nil {
			t.Errorf("%s: %v", what, err)
			continue
		}
		content.Zero()
	}
	if asked != 1 {
		t.Errorf("asked %d times for one passphrase", asked)
	}
}
