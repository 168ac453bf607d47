package ops

import (
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/quorate/quorate/app"
)

// A backup of a stopped node changes no file of it: it works where nothing can be
// written any more, and leaves no file of who made it. A node that was killed is backed
// up with what it wrote last.
func TestABackupChangesNoFile(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there, no store is opened for reading alone")
	}
	dir, _ := stopped(t)
	before := treeOf(t, dir)
	made, err := Backup(t.Context(), backupOptions(dir, filepath.Join(t.TempDir(), "b.age")))
	if err != nil || made.Entries == 0 {
		t.Fatalf("%+v: %v", made, err)
	}
	sameTree(t, dir, before)

	db := openStore(t, dir)
	killed := copyTree(t, dir)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := Backup(t.Context(), backupOptions(killed, filepath.Join(t.TempDir(), "b.age")))
	if err != nil || again.Entries != made.Entries || again.Signatures != made.Signatures {
		t.Errorf("of a node that was killed: %+v, and of one that was stopped %+v: %v", again, made, err)
	}
}

// On a disk that may only be read, a stopped node is backed up, and doctor says that no
// node can run there.
func TestADiskThatMayOnlyBeRead(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("not root: no file system can be mounted")
	}
	disk := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=160m", "tmpfs", disk).CombinedOutput(); err != nil {
		t.Skipf("mount does not work here: %v: %s", err, out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", disk).CombinedOutput(); err != nil {
			t.Errorf("unmount: %v: %s", err, out)
		}
	})
	dir := filepath.Join(disk, "n")
	if err := os.CopyFS(dir, os.DirFS(lived(t))); err != nil {
		t.Fatal(err)
	}
	for path, mode := range map[string]os.FileMode{dir: 0o700, filepath.Join(dir, app.KeystoreName): 0o600} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := exec.Command("mount", "-o", "remount,ro", disk).CombinedOutput(); err != nil {
		t.Skipf("remount does not work here: %v: %s", err, out)
	}
	if made, err := Backup(t.Context(), backupOptions(dir, filepath.Join(t.TempDir(), "b.age"))); err != nil || made.Entries == 0 {
		t.Errorf("%+v: %v", made, err)
	}
	x, err := Doctor(t.Context(), DoctorOptions{DataDir: dir, Passphrase: testPass, Now: time.Now(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range x.Items {
		if i.Code == "read_only" {
			return
		}
	}
	t.Errorf("doctor says %+v", x.Items)
}
