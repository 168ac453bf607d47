package storetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/store"
)

func note(at int64, alarm bool, text string) port.NoticeRecord {
	return port.NoticeRecord{Alarm: alarm, At: at, Data: []byte(text)}
}

// outbox reads all of it, in pages.
func outbox(t *testing.T, s port.Store, after uint64) (out port.Notices) {
	t.Helper()
	for {
		got, err := s.Notices(t.Context(), after, 3)
		if err != nil {
			t.Fatalf("notices: %v", err)
		}
		out.Last, out.Dropped = got.Last, got.Dropped
		if len(got.Items) == 0 {
			return out
		}
		out.Items = append(out.Items, got.Items...)
		after = got.Items[len(got.Items)-1].Number
	}
}

func wantNotices(t *testing.T, s port.Store, after uint64, want ...string) {
	t.Helper()
	var got []string
	for _, n := range outbox(t, s, after).Items {
		got = append(got, fmt.Sprintf("%d %s", n.Number, n.Data))
	}
	if !slices.Equal(got, want) {
		t.Fatalf("after %d: %q, want %q", after, got, want)
	}
}

// Numbers begin with the time, have no holes, and go on after a restart, also where
// nothing is left.
func testNotices(t *testing.T, open Open) {
	s, reopen := open(t)
	if got, err := s.Notices(t.Context(), 0, 10); err != nil || len(got.Items) != 0 || got.Last != 0 || got.Dropped != 0 {
		t.Fatalf("an empty store has %+v, %v", got, err)
	}
	commit(t, s, port.Batch{Group: Group(1), Notices: []port.NoticeRecord{note(1000, false, "a"), note(1000, true, "b")}})
	commit(t, s, port.Batch{Group: Group(2), Puts: puts("k", "v")})
	commit(t, s, port.Batch{Group: Group(2), Notices: []port.NoticeRecord{note(7, false, "c")}})
	wantNotices(t, s, 0, "1000 a", "1001 b", "1002 c")
	s = reopen()
	wantNotices(t, s, 1000, "1001 b", "1002 c")
	wantNotices(t, s, 1002)
	wantNotices(t, s, 1<<60)
	wantRecords(t, s, Group(1), "", nil)
	got := outbox(t, s, 0)
	if n := got.Items[1]; !n.Alarm || n.At != 1000 || got.Items[0].Alarm || got.Items[2].At != 7 || got.Last != 1002 {
		t.Fatalf("%+v", got)
	}
	if err := s.TrimNotices(t.Context(), port.NoticeLimits{}); err != nil {
		t.Fatal(err)
	}
	s = reopen()
	wantNotices(t, s, 0)
	commit(t, s, port.Batch{Notices: []port.NoticeRecord{note(1, false, "d")}})
	wantNotices(t, s, 0, "1003 d")
	if got := outbox(t, s, 0); got.Dropped != 1002 {
		t.Fatalf("%+v", got)
	}
	first := store.FirstNotice(note(0, false, ""))
	if first != 1 {
		t.Fatalf("the first number is %d", first)
	}
}

func testNoticesAtomic(t *testing.T, open Open) {
	s, _ := open(t)
	e := NewAuthor(t, Group(1), 1, 1).Entry(10)
	commit(t, s, port.Batch{Guard: []port.GuardUpdate{Sign(1, 1)}})
	b := port.Batch{Group: Group(1), Notices: []port.NoticeRecord{note(5, false, "a")}}
	b.Guard = []port.GuardUpdate{Sign(1, 2)}
	wantErr(t, "refused for its guard", s.Commit(t.Context(), b), port.ErrGuardConflict)
	b.Guard, b.Notices = nil, append(b.Notices, note(-1, false, "b"))
	wantErr(t, "of before 1970", s.Commit(t.Context(), b), store.ErrBatch)
	b.Notices = []port.NoticeRecord{note(5, false, strings.Repeat("x", store.MaxNotice+1))}
	wantErr(t, "too large", s.Commit(t.Context(), b), store.ErrTooBig)
	if got := outbox(t, s, 0); got.Last != 0 || len(got.Items) != 0 {
		t.Fatalf("%+v", got)
	}
	many := port.Batch{Group: Group(1)}
	for i := range 1000 {
		many.Notices = append(many.Notices, note(5, false, fmt.Sprint(i)))
	}
	many.Entries = append(many.Entries, e)
	commit(t, s, many)
	if got := outbox(t, s, 0); len(got.Items) != 1000 || got.Last != 1004 {
		t.Fatalf("%d notices up to %d", len(got.Items), got.Last)
	}
}

// Alarms are counted apart, and age counts for both.
func testNoticesTrimmed(t *testing.T, open Open) {
	s, reopen := open(t)
	var b port.Batch
	for i := range 20 {
		b.Notices = append(b.Notices, note(int64(1+i), i%5 == 0, fmt.Sprint(i))) // 0, 5, 10, 15 are alarms
	}
	commit(t, s, b)
	trim := func(keep port.NoticeLimits) {
		t.Helper()
		if err := s.TrimNotices(t.Context(), keep); err != nil {
			t.Fatal(err)
		}
	}
	trim(port.NoticeLimits{Alarms: 100, Others: 100})
	if got := outbox(t, s, 0); len(got.Items) != 20 || got.Dropped != 0 {
		t.Fatalf("%+v", got)
	}
	trim(port.NoticeLimits{Alarms: 3, Others: 2})
	wantNotices(t, s, 0, "6 5", "11 10", "16 15", "19 18", "20 19")
	s = reopen()
	if got := outbox(t, s, 0); got.Dropped != 18 || got.Last != 20 {
		t.Fatalf("%+v", got)
	}
	trim(port.NoticeLimits{Since: 11, Alarms: 3, Others: 2})
	wantNotices(t, s, 0, "11 10", "16 15", "19 18", "20 19")
	trim(port.NoticeLimits{Since: 1 << 40, Alarms: 3, Others: 2})
	wantNotices(t, s, 0)
	// More than one transaction drops.
	for range 10 {
		b.Notices = nil
		for range 1000 {
			b.Notices = append(b.Notices, note(1, false, "n"))
		}
		commit(t, s, b)
	}
	trim(port.NoticeLimits{Others: 1})
	wantNotices(t, reopen(), 0, "10020 n")
}

// Four writers number theirs while readers follow: each reader sees every number
// once, in order.
func testNoticesOrdered(t *testing.T, open Open) {
	s, reopen := open(t)
	const writers, batches = 4, 40
	var writing, reading sync.WaitGroup
	for w := range writers {
		writing.Go(func() {
			for i := range batches {
				err := s.Commit(t.Context(), port.Batch{
					Group: Group(byte(w)), Puts: puts(fmt.Sprint(i), "v"),
					Notices: []port.NoticeRecord{note(1, false, fmt.Sprintf("%d %d", w, i)), note(1, true, fmt.Sprintf("%d %d", w, i))},
				})
				if err != nil {
					t.Errorf("commit: %v", err)
					return
				}
			}
		})
	}
	follow := func(each func(port.NumberedNotice) error) error {
		for at := uint64(0); at < 2*writers*batches; {
			got, err := s.Notices(t.Context(), at, 7)
			if err != nil {
				return err
			}
			for _, n := range got.Items {
				if at++; n.Number != at {
					return fmt.Errorf("number %d comes after %d", n.Number, at-1)
				}
				if err := each(n); err != nil {
					return err
				}
			}
			if t.Failed() {
				return errors.New("a writer failed")
			}
		}
		return nil
	}
	for range 2 {
		reading.Go(func() {
			next := [writers]int{}
			err := follow(func(n port.NumberedNotice) error {
				var w, i int
				if _, err := fmt.Sscan(string(n.Data), &w, &i); err != nil || i != next[w]/2 {
					return fmt.Errorf("notice %q after %d of that writer, %v", n.Data, next[w], err)
				}
				next[w]++
				recs, err := s.Records(t.Context(), Group(byte(w)), fmt.Sprint(i))
				if err != nil || recs[fmt.Sprint(i)] == nil {
					return fmt.Errorf("notice %q is there before what caused it: %v", n.Data, err)
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	writing.Wait()
	reading.Wait()
	s = reopen()
	if err := follow(func(port.NumberedNotice) error { return nil }); err != nil {
		t.Error(err)
	}
}
