package storetest

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/store"
)

// testConcurrent has four writers, each of its own group, and readers of all:
// each batch has one entry and one record, and no reader sees one without the other.
func testConcurrent(t *testing.T, open Open) {
	s, reopen := open(t)
	const writers, batches = 4, 40
	made := make([][]*journal.Entry, writers)
	for w := range made {
		a := NewAuthor(t, Group(byte(w)), byte(w), 1)
		for range batches {
			made[w] = append(made[w], a.Entry(100))
		}
	}
	var writing, reading sync.WaitGroup
	stop := make(chan struct{})
	for w, es := range made {
		writing.Go(func() {
			for i, e := range es {
				err := s.Commit(t.Context(), port.Batch{
					Group: Group(byte(w)), Entries: []*journal.Entry{e}, Puts: puts(fmt.Sprint(i), "v"),
					Guard: []port.GuardUpdate{Sign(uint32(w*batches+i), 1)},
				})
				if err != nil {
					t.Errorf("commit: %v", err)
					return
				}
			}
		})
		reading.Go(func() {
			g := Group(byte(w))
			for {
				n := 0
				err := s.Walk(t.Context(), g, func(e *journal.Entry) error {
					if n++; e.Position().Seq != uint64(n) {
						return fmt.Errorf("seq %d at place %d", e.Position().Seq, n)
					}
					return nil
				})
				if err != nil {
					t.Errorf("walk: %v", err)
					return
				}
				got, err := s.Records(t.Context(), g, "")
				if err != nil || len(got) < n {
					t.Errorf("%d entries were there before %d records (%v)", n, len(got), err)
					return
				}
				select {
				case <-stop:
					return
				default:
				}
			}
		})
	}
	writing.Wait()
	close(stop)
	reading.Wait()
	s = reopen()
	for w := range made {
		wantEntries(t, "walk", walk(t, s, Group(byte(w))), made[w])
	}
	guard, err := s.Guard(t.Context())
	if err != nil || len(guard) != writers*batches {
		t.Fatalf("%d guard records, %v", len(guard), err)
	}
}

// testGuardRace has many commits for one coin at once: exactly one may win.
func testGuardRace(t *testing.T, open Open) {
	s, reopen := open(t)
	const rounds, rivals = 10, 8
	for round := range uint32(rounds) {
		var wg sync.WaitGroup
		errs := make([]error, rivals)
		for i := range errs {
			wg.Go(func() {
				errs[i] = s.Commit(t.Context(), port.Batch{Guard: []port.GuardUpdate{Sign(round, byte(i))}})
			})
		}
		wg.Wait()
		won := 0
		for _, err := range errs {
			if err == nil {
				won++
			} else {
				wantErr(t, "loser", err, port.ErrGuardConflict)
			}
		}
		if won != 1 {
			t.Fatalf("%d transactions were signed for one coin", won)
		}
	}
	guard, err := reopen().Guard(t.Context())
	if err != nil || len(guard) != rounds {
		t.Fatalf("%d guard records, %v", len(guard), err)
	}
}

// testSameRecord has writers that replace one record, at times a large one.
func testSameRecord(t *testing.T, open Open) {
	s, reopen := open(t)
	g := Group(1)
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := range 6 {
				v := strings.Repeat(fmt.Sprintf("%d", w), 1+(i%2)*700_000)
				if err := s.Commit(t.Context(), port.Batch{Group: g, Puts: puts("k", v, fmt.Sprint(w), v)}); err != nil {
					t.Errorf("commit: %v", err)
				}
				got, err := s.Records(t.Context(), g, "k")
				if err != nil || strings.Trim(string(got["k"]), string(got["k"][:1])) != "" {
					t.Errorf("record torn: %v", err)
				}
			}
		})
	}
	wg.Wait()
	got, err := reopen().Records(t.Context(), g, "")
	if err != nil || len(got) != 5 || len(got["k"]) != 700_001 {
		t.Fatalf("%d records, %d bytes, %v", len(got), len(got["k"]), err)
	}
}

// testCallsFromWalk calls the store from within a Walk, which sees the store as
// it was when it began.
func testCallsFromWalk(t *testing.T, open Open) {
	s, _ := open(t)
	g := Group(1)
	a := NewAuthor(t, g, 1, 1)
	commit(t, s, port.Batch{Group: g, Entries: []*journal.Entry{a.Entry(10), a.Entry(10)}})
	n := 0
	err := s.Walk(t.Context(), g, func(e *journal.Entry) error {
		n++
		if _, err := s.Entry(t.Context(), g, e.ID()); err != nil {
			return err
		}
		return s.Commit(t.Context(), port.Batch{Group: g, Entries: []*journal.Entry{a.Entry(10)}})
	})
	if err != nil {
		t.Fatal(err)
	}
	if n != 2 || len(walk(t, s, g)) != 4 {
		t.Fatalf("walk saw %d entries, then %d are there", n, len(walk(t, s, g)))
	}
}

// testClosed closes a store while it is in use: every call works or returns
// store.ErrClosed, and what was acknowledged is there afterwards.
func testClosed(t *testing.T, open Open) {
	s, reopen := open(t)
	c, ok := s.(io.Closer)
	if !ok {
		t.Fatal("store has no Close")
	}
	g := Group(1)
	a := NewAuthor(t, g, 1, 1)
	e := a.Entry(10)
	commit(t, s, port.Batch{Group: g, Entries: []*journal.Entry{e}})
	var wg sync.WaitGroup
	first := make(chan struct{})
	acked := []*journal.Entry{e}
	wg.Go(func() {
		for i := 0; ; i++ {
			next := a.Entry(10)
			err := s.Commit(t.Context(), port.Batch{Group: g, Entries: []*journal.Entry{next}})
			if errors.Is(err, store.ErrClosed) {
				return
			}
			if err != nil {
				t.Errorf("commit: %v", err)
				return
			}
			acked = append(acked, next)
			if i == 0 {
				close(first)
			}
		}
	})
	wg.Go(func() {
		for {
			err := s.Walk(t.Context(), g, func(*journal.Entry) error { return nil })
			if errors.Is(err, store.ErrClosed) {
				return
			}
			if err != nil {
				t.Errorf("walk: %v", err)
				return
			}
		}
	})
	<-first
	if err := c.Close(); err != nil {
		t.Fatalf("close: %v", err)
	}
	wg.Wait()
	ctx := t.Context()
	wantErr(t, "close", c.Close(), store.ErrClosed)
	wantErr(t, "commit", s.Commit(ctx, port.Batch{}), store.ErrClosed)
	wantErr(t, "walk", s.Walk(ctx, g, func(*journal.Entry) error { return nil }), store.ErrClosed)
	_, err := s.Entry(ctx, g, e.ID())
	wantErr(t, "entry", err, store.ErrClosed)
	_, err = s.Range(ctx, g, e.Chain(), 1, 1, 1)
	wantErr(t, "range", err, store.ErrClosed)
	_, err = s.Records(ctx, g, "")
	wantErr(t, "records", err, store.ErrClosed)
	_, err = s.Guard(ctx)
	wantErr(t, "guard", err, store.ErrClosed)
	wantEntries(t, "walk", walk(t, reopen(), g), acked)
}
