package ops

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/quorate/quorate/api"
)

// fullPipe takes so many bytes and then no more.
type fullPipe struct{ left int }

func (f *fullPipe) Write(p []byte) (int, error) {
	if f.left -= len(p); f.left < 0 {
		return 0, &os.PathError{Op: "write", Path: "|1", Err: syscall.ENOSPC}
	}
	return len(p), nil
}

// A backup that goes to standard output is the one that goes into a file, and one that
// could not be written to its end is an error that says why.
func TestABackupAsAStream(t *testing.T) {
	dir, _ := stopped(t)
	o := backupOptions(dir, "-")
	var out bytes.Buffer
	o.Out = &out
	made, err := Backup(t.Context(), o)
	if err != nil || made.File != "-" || made.Bytes != int64(out.Len()) || made.Entries == 0 {
		t.Fatalf("%+v of %d bytes: %v", made, out.Len(), err)
	}
	file := filepath.Join(t.TempDir(), "b.age")
	if err := os.WriteFile(file, out.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(t.TempDir(), "to")
	r := restoreOptions(to, file)
	r.Expect = made.PeerID
	back, err := Restore(t.Context(), r)
	if err != nil || back.PeerID != made.PeerID || back.Entries != made.Entries {
		t.Errorf("restored %+v: %v", back, err)
	}
	o.Out = &fullPipe{left: out.Len() / 2}
	if _, err := Backup(t.Context(), o); err == nil || api.AsError(err).Code != "disk_full" {
		t.Errorf("cut off: %v", err)
	}
	if _, err := os.Lstat("-"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file named -: %v", err)
	}
}
