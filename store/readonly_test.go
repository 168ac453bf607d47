package store_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/store"
	"github.com/quorate/quorate/store/storetest"
)

// filesOf are the files of a directory: how each is, when it was written, and what is in it.
func filesOf(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		fi, err := e.Info()
		if err != nil {
			return err
		}
		raw, err := os.ReadFile(path)
		out[e.Name()] = fmt.Sprint(fi.Mode(), fi.Size(), fi.ModTime().UnixNano(), sha256.Sum256(raw))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func unchanged(t *testing.T, dir string, before map[string]string) {
	t.Helper()
	after := filesOf(t, dir)
	for _, name := range []map[string]string{before, after} {
		for n := range maps.Keys(name) {
			if before[n] != after[n] {
				t.Errorf("%s was %q, and is %q", n, before[n], after[n])
			}
		}
	}
}

// A store that was closed in order is read without a file of it being made, changed or
// removed, and takes no commit.
func TestReadOnlyChangesNothing(t *testing.T) {
	for name, key := range map[string][]byte{"encrypted": testKey(), "plain": nil} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := openBadger(t, dir, key)
			g := storetest.Group(1)
			a := storetest.NewAuthor(t, g, 1, 1)
			mustCommit(t, s, port.Batch{Group: g, Entries: []*journal.Entry{a.Entry(100)}, Puts: map[string][]byte{"x": []byte("1")}, Guard: []port.GuardUpdate{storetest.Sign(1, 1)}})
			mustClose(t, s)
			before := filesOf(t, dir)
			s, err := store.OpenReadOnly(dir, key, quiet(t))
			if err != nil {
				t.Fatal(err)
			}
			recs, err := s.Records(t.Context(), g, "x")
			if err != nil || string(recs["x"]) != "1" {
				t.Errorf("%q, %v", recs, err)
			}
			seen := 0
			if err := s.Inspect(t.Context(), func(i store.DumpItem) {
				if i.Entry != nil || i.Guard != nil {
					seen++
				}
			}, func(x store.Damage) { t.Errorf("%+v", x) }); err != nil || seen != 2 {
				t.Errorf("%d entries and guard records, %v", seen, err)
			}
			if err := s.Commit(t.Context(), port.Batch{Group: g, Puts: map[string][]byte{"x": []byte("2")}}); !errors.Is(err, store.ErrReadOnly) {
				t.Errorf("a commit: %v", err)
			}
			mustClose(t, s)
			unchanged(t, dir, before)
			mustClose(t, openBadger(t, dir, key))
		})
	}
}

// What cannot be read without a change is refused, and not changed either.
func TestReadOnlyRefuses(t *testing.T) {
	made := t.TempDir()
	s := openBadger(t, made, testKey())
	g := storetest.Group(1)
	mustCommit(t, s, port.Batch{Group: g, Puts: map[string][]byte{"x": []byte("1")}})
	killed := filepath.Join(t.TempDir(), "killed")
	if err := os.CopyFS(killed, os.DirFS(made)); err != nil {
		t.Fatal(err)
	}
	if _, err := store.OpenReadOnly(made, testKey(), quiet(t)); !errors.Is(err, store.ErrLocked) {
		t.Errorf("while it is open: %v", err)
	}
	mustClose(t, s)
	other := testKey()
	other[0] ^= 1
	copied := func(change func(dir string) error) string {
		dir := filepath.Join(t.TempDir(), "n")
		if err := errors.Join(os.CopyFS(dir, os.DirFS(made)), change(dir)); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	for name, x := range map[string]struct {
		dir  string
		key  []byte
		want error
	}{
		"killed":        {killed, testKey(), store.ErrUnclean},
		"another's key": {made, other, store.ErrKey},
		"never made":    {t.TempDir(), testKey(), store.ErrUnclean},
		"a note": {copied(func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "table-write-failed"), []byte("x"), 0o600)
		}), testKey(), store.ErrUnclean},
		"an empty log": {copied(func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "000009.vlog"), nil, 0o600)
		}), testKey(), store.ErrUnclean},
		"a damaged mark": {copied(func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "acknowledged"), []byte("nonsense nonsens"), 0o600)
		}), testKey(), store.ErrCorrupt},
	} {
		before := filesOf(t, x.dir)
		s, err := store.OpenReadOnly(x.dir, x.key, quiet(t))
		if !errors.Is(err, x.want) {
			t.Errorf("%s: %v, want %v", name, err, x.want)
		}
		if err == nil {
			mustClose(t, s)
		}
		unchanged(t, x.dir, before)
	}
}

// What may only be read is read: a disk that failed, and was mounted anew for that, is
// where a backup is wanted most. That nothing can be written there is told when asked.
func TestReadOnlyWhereNothingCanBeWritten(t *testing.T) {
	disk := mount(t, "-t", "tmpfs", "-o", "size=160m", "tmpfs")
	dir := filepath.Join(disk, "store")
	s := openBadger(t, dir, testKey())
	g := storetest.Group(1)
	mustCommit(t, s, port.Batch{Group: g, Puts: map[string][]byte{"x": []byte("1")}})
	mustClose(t, s)
	again := func(want error) {
		t.Helper()
		s, err := store.OpenReadOnly(dir, testKey(), quiet(t))
		if err != nil {
			t.Fatal(err)
		}
		if recs, err := s.Records(t.Context(), g, "x"); err != nil || string(recs["x"]) != "1" {
			t.Errorf("%q, %v", recs, err)
		}
		if err := s.CheckWritable(); !errors.Is(err, want) {
			t.Errorf("writable: %v, want %v", err, want)
		}
		mustClose(t, s)
	}
	again(nil)
	if out, err := exec.Command("mount", "-o", "remount,ro", disk).CombinedOutput(); err != nil {
		t.Skipf("remount does not work here: %v: %s", err, out)
	}
	again(syscall.EROFS)
}
