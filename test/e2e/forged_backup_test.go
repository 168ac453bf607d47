package e2e_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"filippo.io/age"

	"github.com/quorate/quorate/app"
	"github.com/quorate/quorate/ops"
	"github.com/quorate/quorate/test/nodes"
)

// Somebody who knows the age recipient, which is public, puts a backup of a node
// of the same name in the place of the real one. It is not restored without a
// word, and what it brings is not used.
func TestForgedBackupIsNotRestored(t *testing.T) {
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	tmp := t.TempDir()
	identity := filepath.Join(tmp, "id")
	if err := os.WriteFile(identity, []byte(id.String()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	files := map[string]string{"own": filepath.Join(tmp, "own.age"), "forged": filepath.Join(tmp, "forged.age")}
	made := map[string]ops.BackupResult{}
	for who, file := range files {
		n := world.New(t, nodes.Config{Name: "treasurer", Dir: filepath.Join(t.TempDir(), "n"), RPC: "http://127.0.0.1:24199"})
		made[who] = ask[ops.BackupResult](n, "backup", file, "--recipient", id.Recipient().String(), "--passphrase-file", world.PassFile)
	}
	if made["own"].PeerID == "" || made["own"].PeerID == made["forged"].PeerID {
		t.Fatalf("%+v", made)
	}
	restore := func(file string, args ...string) (*node, answer) {
		n := world.At(t, nodes.Config{Name: "new", Dir: filepath.Join(t.TempDir(), "n")})
		return n, n.Run(append([]string{"restore", file, "--identity", identity, "--new-passphrase-file", world.PassFile}, args...)...)
	}
	for _, c := range []struct {
		code string
		args []string
	}{
		{"backup_unauthenticated", nil},
		{"backup_unauthenticated", []string{"--keep-config"}},
		{"unexpected_node", []string{"--expect", made["own"].PeerID}},
		{"unexpected_node", []string{"--expect", made["own"].PeerID, "--allow", "backup_unauthenticated"}},
	} {
		n, refused := restore(files["forged"], c.args...)
		if refused.Status != 4 || !bytes.Contains(refused.Out, []byte(`"`+c.code+`"`)) || !bytes.Contains(refused.Out, []byte(made["forged"].PeerID)) {
			t.Errorf("%v: exit status %d, %s", c.args, refused.Status, refused.Out)
		}
		if _, err := os.Stat(n.Dir); err == nil {
			t.Errorf("%v: refused, and left something behind", c.args)
		}
	}
	// Whoever insists gets the keys, and not the servers.
	n, a := restore(files["forged"], "--allow", "backup_unauthenticated")
	got := read[ops.RestoreResult](t, a)
	conf, err := os.ReadFile(app.ConfigPath(n.Dir))
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Dropped) == 0 || bytes.Contains(conf, []byte("24199")) {
		t.Errorf("%+v; %s", got, conf)
	}
	// One's own is restored as it was.
	n, a = restore(files["own"], "--expect", made["own"].PeerID)
	if got := read[ops.RestoreResult](t, a); !got.Signed || got.PeerID != made["own"].PeerID || len(got.Dropped) != 0 {
		t.Errorf("%+v", got)
	}
	if conf, err := os.ReadFile(app.ConfigPath(n.Dir)); err != nil || !bytes.Contains(conf, []byte("24199")) {
		t.Errorf("%v; %s", err, conf)
	}
}
