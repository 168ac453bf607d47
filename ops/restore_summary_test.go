package ops

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"filippo.io/age"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/app"
	"github.com/quorate/quorate/app/backup"
	"github.com/quorate/quorate/app/config"
	"github.com/quorate/quorate/app/keystore"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/service"
)

// leaning is a node that leans on a server, backed up to a recipient.
func leaning(t *testing.T) (file, peerID, identity string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "n")
	o := initOptions(dir)
	o.Config.Chain.Backend, o.Config.Chain.Core.URL = "core", "http://127.0.0.1:24199"
	o.Config.Chain.Core.User, o.Config.Chain.Core.Password = "u", "hunter2"
	made, err := Init(o)
	if err != nil {
		t.Fatal(err)
	}
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	b := backupOptions(dir, filepath.Join(t.TempDir(), "b.age"))
	b.Recipients, b.SealPassphrase = []string{id.Recipient().String()}, nil
	r, err := Backup(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	if r.PeerID != made.PeerID {
		t.Errorf("the backup is of %s, said to be of %s", made.PeerID, r.PeerID)
	}
	return b.File, made.PeerID, id.String()
}

// Whoever knows a recipient can write a backup for it. Which node it is of is
// said before anything is written; without an answer nothing is, and what the
// configuration leans on is left out unless it is wanted.
func TestRestoreAsksWhoseBackupItIs(t *testing.T) {
	file, peer, identity := leaning(t)
	yes := func(string) (bool, error) { return true, nil }
	no := func(string) (bool, error) { return false, nil }
	yesNo := func(q string) (bool, error) { return strings.Contains(q, "peer id"), nil }
	for name, c := range map[string]struct {
		set  func(*RestoreOptions)
		code string // of the refusal
		kept bool
	}{
		"nobody to ask":       {func(*RestoreOptions) {}, "backup_unauthenticated", false},
		"keep-config alone":   {func(o *RestoreOptions) { o.KeepConfig = true }, "backup_unauthenticated", false},
		"no":                  {func(o *RestoreOptions) { o.Ask = no }, "backup_unauthenticated", false},
		"another is expected": {func(o *RestoreOptions) { o.Expect, o.Ask = "x"+peer[1:], yes }, "unexpected_node", false},
		"no override of expect": {func(o *RestoreOptions) {
			o.Expect, o.Allow = "x", []string{RuleBackupUnauthenticated, "unexpected_node"}
		}, "unexpected_node", false},
		"overridden":       {func(o *RestoreOptions) { o.Allow = []string{RuleBackupUnauthenticated} }, "", false},
		"overridden, kept": {func(o *RestoreOptions) { o.Allow, o.KeepConfig = []string{RuleBackupUnauthenticated}, true }, "", true},
		"yes, and no":      {func(o *RestoreOptions) { o.Ask = yesNo }, "", false},
		"yes, and yes":     {func(o *RestoreOptions) { o.Ask = yes }, "", true},
		"expected":         {func(o *RestoreOptions) { o.Expect = peer }, "", true},
	} {
		dir := filepath.Join(t.TempDir(), "n")
		o := restoreOptions(dir, file)
		o.Identities = identity
		c.set(&o)
		shown := 0
		o.Show = func(s BackupSummary) {
			shown++
			if _, err := os.Stat(dir); err == nil {
				t.Errorf("%s: something was written before it was shown", name)
			}
			if s.PeerID != peer || s.Name != "alice" || s.Network != "regtest" || s.Sealed != "recipients" || !s.Signed {
				t.Errorf("%s: %+v", name, s)
			}
			want := []string{"chain.backend", "chain.core.url", "chain.core.user", "chain.core.password"}
			if got := s.Servers(); !slices.Equal(got, want) {
				t.Errorf("%s: servers %v", name, got)
			}
			for _, x := range s.Settings {
				if strings.Contains(x.Value, "hunter2") {
					t.Errorf("%s: a password is shown", name)
				}
			}
		}
		got, err := Restore(t.Context(), o)
		if shown != 1 {
			t.Errorf("%s: shown %d times", name, shown)
		}
		if c.code != "" {
			if codeOf(t, err) != c.code {
				t.Errorf("%s: %v", name, err)
			}
			if _, err := os.Stat(dir); err == nil {
				t.Errorf("%s: refused, and left something behind", name)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		conf, err := os.ReadFile(app.ConfigPath(dir))
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := config.Parse(conf, "config.toml")
		if err != nil {
			t.Fatal(err)
		}
		if kept := parsed.Chain.Core.URL != ""; kept != c.kept || kept != (len(got.Dropped) == 0) || bytes.Contains(conf, []byte("hunter2")) != c.kept {
			t.Errorf("%s: servers kept: %v, dropped %v", name, kept, got.Dropped)
		}
		if parsed.Name != "alice" || parsed.Network != "regtest" {
			t.Errorf("%s: %+v", name, parsed)
		}
	}
}

// A passphrase tells who wrote a backup, but not whose servers are in it.
func TestRestoreByPassphraseDropsServers(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "n")
	o := initOptions(dir)
	o.Config.Metrics.Listen = "127.0.0.1:9100"
	if _, err := Init(o); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "b.age")
	if _, err := Backup(t.Context(), backupOptions(dir, file)); err != nil {
		t.Fatal(err)
	}
	for _, keep := range []bool{false, true} {
		r := restoreOptions(filepath.Join(t.TempDir(), "n"), file)
		r.KeepConfig = keep
		got, err := Restore(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		conf, _ := os.ReadFile(app.ConfigPath(r.DataDir))
		if kept := bytes.Contains(conf, []byte("127.0.0.1:9100")); kept != keep || kept == slices.Contains(got.Dropped, "metrics.listen") {
			t.Errorf("keep %v: %v, dropped %v", keep, kept, got.Dropped)
		}
	}
}

// withKeystore is the plain stream of a backup of a node, with further items.
func withKeystore(t *testing.T, sign func(id *journal.Identity) func([]byte) []byte, items ...backup.Item) []byte {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "n")
	if _, err := Init(initOptions(dir)); err != nil {
		t.Fatal(err)
	}
	c, err := app.Unlock(dir, "regtest", testPass)
	if err != nil {
		t.Fatal(err)
	}
	self := journal.NewIdentity(c.IdentitySeed)
	var b bytes.Buffer
	w, err := backup.NewWriter(&b, backup.Header{Name: "alice", Network: "regtest", PeerID: service.PeerID(self.Author())})
	if err != nil {
		t.Fatal(err)
	}
	ks, err := keystore.Encode(c)
	if err != nil {
		t.Fatal(err)
	}
	items = append([]backup.Item{{Kind: backup.Keystore, Value: ks}, {Kind: backup.Config, Value: []byte("network = \"regtest\"\n")}}, items...)
	for _, i := range items {
		if err := w.Add(i); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.CloseSigned(sign(self)); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func restorePlain(t *testing.T, plain []byte) (RestoreResult, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "b.age")
	if err := os.WriteFile(file, seal(t, plain), 0o600); err != nil {
		t.Fatal(err)
	}
	o := restoreOptions(filepath.Join(t.TempDir(), "n"), file)
	r, err := Restore(t.Context(), o)
	if err != nil {
		if _, err := os.Stat(o.DataDir); err == nil {
			t.Error("refused, and left something behind")
		}
	}
	return r, err
}

// Backups of older versions have no signature: they are restored, and it is said.
// One by another identity is damage.
func TestSignatureOfABackup(t *testing.T) {
	none := func(*journal.Identity) func([]byte) []byte { return nil }
	if got, err := restorePlain(t, withKeystore(t, none)); err != nil || got.Signed {
		t.Errorf("unsigned: %+v, %v", got, err)
	}
	if got, err := restorePlain(t, withKeystore(t, backup.Signer)); err != nil || !got.Signed {
		t.Errorf("signed: %+v, %v", got, err)
	}
	other := func(*journal.Identity) func([]byte) []byte { return backup.Signer(journal.NewIdentity([32]byte{1})) }
	if _, err := restorePlain(t, withKeystore(t, other)); codeOf(t, err) != "backup_corrupt" {
		t.Errorf("signed by another: %v", err)
	}
}

// No honest node has so many signatures of one coin, and each would cost more than the last.
func TestGuardRecordsOfOneCoinAreBounded(t *testing.T) {
	guards := func(n int) []backup.Item {
		var out []backup.Item
		for i := range n {
			g := backup.Item{Kind: backup.Guard, Guard: port.GuardRecord{OutPoint: wire.OutPoint{Index: 7}}}
			g.Guard.TxID[0], g.Guard.TxID[1] = byte(i), byte(i>>8)
			out = append(out, g)
		}
		return out
	}
	if _, err := restorePlain(t, withKeystore(t, backup.Signer, guards(maxGuardOfCoin)...)); err != nil {
		t.Error(err)
	}
	if _, err := restorePlain(t, withKeystore(t, backup.Signer, guards(maxGuardOfCoin+1)...)); codeOf(t, err) != "backup_corrupt" {
		t.Error(err)
	}
}

// A file that is another one when it is read again is not restored.
func TestBackupThatChangesWhileItIsRestored(t *testing.T) {
	a, b := seal(t, withKeystore(t, backup.Signer)), seal(t, withKeystore(t, backup.Signer))
	file := filepath.Join(t.TempDir(), "b.age")
	if err := os.WriteFile(file, a, 0o600); err != nil {
		t.Fatal(err)
	}
	o := restoreOptions(filepath.Join(t.TempDir(), "n"), file)
	var swapped error
	o.Show = func(BackupSummary) { swapped = os.WriteFile(file, b, 0o600) }
	if _, err := Restore(t.Context(), o); swapped != nil || codeOf(t, err) != "backup_corrupt" {
		t.Error(errors.Join(err, swapped))
	}
	if _, err := os.Stat(o.DataDir); err == nil {
		t.Error("it left something behind")
	}
}
