package store_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/store"
	"github.com/quorate/quorate/store/storetest"
)

func wantOpenErr(t *testing.T, dir string, key []byte, want error) {
	t.Helper()
	s, err := store.Open(dir, key, quiet(t))
	if err == nil {
		_ = s.Close()
	}
	if !errors.Is(err, want) {
		t.Fatalf("open: got %v, want %v", err, want)
	}
}

func mustCommit(t testing.TB, s port.Store, b port.Batch) {
	t.Helper()
	if err := s.Commit(t.Context(), b); err != nil {
		t.Fatalf("commit: %v", err)
	}
}

func mustClose(t testing.TB, s *store.Badger) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatalf("close: %v", err)
	}
}

func TestLocked(t *testing.T) {
	dir := t.TempDir()
	s := openBadger(t, dir, testKey())
	wantOpenErr(t, dir, testKey(), store.ErrLocked)
	// Another process, too.
	out := runChild(t, "open", dir)
	if !strings.Contains(out, "open: locked\n") {
		t.Fatalf("another process says %q", out)
	}
	mustClose(t, s)
	mustClose(t, openBadger(t, dir, testKey()))
}

func TestKey(t *testing.T) {
	other := testKey()
	other[31] ^= 1
	for name, c := range map[string]struct{ made, with []byte }{
		"another key":           {testKey(), other},
		"no key":                {testKey(), nil},
		"key for a plain store": {nil, testKey()},
		"shorter key":           {testKey(), testKey()[:16]},
		"key of a wrong length": {nil, []byte{1}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := openBadger(t, dir, c.made)
			mustCommit(t, s, port.Batch{Puts: map[string][]byte{"k": []byte("v")}})
			mustClose(t, s)
			wantOpenErr(t, dir, c.with, store.ErrKey)
			// The right key still opens it.
			got, err := openBadger(t, dir, c.made).Records(t.Context(), journal.GroupID{}, "")
			if err != nil || string(got["k"]) != "v" {
				t.Fatalf("records: %v %v", got, err)
			}
		})
	}
}

func TestEncryptedAtRest(t *testing.T) {
	secret := []byte(strings.Repeat("a secret that must not be seen", 100))
	found := func(key []byte) bool {
		dir := t.TempDir()
		s := openBadger(t, dir, key)
		// In the log of the first process, and in a table after it.
		mustCommit(t, s, port.Batch{Puts: map[string][]byte{"first": secret}})
		mustClose(t, s)
		s = openBadger(t, dir, key)
		mustCommit(t, s, port.Batch{Puts: map[string][]byte{string(secret[:100]): secret}})
		seen := false
		files, err := filepath.Glob(filepath.Join(dir, "*"))
		if err != nil || len(files) < 5 {
			t.Fatalf("%d files, %v", len(files), err)
		}
		for _, f := range files {
			raw, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			seen = seen || bytes.Contains(raw, secret[:30])
		}
		return seen
	}
	if found(testKey()) {
		t.Error("a record is readable in the files of an encrypted store")
	}
	if !found(nil) {
		t.Error("the search finds nothing in a plain store either")
	}
}

func TestModes(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	openBadger(t, dir, testKey())
	info, err := os.Stat(dir)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Fatalf("directory: %v %v", info.Mode(), err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Open(filepath.Join(file, "dir"), nil, quiet(t)); err == nil {
		t.Fatal("opened a store below a file")
	}
}

func TestNewer(t *testing.T) {
	dir := t.TempDir()
	s := openBadger(t, dir, testKey())
	if err := s.Set([]byte("v"), []byte{0, 0, 0, 2}); err != nil {
		t.Fatal(err)
	}
	mustClose(t, s)
	wantOpenErr(t, dir, testKey(), store.ErrNewer)
	wantOpenErr(t, dir, testKey(), store.ErrNewer)
}

func TestNoVersion(t *testing.T) {
	for name, v := range map[string][]byte{"missing": nil, "short": {1}} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := openBadger(t, dir, testKey())
			mustCommit(t, s, port.Batch{Puts: map[string][]byte{"k": nil}})
			if err := s.Damage([]byte("v"), func([]byte) []byte { return v }); err != nil {
				t.Fatal(err)
			}
			mustClose(t, s)
			wantOpenErr(t, dir, testKey(), store.ErrCorrupt)
		})
	}
}

// A Badger that is killed while it makes or removes a log file leaves an empty
// one, which it then refuses to open.
func TestEmptyLogFiles(t *testing.T) {
	dir := t.TempDir()
	s := openBadger(t, dir, testKey())
	e := storetest.NewAuthor(t, storetest.Group(1), 1, 1).Entry(10)
	mustCommit(t, s, port.Batch{Group: storetest.Group(1), Entries: []*journal.Entry{e}})
	mustClose(t, s)
	for _, name := range []string{"00099.mem", "000099.vlog"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s = openBadger(t, dir, testKey())
	if _, err := s.Entry(t.Context(), storetest.Group(1), e.ID()); err != nil {
		t.Fatal(err)
	}
}

// Damage to a table on disk is found when the store is opened.
func TestDamagedTable(t *testing.T) {
	dir := t.TempDir()
	s := openBadger(t, dir, testKey())
	mustCommit(t, s, port.Batch{Puts: map[string][]byte{"k": bytes.Repeat([]byte("v"), 100_000)}})
	mustClose(t, s)
	tables, err := filepath.Glob(filepath.Join(dir, "*.sst"))
	if err != nil || len(tables) != 1 {
		t.Fatalf("%d tables, %v", len(tables), err)
	}
	intact, err := os.ReadFile(tables[0])
	if err != nil {
		t.Fatal(err)
	}
	// In the first block, in others, in the index, in each field of the end.
	for at := 50; at < len(intact); at += max(1, (len(intact)-100-at)/8) {
		raw := bytes.Clone(intact)
		raw[at] ^= 1
		if err := os.WriteFile(tables[0], raw, 0o600); err != nil {
			t.Fatal(err)
		}
		wantOpenErr(t, dir, testKey(), store.ErrCorrupt)
	}
	if err := os.WriteFile(tables[0], intact[:len(intact)-1], 0o600); err != nil {
		t.Fatal(err)
	}
	wantOpenErr(t, dir, testKey(), store.ErrCorrupt)
	if err := os.Rename(tables[0], tables[0]+".away"); err != nil {
		t.Fatal(err)
	}
	wantOpenErr(t, dir, testKey(), store.ErrCorrupt)
	if err := os.WriteFile(tables[0], intact, 0o600); err != nil {
		t.Fatal(err)
	}
	mustClose(t, openBadger(t, dir, testKey()))
}

func TestDamagedRegistry(t *testing.T) {
	dir := t.TempDir()
	mustClose(t, openBadger(t, dir, testKey()))
	path := filepath.Join(dir, "KEYREGISTRY")
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, raw[:len(raw)-5], 0o600); err != nil {
		t.Fatal(err)
	}
	wantOpenErr(t, dir, testKey(), store.ErrCorrupt)
}

// A blob whose marker was left by a crash is removed, others stay.
func TestStagedLeftovers(t *testing.T) {
	dir := t.TempDir()
	s := openBadger(t, dir, testKey())
	big := bytes.Repeat([]byte("big"), 1<<20)
	mustCommit(t, s, port.Batch{Puts: map[string][]byte{"k": big}})
	live := len(s.Keys('b'))
	for _, k := range []string{"s\x00\x00\x00\x00\x00\x00\x00\x09", "b\x00\x00\x00\x00\x00\x00\x00\x09\x00\x00\x00\x00"} {
		if err := s.Set([]byte(k), []byte("left behind")); err != nil {
			t.Fatal(err)
		}
	}
	mustClose(t, s)
	s = openBadger(t, dir, testKey())
	if b, m := len(s.Keys('b')), len(s.Keys('s')); b != live || m != 0 {
		t.Fatalf("%d pieces of %d, %d markers", b, live, m)
	}
	// Replacing it leaves nothing of the old one.
	mustCommit(t, s, port.Batch{Puts: map[string][]byte{"k": big[:len(big)/2]}})
	mustCommit(t, s, port.Batch{Deletes: []string{"k"}})
	if b, m := len(s.Keys('b')), len(s.Keys('s')); b != 0 || m != 0 {
		t.Fatalf("%d pieces, %d markers are left", b, m)
	}
}

// A store that is broken says so everywhere, and keeps the directory locked.
func TestBroken(t *testing.T) {
	dir := t.TempDir()
	s := openBadger(t, dir, testKey())
	cause := errors.New("sync failed")
	s.Fail(cause)
	s.Fail(errors.New("later"))
	e := storetest.NewAuthor(t, storetest.Group(1), 1, 1).Entry(10)
	for what, err := range everyCall(t, s, e) {
		if !errors.Is(err, store.ErrBroken) || !errors.Is(err, cause) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := s.Close(); !errors.Is(err, store.ErrBroken) {
		t.Errorf("close: %v", err)
	}
	wantOpenErr(t, dir, testKey(), store.ErrLocked)
}

func everyCall(t *testing.T, s port.Store, e *journal.Entry) map[string]error {
	g := e.Header().Group
	_, entry := s.Entry(t.Context(), g, e.ID())
	_, rng := s.Range(t.Context(), g, e.Chain(), 1, 1, 1)
	_, records := s.Records(t.Context(), g, "")
	_, guard := s.Guard(t.Context())
	return map[string]error{
		"commit": s.Commit(t.Context(), port.Batch{}),
		"walk":   s.Walk(t.Context(), g, func(*journal.Entry) error { return nil }),
		"entry":  entry, "range": rng, "records": records, "guard": guard,
	}
}

// Nothing runs on after Close, nor after an Open that fails.
func TestNoLeaks(t *testing.T) {
	before := goleak.IgnoreCurrent()
	dir := t.TempDir()
	mustClose(t, openBadger(t, dir, testKey()))
	wantOpenErr(t, dir, nil, store.ErrKey)
	goleak.VerifyNone(t, before)
}
