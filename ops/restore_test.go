package ops

import (
	"bytes"
	"encoding/hex"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"
	"github.com/google/go-cmp/cmp"

	"github.com/quorate/quorate/app"
	"github.com/quorate/quorate/app/backup"
	"github.com/quorate/quorate/app/keystore"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/store"
	"github.com/quorate/quorate/store/storetest"
)

var testPass = []byte("correct horse battery")

// Records of the node's own: the ports that it listened on, which no backup
// holds, and where others were.
const recPorts, recAddresses = "listen", "addresses"

// stopped is a node that is not running, with a group in its store.
func stopped(t *testing.T) (dir string, group journal.GroupID) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "n")
	if _, err := Init(initOptions(dir)); err != nil {
		t.Fatal(err)
	}
	group = storetest.Group(1)
	author := storetest.NewAuthor(t, group, 1, 1)
	db := openStore(t, dir)
	for _, b := range []port.Batch{
		{Puts: map[string][]byte{"group/" + group.String(): {1}, recPorts: []byte("{}"), recAddresses: []byte("{}")}},
		{
			Group: group, Entries: []*journal.Entry{author.Entry(10), author.Entry(2000), author.Entry(10), author.Fork(10)},
			Puts: map[string][]byte{"local": []byte("mine"), "pin": {3}, "view": []byte("stale"), "tx/00": {1}, "snapshot": {1}},
			Guard: []port.GuardUpdate{
				storetest.Sign(1, 1), storetest.Sign(1, 2, 1), storetest.Sign(2, 1),
			},
		},
	} {
		if err := db.Commit(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return dir, group
}

func openStore(t *testing.T, dir string) *store.Badger {
	t.Helper()
	c, err := app.Unlock(dir, "regtest", testPass)
	if err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(filepath.Join(dir, app.StoreName), c.DatabaseKey[:], slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// contents is what a stopped node's store holds, in text.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	db := openStore(t, dir)
	defer func() { _ = db.Close() }()
	out := map[string]string{}
	err := db.Dump(t.Context(), func(d store.DumpItem) error {
		switch {
		case d.Entry != nil:
			out["entry "+d.Entry.ID().String()] = hex.EncodeToString(d.Entry.Bytes())
		case d.Guard != nil:
			out["guard "+d.Guard.OutPoint.String()+" "+d.Guard.TxID.String()] = ""
		default:
			out[d.Group.String()[:8]+" "+d.Key] = string(d.Value)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func backupOptions(dir, file string) BackupOptions {
	return BackupOptions{
		DataDir: dir, File: file, Config: initOptions(dir).Config, Passphrase: testPass, SealPassphrase: []byte("sealed"),
		Work: 2, Log: slog.New(slog.DiscardHandler),
	}
}

func restoreOptions(dir, file string) RestoreOptions {
	return RestoreOptions{DataDir: dir, File: file, SealPassphrase: []byte("sealed"), Passphrase: testPass, Work: keystore.LightWork(), Log: slog.New(slog.DiscardHandler)}
}

func TestBackupAndRestore(t *testing.T) {
	dir, group := stopped(t)
	file := filepath.Join(t.TempDir(), "b.age")
	made, err := Backup(t.Context(), backupOptions(dir, file))
	if err != nil {
		t.Fatal(err)
	}
	if made.Wallets != 1 || made.Entries != 4 || made.Signatures != 3 || made.Bytes == 0 {
		t.Errorf("%+v", made)
	}
	if fi, err := os.Stat(file); err != nil || fi.Mode().Perm() != 0o600 {
		t.Errorf("mode %v %v", fi.Mode(), err)
	}
	again := filepath.Join(t.TempDir(), "other", "n")
	got, err := Restore(t.Context(), restoreOptions(again, file))
	if err != nil {
		t.Fatal(err)
	}
	if got.Wallets != 1 || got.Entries != 4 || got.Name != "alice" || got.Network != "regtest" {
		t.Errorf("%+v", got)
	}
	old, err := app.Unlock(dir, "regtest", testPass)
	if err != nil {
		t.Fatal(err)
	}
	c, err := app.Unlock(again, "regtest", testPass)
	if err != nil {
		t.Fatal(err)
	}
	if c.Mnemonic != old.Mnemonic || c.IdentitySeed != old.IdentitySeed || c.SealingSeed != old.SealingSeed || c.DatabaseKey == old.DatabaseKey {
		t.Error("the keystore is another one, or shares the database key")
	}
	want, have := contents(t, dir), contents(t, again)
	prefix := group.String()[:8] + " "
	for _, k := range []string{prefix + "view", prefix + "tx/00", prefix + "snapshot", journal.GroupID{}.String()[:8] + " " + recPorts} {
		if _, ok := want[k]; !ok {
			t.Errorf("%q was not there to be left out", k)
		}
		delete(want, k)
	}
	if have[prefix+"restored"] == "" {
		t.Error("the group is not marked as restored")
	}
	delete(have, prefix+"restored")
	if d := cmp.Diff(want, have); d != "" {
		t.Error(d)
	}
	conf := func(dir string) string { b, _ := os.ReadFile(app.ConfigPath(dir)); return string(b) }
	if conf(dir) != conf(again) || conf(dir) == "" {
		t.Error("the configuration differs")
	}
	if left, _ := os.ReadDir(again); len(left) != 3 {
		t.Errorf("left in the data directory: %v", left)
	}
}

func TestBackupToRecipients(t *testing.T) {
	dir, _ := stopped(t)
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	o := backupOptions(dir, filepath.Join(t.TempDir(), "b.age"))
	o.Recipients, o.SealPassphrase = []string{id.Recipient().String()}, nil
	if _, err := Backup(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	r := restoreOptions(filepath.Join(t.TempDir(), "n"), o.File)
	if _, err := Restore(t.Context(), r); codeOf(t, err) != "needs_identity" {
		t.Error(err)
	}
	r.Identities, r.Allow = id.String(), []string{RuleBackupUnauthenticated}
	if _, err := Restore(t.Context(), r); err != nil {
		t.Error(err)
	}
}

// Whatever is wrong with a backup, it is one named error and nothing changed.
func TestBadBackups(t *testing.T) {
	dir, _ := stopped(t)
	tmp := t.TempDir()
	o := backupOptions(dir, filepath.Join(tmp, "b.age"))
	if _, err := Backup(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(o.File)
	if err != nil {
		t.Fatal(err)
	}
	flipped := bytes.Clone(good)
	flipped[len(flipped)/2] ^= 1
	for name, c := range map[string]struct {
		file []byte
		pass string
		want string
	}{
		"truncated":        {good[:len(good)-1], "sealed", "backup_truncated"},
		"cut in half":      {good[:len(good)/2], "sealed", "backup_truncated"},
		"wrong passphrase": {good, "other", "wrong_passphrase"},
		"newer":            {seal(t, newer(t)), "sealed", "backup_newer"},
		"no keystore":      {seal(t, stream(t, nil)), "sealed", "backup_corrupt"},
		"another file":     {[]byte("hello"), "sealed", "not_a_backup"},
		"a flipped byte":   {flipped, "sealed", "backup_truncated"}, // in its only chunk
	} {
		path := filepath.Join(tmp, "bad")
		if err := os.WriteFile(path, c.file, 0o600); err != nil {
			t.Fatal(err)
		}
		r := restoreOptions(filepath.Join(tmp, "n"), path)
		r.SealPassphrase = []byte(c.pass)
		_, err := Restore(t.Context(), r)
		if codeOf(t, err) != c.want || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := os.Stat(r.DataDir); err == nil {
			t.Errorf("%s: left something behind", name)
		}
	}
	if _, err := Backup(t.Context(), o); codeOf(t, err) != "exists" {
		t.Error(err)
	}
	o.Force = true
	if _, err := Backup(t.Context(), o); err != nil {
		t.Error(err)
	}
	o.File, o.SealPassphrase = filepath.Join(tmp, "c.age"), nil
	if _, err := Backup(t.Context(), o); codeOf(t, err) != "empty_passphrase" {
		t.Error(err)
	}
	o.Recipients = []string{"age1nonsense"}
	if _, err := Backup(t.Context(), o); codeOf(t, err) != "bad_recipient" {
		t.Error(err)
	}
	if left, _ := os.ReadDir(tmp); len(left) != 2 {
		t.Errorf("left behind: %v", left)
	}
}

func stream(t *testing.T, items []backup.Item) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := backup.NewWriter(&b, backup.Header{})
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range items {
		if err := w.Add(i); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func newer(t *testing.T) []byte {
	return bytes.Replace(stream(t, nil), []byte(`"version":1`), []byte(`"version":3`), 1)
}

func seal(t *testing.T, plain []byte) []byte {
	t.Helper()
	to, err := backup.Passphrase([]byte("sealed"), 2)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	w, err := backup.Seal(&b, to)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(plain); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// A keystore is never sealed with nothing.
func TestRestoreUnderNoPassphrase(t *testing.T) {
	dir, _ := stopped(t)
	o := backupOptions(dir, filepath.Join(t.TempDir(), "b.age"))
	if _, err := Backup(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	r := restoreOptions(filepath.Join(t.TempDir(), "n"), o.File)
	r.Passphrase = nil
	if _, err := Restore(t.Context(), r); codeOf(t, err) != "empty_passphrase" {
		t.Error(err)
	}
	if _, err := os.Stat(r.DataDir); err == nil {
		t.Error("it left something behind")
	}
}

// What an interrupted restore leaves is no node, and a further one begins anew.
func TestInterruptedRestore(t *testing.T) {
	dir, _ := stopped(t)
	file := filepath.Join(t.TempDir(), "b.age")
	if _, err := Backup(t.Context(), backupOptions(dir, file)); err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(t.TempDir(), "n")
	if _, err := Restore(t.Context(), restoreOptions(to, file)); err != nil {
		t.Fatal(err)
	}
	// As killed before the last file was there.
	if err := os.Remove(filepath.Join(to, app.KeystoreName)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(to, restoringName), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := app.Unlock(to, "regtest", testPass); codeOf(t, err) != "not_initialized" {
		t.Error(err)
	}
	if _, err := Init(initOptions(to)); codeOf(t, err) != "exists" {
		t.Error(err)
	}
	if _, err := Restore(t.Context(), restoreOptions(to, file)); err != nil {
		t.Fatal(err)
	}
	if _, err := Restore(t.Context(), restoreOptions(to, file)); codeOf(t, err) != "exists" {
		t.Error(err)
	}
	contents(t, to)
	// Something else is in the way: it is kept.
	if err := os.WriteFile(filepath.Join(to, "mine"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(to, app.KeystoreName)); err != nil {
		t.Fatal(err)
	}
	if _, err := Restore(t.Context(), restoreOptions(to, file)); codeOf(t, err) != "exists" {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(to, "mine")); err != nil {
		t.Error(err)
	}
}
