package storetest

import (
	"errors"
	"math"
	"testing"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
)

func testEmpty(t *testing.T, open Open) {
	s, _ := open(t)
	g := Group(1)
	wantEntries(t, "walk", walk(t, s, g), nil)
	_, err := s.Entry(t.Context(), g, journal.EntryID{1})
	wantErr(t, "entry", err, port.ErrNotFound)
	got, err := s.Range(t.Context(), g, journal.ChainKey{Incarnation: 1}, 1, 10, 1<<20)
	if err != nil || len(got) != 0 {
		t.Fatalf("range: %d entries, %v", len(got), err)
	}
	wantRecords(t, s, g, "", nil)
	wantGuard(t, s)
	commit(t, s, port.Batch{})
}

func testWalkOrder(t *testing.T, open Open) {
	s, _ := open(t)
	g := Group(1)
	// Two chains of one author, 300 entries so that a byte of seq overflows,
	// with three entries at seq 7, committed backwards.
	a1, a2 := NewAuthor(t, g, 1, 1), NewAuthor(t, g, 1, 2)
	var want []*journal.Entry
	for i := range 300 {
		if i == 6 {
			want = append(want, byID([]*journal.Entry{a1.Fork(10), a1.Fork(10), a1.Entry(10)})...)
			continue
		}
		want = append(want, a1.Entry(10))
	}
	// Entry 1 of a later incarnation may follow one of the former.
	for range 3 {
		want = append(want, a2.Entry(10))
	}
	for end := len(want); end > 0; end -= 50 {
		var b port.Batch
		b.Group = g
		for i := end - 1; i >= max(0, end-50); i-- {
			b.Entries = append(b.Entries, want[i])
		}
		commit(t, s, b)
	}
	wantEntries(t, "walk", walk(t, s, g), want)

	stop := errors.New("stop")
	seen := 0
	err := s.Walk(t.Context(), g, func(*journal.Entry) error {
		if seen++; seen == 5 {
			return stop
		}
		return nil
	})
	wantErr(t, "walk", err, stop)
	if seen != 5 {
		t.Fatalf("walk went on after an error: %d calls", seen)
	}
}

func testEntryTwice(t *testing.T, open Open) {
	s, _ := open(t)
	g := Group(1)
	a := NewAuthor(t, g, 1, 1)
	e, f := a.Entry(10), a.Entry(10)
	commit(t, s, port.Batch{Group: g, Entries: []*journal.Entry{e, e}})
	commit(t, s, port.Batch{Group: g, Entries: []*journal.Entry{f, e}})
	wantEntries(t, "walk", walk(t, s, g), []*journal.Entry{e, f})

	// The same entry with another signature has the same id: the first is kept.
	raw := append([]byte{}, e.Bytes()...)
	raw[len(raw)-1] ^= 1
	other, err := journal.Decode(raw)
	if err != nil {
		t.Fatal(err)
	}
	commit(t, s, port.Batch{Group: g, Entries: []*journal.Entry{other}})
	wantEntries(t, "walk", walk(t, s, g), []*journal.Entry{e, f})
}

func testEntry(t *testing.T, open Open) {
	s, _ := open(t)
	g := Group(1)
	a := NewAuthor(t, g, 1, 1)
	want := []*journal.Entry{a.Fork(10), a.Entry(300), a.Entry(5000)}
	commit(t, s, port.Batch{Group: g, Entries: want})
	for _, e := range want {
		got, err := s.Entry(t.Context(), g, e.ID())
		if err != nil {
			t.Fatal(err)
		}
		wantEntries(t, "entry", []*journal.Entry{got}, []*journal.Entry{e})
	}
	_, err := s.Entry(t.Context(), Group(2), want[0].ID())
	wantErr(t, "entry of another group", err, port.ErrNotFound)
}

func testRange(t *testing.T, open Open) {
	s, _ := open(t)
	g := Group(1)
	a, other := NewAuthor(t, g, 1, 1), NewAuthor(t, g, 2, 1)
	var es []*journal.Entry
	for range 10 {
		es = append(es, a.Entry(10))
	}
	commit(t, s, port.Batch{Group: g, Entries: append([]*journal.Entry{other.Entry(10)}, es...)})
	size := len(es[0].Bytes())
	for _, c := range []struct {
		seq             uint64
		limit, maxBytes int
		want            []*journal.Entry
	}{
		{1, 100, 1 << 20, es},
		{0, 100, 1 << 20, es},
		{4, 100, 1 << 20, es[3:]},
		{4, 2, 1 << 20, es[3:5]},
		{1, 100, 3 * size, es[:3]},
		{1, 100, 4*size - 1, es[:3]},
		{1, 100, 1, es[:1]},
		{1, 100, 0, es[:1]},
		{1, 100, -1, es[:1]},
		{10, 1, 0, es[9:]},
		{11, 100, 1 << 20, nil},
		{math.MaxUint64, 100, 1 << 20, nil},
		{1, 0, 1 << 20, nil},
		{1, -1, 1 << 20, nil},
	} {
		got, err := s.Range(t.Context(), g, a.Chain(), c.seq, c.limit, c.maxBytes)
		if err != nil {
			t.Fatal(err)
		}
		wantEntries(t, "range", got, c.want)
	}
}

func testRangeForked(t *testing.T, open Open) {
	s, _ := open(t)
	g := Group(1)
	a := NewAuthor(t, g, 1, 1)
	first := a.Entry(10)
	forked := byID([]*journal.Entry{a.Fork(10), a.Fork(10), a.Entry(10)})
	last := a.Entry(10)
	all := append(append([]*journal.Entry{first}, forked...), last)
	commit(t, s, port.Batch{Group: g, Entries: []*journal.Entry{last, forked[2], forked[0], forked[1], first}})
	got, err := s.Range(t.Context(), g, a.Chain(), 2, 10, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	wantEntries(t, "range", got, all[1:])
	got, err = s.Range(t.Context(), g, a.Chain(), 1, 3, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	wantEntries(t, "range", got, all[:3])
}

func testGroupsApart(t *testing.T, open Open) {
	s, _ := open(t)
	g1, g2, node := Group(1), Group(2), journal.GroupID{}
	e1, e2 := NewAuthor(t, g1, 1, 1).Entry(10), NewAuthor(t, g2, 1, 1).Entry(10)
	commit(t, s, port.Batch{Group: g1, Entries: []*journal.Entry{e1}, Puts: puts("k", "1")})
	commit(t, s, port.Batch{Group: g2, Entries: []*journal.Entry{e2}, Puts: puts("k", "2")})
	commit(t, s, port.Batch{Group: node, Puts: puts("k", "node")})
	wantEntries(t, "walk", walk(t, s, g1), []*journal.Entry{e1})
	wantEntries(t, "walk", walk(t, s, g2), []*journal.Entry{e2})
	commit(t, s, port.Batch{Group: g1, Deletes: []string{"k"}})
	wantRecords(t, s, g1, "", nil)
	wantRecords(t, s, g2, "", map[string]string{"k": "2"})
	wantRecords(t, s, node, "", map[string]string{"k": "node"})
	// The guard is the node's, whatever the group.
	commit(t, s, port.Batch{Group: g1, Guard: []port.GuardUpdate{Sign(1, 1)}})
	err := s.Commit(t.Context(), port.Batch{Group: g2, Guard: []port.GuardUpdate{Sign(1, 2)}})
	wantErr(t, "guard of another group", err, port.ErrGuardConflict)
}
