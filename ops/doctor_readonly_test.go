package ops

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/app"
	"github.com/quorate/quorate/app/keystore"
	"github.com/quorate/quorate/store"
)

// treeOf are all files below a directory, with what is in them and when it was written.
func treeOf(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		fi, err := e.Info()
		if err != nil {
			return err
		}
		raw, err := os.ReadFile(path)
		out[path] = fmt.Sprint(fi.Mode(), fi.ModTime().UnixNano(), sha256.Sum256(raw))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func sameTree(t *testing.T, dir string, before map[string]string) {
	t.Helper()
	after := treeOf(t, dir)
	for _, all := range []map[string]string{before, after} {
		for path := range all {
			if before[path] != after[path] {
				t.Errorf("%s was %q, and is %q", path, before[path], after[path])
			}
		}
	}
}

// Doctor without --mend changes no file of a stopped node: whoever runs it, as root or
// while another starts, leaves nothing behind. What a killed node wrote last is not taken
// in for it, and that is said; with --mend it is.
func TestDoctorChangesNoFile(t *testing.T) {
	dir := lived(t)
	before := treeOf(t, dir)
	x, err := Doctor(t.Context(), DoctorOptions{DataDir: dir, Passphrase: testPass, Now: time.Now(), Log: slog.New(slog.DiscardHandler)})
	if err != nil || len(x.Items) > 0 {
		t.Fatalf("%+v %v", x.Items, err)
	}
	looked(t, x, map[string]string{"store": api.LookFine, "space": api.LookFine, "history": api.LookFine})
	sameTree(t, dir, before)

	// A copy of it as a node that was killed leaves it: with its store open.
	c, err := keystore.Open(filepath.Join(dir, app.KeystoreName), testPass)
	if err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(filepath.Join(dir, app.StoreName), c.DatabaseKey[:], slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	killed := copyTree(t, dir)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	before = treeOf(t, killed)
	x, err = Doctor(t.Context(), DoctorOptions{DataDir: killed, Passphrase: testPass, Now: time.Now(), Log: slog.New(slog.DiscardHandler)})
	if err != nil || len(x.Items) > 0 {
		t.Fatalf("%+v %v", x.Items, err)
	}
	looked(t, x, map[string]string{"store": api.LookNone, "space": api.LookNone, "history": api.LookNone})
	sameTree(t, killed, before)
	x, err = Doctor(t.Context(), DoctorOptions{DataDir: killed, Passphrase: testPass, Mend: true, Now: time.Now(), Log: slog.New(slog.DiscardHandler)})
	if err != nil || len(x.Items) > 0 {
		t.Fatalf("%+v %v", x.Items, err)
	}
	looked(t, x, map[string]string{"store": api.LookFine, "space": api.LookFine, "history": api.LookFine})
}
