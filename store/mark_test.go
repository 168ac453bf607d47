package store_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/store"
	"github.com/quorate/quorate/store/storetest"
)

// copyStore is the store as kill -9 would leave it: what is mapped is in the files.
func copyStore(t *testing.T, from string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "store")
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	return to
}

// What was acknowledged and is gone is damage, whatever file it was lost with;
// what was not is no matter.
func TestLogWasCut(t *testing.T) {
	running, closed := t.TempDir(), t.TempDir()
	for _, dir := range []string{running, closed} {
		s := openBadger(t, dir, testKey())
		a := storetest.NewAuthor(t, storetest.Group(1), 1, 1)
		for i := range 10 {
			mustCommit(t, s, port.Batch{Group: storetest.Group(1), Entries: []*journal.Entry{a.Entry(100)}})
			mustCommit(t, s, port.Batch{Guard: []port.GuardUpdate{storetest.Sign(uint32(i), 1)}})
		}
		mustCommit(t, s, port.Batch{Group: storetest.Group(1), Puts: map[string][]byte{"last": make([]byte, 100)}, Deletes: []string{"none"}})
		if dir == closed {
			mustClose(t, s)
		}
	}
	change := func(name string, how func([]byte) []byte) func(string) error {
		return func(dir string) error {
			found, err := filepath.Glob(filepath.Join(dir, name))
			if err != nil || len(found) != 1 {
				return errors.Join(err, errors.New("which "+name))
			}
			b, err := os.ReadFile(found[0])
			if err != nil {
				return err
			}
			if b = how(b); b == nil {
				return os.Remove(found[0])
			}
			return os.WriteFile(found[0], b, 0o600)
		}
	}
	used := func(b []byte) int { return len(bytes.TrimRight(b, "\x00")) }
	flipAt := func(part int) func([]byte) []byte {
		return func(b []byte) []byte { b[used(b)*part/100] ^= 1; return b }
	}
	for name, c := range map[string]struct {
		from  string
		plant func(string) error
		want  error
	}{
		"log: a byte in the middle":  {running, change("*.mem", flipAt(50)), store.ErrCorrupt},
		"log: a byte near the end":   {running, change("*.mem", flipAt(90)), store.ErrCorrupt},
		"log: cut in half":           {running, change("*.mem", func(b []byte) []byte { return b[:used(b)/2] }), store.ErrCorrupt},
		"log: gone":                  {running, change("*.mem", remove), store.ErrCorrupt},
		"log: its last bytes":        {running, change("*.mem", func(b []byte) []byte { return b[:used(b)-20] }), store.ErrCorrupt},
		"MANIFEST: its end":          {closed, change("MANIFEST", func(b []byte) []byte { return b[:len(b)-3] }), store.ErrCorrupt},
		"MANIFEST: its head is left": {closed, change("MANIFEST", func(b []byte) []byte { return b[:8] }), store.ErrCorrupt},
		"mark: a byte":               {closed, change("acknowledged", flip(10)), store.ErrCorrupt},
		"mark: cut":                  {closed, change("acknowledged", func(b []byte) []byte { return b[:12] }), store.ErrCorrupt},
		"mark: gone":                 {closed, change("acknowledged", remove), nil},
		"log: written, and not said": {running, change("acknowledged", func([]byte) []byte { return store.MarkOf(20) }), nil},
		"nothing":                    {running, func(string) error { return nil }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			dir := copyStore(t, c.from)
			if err := c.plant(dir); err != nil {
				t.Fatal(err)
			}
			tables, _ := filepath.Glob(filepath.Join(dir, "*.sst"))
			if c.want != nil {
				wantOpenErr(t, dir, testKey(), c.want)
				if left, _ := filepath.Glob(filepath.Join(dir, "*.sst")); len(left) < len(tables) {
					t.Errorf("tables %v, %v are left", tables, left)
				}
				wantOpenErr(t, dir, testKey(), c.want) // the refusal itself forgets nothing
				return
			}
			mustClose(t, openBadger(t, dir, testKey()))
			want, _ := os.ReadFile(filepath.Join(closed, "acknowledged"))
			if got, err := os.ReadFile(filepath.Join(dir, "acknowledged")); err != nil || !bytes.Equal(got, want) {
				t.Errorf("the mark is %x, want %x: %v", got, want, err)
			}
		})
	}
}

// A mark that a power cut left behind is brought up to date.
func TestMarkIsBehind(t *testing.T) {
	dir := t.TempDir()
	a := storetest.NewAuthor(t, storetest.Group(1), 1, 1)
	commit := func() []byte {
		s := openBadger(t, dir, testKey())
		mustCommit(t, s, port.Batch{Group: storetest.Group(1), Entries: []*journal.Entry{a.Entry(100)}})
		mustClose(t, s)
		b, err := os.ReadFile(filepath.Join(dir, "acknowledged"))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	old := commit()
	fresh := commit()
	if bytes.Equal(old, fresh) {
		t.Fatal("the mark stands still")
	}
	if err := os.WriteFile(filepath.Join(dir, "acknowledged"), old, 0o600); err != nil {
		t.Fatal(err)
	}
	mustClose(t, openBadger(t, dir, testKey()))
	if got, _ := os.ReadFile(filepath.Join(dir, "acknowledged")); !bytes.Equal(got, fresh) {
		t.Errorf("the mark is %x, want %x", got, fresh)
	}
}

// What a power cut may leave of the first mark is none.
func TestMarkNeverWritten(t *testing.T) {
	for n := range 18 {
		commits, err := store.ParseMark(make([]byte, n))
		if commits != 0 || (err == nil) != (n <= 16) {
			t.Errorf("%d zeros are read as %d, %v", n, commits, err)
		}
	}
	if n, err := store.ParseMark(store.MarkOf(0)); n != 0 || err != nil {
		t.Errorf("no commits are read as %d, %v", n, err)
	}
}

// A mark of any bytes is refused, or is the one that these bytes are of.
func FuzzMark(f *testing.F) {
	f.Add([]byte{})
	f.Add(store.MarkOf(3))
	f.Fuzz(func(t *testing.T, raw []byte) {
		n, err := store.ParseMark(raw)
		if err == nil && len(bytes.Trim(raw, "\x00")) > 0 && !bytes.Equal(store.MarkOf(n), raw) {
			t.Errorf("%x is read as %d", raw, n)
		}
	})
}
