package store_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/store"
	"github.com/quorate/quorate/store/storetest"
)

func remove([]byte) []byte { return nil }

func flip(at int) func([]byte) []byte {
	return func(v []byte) []byte {
		v = slices.Clone(v)
		v[(at+len(v))%len(v)] ^= 1
		return v
	}
}

// What was changed behind the store's back is an error that names it, and is
// never returned.
func TestDamagedValues(t *testing.T) {
	g := storetest.Group(1)
	a := storetest.NewAuthor(t, g, 1, 1)
	good, bad, swapped := a.Entry(10), a.Entry(10), a.Entry(10)
	for damage, how := range map[string]func([]byte) []byte{
		"tag":           flip(0),
		"checksum":      flip(1),
		"header":        flip(20),
		"signature":     flip(-1),
		"truncated":     func(v []byte) []byte { return v[:len(v)-1] },
		"empty":         func([]byte) []byte { return []byte{} },
		"short blob":    func([]byte) []byte { return []byte{1, 2, 3} },
		"blob too long": func([]byte) []byte { return append([]byte{1}, slices.Repeat([]byte{0xff}, 20)...) },
		"another entry": func([]byte) []byte { return store.Inline(swapped.Bytes()) },
		"no entry":      func([]byte) []byte { return store.Inline([]byte("nonsense")) },
	} {
		t.Run(damage, func(t *testing.T) {
			s := openBadger(t, t.TempDir(), testKey())
			mustCommit(t, s, port.Batch{Group: g, Entries: []*journal.Entry{good, bad}})
			if err := s.Damage(store.EntryKey(bad), how); err != nil {
				t.Fatal(err)
			}
			check := func(what string, err error) {
				t.Helper()
				if !errors.Is(err, store.ErrCorrupt) || !strings.Contains(err.Error(), bad.ID().String()) {
					t.Errorf("%s: %v", what, err)
				}
			}
			_, err := s.Entry(t.Context(), g, bad.ID())
			check("entry", err)
			_, err = s.Range(t.Context(), g, bad.Chain(), 1, 10, 1<<20)
			check("range", err)
			n := 0
			check("walk", s.Walk(t.Context(), g, func(*journal.Entry) error { n++; return nil }))
			if n != 1 {
				t.Errorf("walk gave %d entries, the one before the damaged one is good", n)
			}
			if got, err := s.Entry(t.Context(), g, good.ID()); err != nil || got.ID() != good.ID() {
				t.Errorf("the other entry: %v", err)
			}
		})
	}
	t.Run("index", func(t *testing.T) {
		s := openBadger(t, t.TempDir(), testKey())
		mustCommit(t, s, port.Batch{Group: g, Entries: []*journal.Entry{good, bad}})
		for _, how := range []func([]byte) []byte{flip(0), flip(-1), func(v []byte) []byte { return v[1:] }} {
			if err := s.Damage(store.IDKey(bad), how); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Entry(t.Context(), g, bad.ID()); !errors.Is(err, store.ErrCorrupt) {
				t.Errorf("entry: %v", err)
			}
		}
	})
	t.Run("record", func(t *testing.T) {
		s := openBadger(t, t.TempDir(), testKey())
		mustCommit(t, s, port.Batch{Group: g, Puts: map[string][]byte{"a": []byte("v"), "b": []byte("v")}})
		if err := s.Damage(store.RecordKey(g, "b"), flip(-1)); err != nil {
			t.Fatal(err)
		}
		_, err := s.Records(t.Context(), g, "")
		if !errors.Is(err, store.ErrCorrupt) || !strings.Contains(err.Error(), `"b"`) {
			t.Errorf("records: %v", err)
		}
		if got, err := s.Records(t.Context(), g, "a"); err != nil || string(got["a"]) != "v" {
			t.Errorf("the other record: %v", err)
		}
	})
}

// A piece of a large value that is missing or changed is found.
func TestDamagedBlob(t *testing.T) {
	for name, how := range map[string]func([]byte) []byte{
		"gone": remove, "changed": flip(10), "shorter": func(v []byte) []byte { return v[1:] },
	} {
		// One value that is written with its batch, one that is staged before it.
		for _, at := range []struct{ size, piece int }{{10_000, 0}, {10_000, 2}, {5 << 19, 0}, {5 << 19, 300}, {5 << 19, 682}} {
			s, piece := openBadger(t, t.TempDir(), testKey()), at.piece
			mustCommit(t, s, port.Batch{Puts: map[string][]byte{"k": make([]byte, at.size)}})
			keys := s.Keys('b')
			if want := (at.size + 3839) / 3840; len(keys) != want {
				t.Fatalf("%d pieces, want %d", len(keys), want)
			}
			if err := s.Damage(keys[piece], how); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Records(t.Context(), journal.GroupID{}, "k"); !errors.Is(err, store.ErrCorrupt) {
				t.Errorf("%s piece %d: %v", name, piece, err)
			}
			mustClose(t, s)
		}
	}
}

// An entry that is lost without an error of the database is missed.
func TestLostEntry(t *testing.T) {
	g := storetest.Group(1)
	a := storetest.NewAuthor(t, g, 1, 1)
	s := openBadger(t, t.TempDir(), testKey())
	lost := a.Entry(10)
	mustCommit(t, s, port.Batch{Group: g, Entries: []*journal.Entry{lost, a.Entry(10)}})
	if err := s.Damage(store.EntryKey(lost), remove); err != nil {
		t.Fatal(err)
	}
	err := s.Walk(t.Context(), g, func(*journal.Entry) error { return nil })
	if !errors.Is(err, store.ErrCorrupt) {
		t.Errorf("walk: %v", err)
	}
	if _, err := s.Entry(t.Context(), g, lost.ID()); !errors.Is(err, store.ErrCorrupt) {
		t.Errorf("entry: %v", err)
	}
}

// A store that lost a record of the sign guard is not opened.
func TestLostGuard(t *testing.T) {
	dir := t.TempDir()
	s := openBadger(t, dir, testKey())
	mustCommit(t, s, port.Batch{Guard: []port.GuardUpdate{storetest.Sign(1, 1), storetest.Sign(2, 1)}})
	if err := s.Damage(store.GuardKey(storetest.Guard(1, 1)), remove); err != nil {
		t.Fatal(err)
	}
	mustClose(t, s)
	wantOpenErr(t, dir, testKey(), store.ErrCorrupt)
}

// Too many keys for one transaction: refused with nothing written.
func TestTooManyKeys(t *testing.T) {
	s := openBadger(t, t.TempDir(), testKey())
	b := port.Batch{}
	for i := range 40_000 {
		b.Guard = append(b.Guard, storetest.Sign(uint32(i), 1))
	}
	if err := s.Commit(t.Context(), b); !errors.Is(err, store.ErrTooBig) {
		t.Fatalf("commit: %v", err)
	}
	if got, err := s.Guard(t.Context()); err != nil || len(got) != 0 {
		t.Fatalf("%d guard records, %v", len(got), err)
	}
	b.Guard = b.Guard[:1000] // the inputs of the largest transactions
	mustCommit(t, s, b)
}

// Readers of stored forms take any bytes.
func FuzzParse(f *testing.F) {
	f.Add([]byte{})
	f.Add(store.Inline([]byte("value")))
	f.Add(store.GuardKey(storetest.Guard(1, 1)))
	f.Add(store.Place(journal.ChainKey{Incarnation: 1}, 7))
	f.Fuzz(func(t *testing.T, b []byte) {
		if plain, err := store.ParseValue(b); err == nil && len(b) > 0 && b[0] == 0 && string(store.Inline(plain)) != string(b) {
			t.Error("value read back differs")
		}
		if c, seq, err := store.ParsePlace(b); err == nil && string(store.Place(c, seq)) != string(b) {
			t.Error("place read back differs")
		}
		if r, err := store.ParseGuardKey(b); err == nil && len(b) > 0 && b[0] == 'g' && string(store.GuardKey(r)) != string(b) {
			t.Error("guard key read back differs")
		}
	})
}
