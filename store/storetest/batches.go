package storetest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/store"
)

// full is a batch with something of every kind.
func full(g journal.GroupID, e *journal.Entry) port.Batch {
	return port.Batch{
		Group: g, Entries: []*journal.Entry{e}, Puts: puts("new", "x"), Deletes: []string{"old"},
		Guard: []port.GuardUpdate{Sign(1, 1)},
	}
}

func testAtomic(t *testing.T, open Open) {
	s, reopen := open(t)
	g := Group(1)
	a := NewAuthor(t, g, 1, 1)
	e, f := a.Entry(10), a.Entry(10)
	commit(t, s, port.Batch{Group: g, Puts: puts("old", "o")})
	commit(t, s, full(g, e))
	check := func(s port.Store) {
		t.Helper()
		wantEntries(t, "walk", walk(t, s, g), []*journal.Entry{e})
		wantRecords(t, s, g, "", map[string]string{"new": "x"})
		wantGuard(t, s, Guard(1, 1))
	}
	check(s)
	// Each of these is refused for its last part; nothing of the rest is there.
	for _, bad := range []port.Batch{
		{Guard: []port.GuardUpdate{Sign(2, 1), Sign(1, 9)}},
		{Entries: []*journal.Entry{NewAuthor(t, Group(2), 1, 1).Entry(10)}},
		{Puts: puts("", "empty key")},
	} {
		bad.Group = g
		bad.Entries = append([]*journal.Entry{f}, bad.Entries...)
		bad.Deletes = append(bad.Deletes, "new")
		if err := s.Commit(t.Context(), bad); err == nil {
			t.Fatal("a bad batch was taken")
		}
		check(s)
	}
	check(reopen())
}

func testGuardConflict(t *testing.T, open Open) {
	s, reopen := open(t)
	g := Group(1)
	e := NewAuthor(t, g, 1, 1).Entry(10)
	commit(t, s, port.Batch{Group: g, Guard: []port.GuardUpdate{Sign(1, 1)}})
	sign := func(s port.Store, u ...port.GuardUpdate) error {
		return s.Commit(t.Context(), port.Batch{Group: g, Entries: []*journal.Entry{e}, Puts: puts("k", "v"), Guard: u})
	}
	wantErr(t, "unknown txid", sign(s, Sign(1, 2)), port.ErrGuardConflict)
	wantErr(t, "wrong txid known", sign(s, Sign(1, 2, 3)), port.ErrGuardConflict)
	wantErr(t, "one of two coins", sign(s, Sign(5, 2), Sign(1, 2)), port.ErrGuardConflict)
	wantErr(t, "only its own txid known", sign(s, Sign(1, 2, 2)), port.ErrGuardConflict)
	wantEntries(t, "walk", walk(t, s, g), nil)
	wantRecords(t, s, g, "", nil)
	wantGuard(t, s, Guard(1, 1))

	s = reopen()
	wantErr(t, "unknown txid after reopening", sign(s, Sign(1, 2)), port.ErrGuardConflict)
	commit(t, s, port.Batch{Group: g, Guard: []port.GuardUpdate{Sign(1, 2, 1), Sign(2, 1)}})
	wantErr(t, "one of two known", sign(s, Sign(1, 3, 1)), port.ErrGuardConflict)
	commit(t, s, port.Batch{Group: g, Guard: []port.GuardUpdate{Sign(1, 3, 2, 1)}})
	// Signing again for the same transaction needs to know of the others too.
	wantErr(t, "again without the others", sign(s, Sign(1, 1)), port.ErrGuardConflict)
	commit(t, s, port.Batch{Group: g, Guard: []port.GuardUpdate{Sign(1, 1, 2, 3)}})
	want := []port.GuardRecord{Guard(1, 1), Guard(1, 2), Guard(1, 3), Guard(2, 1)}
	wantGuard(t, s, want...)
	wantGuard(t, reopen(), want...)
}

func testGuardWithinBatch(t *testing.T, open Open) {
	s, _ := open(t)
	err := s.Commit(t.Context(), port.Batch{Guard: []port.GuardUpdate{Sign(1, 1), Sign(1, 2)}})
	wantErr(t, "two transactions in one batch", err, port.ErrGuardConflict)
	wantGuard(t, s)
	commit(t, s, port.Batch{Guard: []port.GuardUpdate{Sign(1, 1), Sign(1, 2, 1), Sign(1, 1, 2)}})
	wantGuard(t, s, Guard(1, 1), Guard(1, 2))
}

func testRecordsPrefix(t *testing.T, open Open) {
	s, _ := open(t)
	g := Group(1)
	commit(t, s, port.Batch{Group: g, Puts: puts("a", "1", "a/1", "2", "a/2", "3", "b", "4", "a\xff", "5", "é", "")})
	wantRecords(t, s, g, "a/", map[string]string{"a/1": "2", "a/2": "3"})
	wantRecords(t, s, g, "a", map[string]string{"a": "1", "a/1": "2", "a/2": "3", "a\xff": "5"})
	wantRecords(t, s, g, "a\xff", map[string]string{"a\xff": "5"})
	wantRecords(t, s, g, "c", nil)
	wantRecords(t, s, g, "é", map[string]string{"é": ""})
	wantRecords(t, s, g, "", map[string]string{"a": "1", "a/1": "2", "a/2": "3", "b": "4", "a\xff": "5", "é": ""})
}

func testRecordsReplace(t *testing.T, open Open) {
	s, reopen := open(t)
	g := Group(1)
	big := strings.Repeat("large", 300_000)
	for _, v := range []string{"1", big, big + "2", "3", big} {
		commit(t, s, port.Batch{Group: g, Puts: puts("k", v)})
		wantRecords(t, s, g, "", map[string]string{"k": v})
	}
	commit(t, s, port.Batch{Group: g, Deletes: []string{"k", "k", "not there"}})
	wantRecords(t, s, g, "", nil)
	// A Put of the same batch comes after a Delete.
	commit(t, s, port.Batch{Group: g, Deletes: []string{"k"}, Puts: puts("k", "4")})
	wantRecords(t, reopen(), g, "", map[string]string{"k": "4"})
}

func testBadBatch(t *testing.T, open Open) {
	s, _ := open(t)
	g := Group(1)
	e := NewAuthor(t, g, 1, 1).Entry(10)
	long := strings.Repeat("k", store.MaxRecordKey+1)
	for name, b := range map[string]port.Batch{
		"no entry":      {Group: g, Entries: []*journal.Entry{nil}},
		"other group":   {Group: Group(2), Entries: []*journal.Entry{e}},
		"empty key":     {Group: g, Puts: puts("", "v")},
		"long key":      {Group: g, Puts: puts(long, "v")},
		"empty delete":  {Group: g, Deletes: []string{""}},
		"long deletion": {Group: g, Deletes: []string{long}},
	} {
		wantErr(t, name, s.Commit(t.Context(), b), store.ErrBatch)
	}
	commit(t, s, port.Batch{Group: g, Puts: puts(long[1:], "v")})
	wantRecords(t, s, g, "k", map[string]string{long[1:]: "v"})
}

func testLargeBatch(t *testing.T, open Open) {
	s, reopen := open(t)
	g := Group(1)
	a := NewAuthor(t, g, 1, 1)
	b := port.Batch{Group: g}
	for range 64 {
		b.Entries = append(b.Entries, a.Entry(journal.MaxEventSize))
	}
	commit(t, s, b)
	wantEntries(t, "walk", walk(t, s, g), b.Entries)
	// Again, with one more: what is held takes no more room.
	more := a.Entry(journal.MaxEventSize)
	b.Entries = append(b.Entries, more)
	commit(t, s, b)

	// 1 MiB of small entries and a snapshot of 10 MiB, twice.
	small := port.Batch{Group: g}
	for range 1000 {
		small.Entries = append(small.Entries, a.Entry(500))
	}
	snapshot := []byte(strings.Repeat("0123456789abcdef", 10<<20/16))
	for i := range 2 {
		snapshot[i] = 'x'
		small.Puts = map[string][]byte{"snapshot": snapshot, "other": {1}}
		commit(t, s, small)
	}
	all := append(b.Entries[:len(b.Entries):len(b.Entries)], small.Entries...)
	s = reopen()
	wantEntries(t, "walk", walk(t, s, g), all)
	got, err := s.Records(t.Context(), g, "")
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || sha256.Sum256(got["snapshot"]) != sha256.Sum256(snapshot) {
		t.Fatalf("snapshot of %d bytes, %d records", len(got["snapshot"]), len(got))
	}
}

func testTooBig(t *testing.T, open Open) {
	s, _ := open(t)
	g := Group(1)
	e := NewAuthor(t, g, 1, 1).Entry(10)
	b := port.Batch{Group: g, Entries: []*journal.Entry{e}, Puts: map[string][]byte{"k": make([]byte, store.MaxBatchBytes)}}
	wantErr(t, "commit", s.Commit(t.Context(), b), store.ErrTooBig)
	wantEntries(t, "walk", walk(t, s, g), nil)
	wantRecords(t, s, g, "", nil)
}

func testCancelled(t *testing.T, open Open) {
	s, _ := open(t)
	g := Group(1)
	e := NewAuthor(t, g, 1, 1).Entry(10)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	wantErr(t, "commit", s.Commit(ctx, full(g, e)), context.Canceled)
	wantEntries(t, "walk", walk(t, s, g), nil)
	wantRecords(t, s, g, "", nil)
	commit(t, s, full(g, e))
	_, err := s.Records(ctx, g, "")
	wantErr(t, "records", err, context.Canceled)
	wantErr(t, "walk", s.Walk(ctx, g, func(*journal.Entry) error { return nil }), context.Canceled)
	_, err = s.Entry(ctx, g, e.ID())
	wantErr(t, "entry", err, context.Canceled)
	_, err = s.Range(ctx, g, e.Chain(), 1, 1, 1)
	wantErr(t, "range", err, context.Canceled)
	_, err = s.Guard(ctx)
	wantErr(t, "guard", err, context.Canceled)
}

func testNoAliases(t *testing.T, open Open) {
	s, _ := open(t)
	g := Group(1)
	v := []byte("value")
	commit(t, s, port.Batch{Group: g, Puts: map[string][]byte{"k": v}})
	v[0] = 'X'
	wantRecords(t, s, g, "", map[string]string{"k": "value"})
	got, err := s.Records(t.Context(), g, "")
	if err != nil {
		t.Fatal(err)
	}
	copy(got["k"], "XXXXX")
	wantRecords(t, s, g, "", map[string]string{"k": "value"})

	known := Sign(1, 2, 1)
	commit(t, s, port.Batch{Guard: []port.GuardUpdate{Sign(1, 1)}})
	commit(t, s, port.Batch{Guard: []port.GuardUpdate{known}})
	known.Known[0][0] = 'X'
	guard, err := s.Guard(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	guard[0].TxID[0] = 'X'
	wantGuard(t, s, Guard(1, 1), Guard(1, 2))

	// Bytes of an entry that was read must not be those of the store.
	e := NewAuthor(t, g, 1, 1).Entry(10)
	want := bytes.Clone(e.Bytes())
	commit(t, s, port.Batch{Group: g, Entries: []*journal.Entry{e}})
	for i := range 2 {
		got, err := s.Entry(t.Context(), g, e.ID())
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got.Bytes(), want) {
			t.Fatalf("read %d gives other bytes", i)
		}
		clear(got.Bytes())
	}
}

func testReopen(t *testing.T, open Open) {
	s, reopen := open(t)
	g := Group(1)
	a := NewAuthor(t, g, 1, 1)
	var all []*journal.Entry
	records := map[string]string{}
	for round := range 3 {
		for i := range 5 {
			e := a.Entry(100)
			all = append(all, e)
			k := fmt.Sprintf("%d/%d", round, i)
			records[k] = k
			commit(t, s, port.Batch{
				Group: g, Entries: []*journal.Entry{e}, Puts: puts(k, k),
				Guard: []port.GuardUpdate{Sign(uint32(round), byte(i), 0, 1, 2, 3)},
			})
		}
		s = reopen()
		wantEntries(t, "walk", walk(t, s, g), all)
		wantRecords(t, s, g, "", records)
	}
	var want []port.GuardRecord
	for round := range 3 {
		for i := range 5 {
			want = append(want, Guard(uint32(round), byte(i)))
		}
	}
	wantGuard(t, s, want...)
}
