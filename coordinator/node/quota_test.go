package node

import (
	"bytes"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
)

// scribe writes the entries of a member that keeps no rule.
type scribe struct {
	of   *peer
	ep   journal.Epoch
	next journal.Next
}

func newScribe(t testing.TB, of *peer) *scribe {
	t.Helper()
	ep, ok := of.m.State.Epoch()
	if !ok {
		t.Fatal("no epoch")
	}
	return &scribe{of, ep, of.m.State.Chains().Next(journal.ChainKey{Author: of.id(), Incarnation: 1})}
}

func (s *scribe) write(t testing.TB, size int) *journal.Entry {
	t.Helper()
	return s.seal(t, bytes.Repeat([]byte{0xff}, size))
}

func (s *scribe) seal(t testing.TB, plain []byte) *journal.Entry {
	t.Helper()
	e, err := journal.Seal(s.of.self.Identity, s.ep, s.next, plain, [24]byte{1})
	if err != nil {
		t.Fatal(err)
	}
	s.next = journal.Next{Incarnation: 1, Seq: s.next.Seq + 1, Prev: e.ID()}
	return e
}

// A member who writes without end is taken later, and nobody else is; what
// others took already is taken at once; and in the end all is.
func TestAFloodIsTakenLater(t *testing.T) {
	c := active(t, 2, 3)
	me, quiet, loud := c.peers[0], newScribe(t, c.peers[1]), newScribe(t, c.peers[2])
	synctest.Test(t, func(t *testing.T) {
		a := NewActor(t.Context(), Ports{
			Store: &me.Disk, Transport: quietTransport{}, Chain: datedChain{asked: make(chan time.Time, 1000), followed: make(chan int32, 1000)},
			Clock: wallClock{}, Observer: nobody{}, Log: slog.New(slog.DiscardHandler),
		}, me.m)
		defer a.Close()
		author := loud.of.id()
		take := func(e *journal.Entry) error { return a.Receive(t.Context(), author, e) }

		// What is sent again is not charged: nobody uses up another's allowance.
		first := quiet.write(t, 10)
		for range 100 {
			if err := take(first); err != nil {
				t.Fatal(err)
			}
		}
		if got := coordinator.QuotaEntries - a.quota.of(quiet.of.id(), time.Now()).entries; got != 1 {
			t.Errorf("one entry sent a hundred times cost %v", got)
		}

		var refused *journal.Entry
		var later *port.DeferredError
		taken := 0
		for ; refused == nil; taken++ {
			e := loud.write(t, journal.MaxEventSize)
			if err := take(e); errors.As(err, &later) {
				refused = e
			} else if err != nil {
				t.Fatal(err)
			}
			if taken > 2*coordinator.QuotaBytes/journal.MaxEventSize {
				t.Fatal("the flood has no end")
			}
		}
		if port.IsReject(later) || !errors.Is(later, port.IgnoreDeferred) || later.Author != author || later.For != quotaPause {
			t.Errorf("deferred: %v for %v", later, later.For)
		}
		if err := take(quiet.write(t, journal.MaxEventSize)); err != nil {
			t.Errorf("another member's entry: %v", err)
		}

		// The one other member claims to hold it: with two of three honest, it is one of them.
		next := loud.write(t, 10)
		claim := port.Claim{Frontier: journal.Frontier{next.Chain(): next.Position()}}
		a.PeerClaim(author, claim)
		synctest.Wait()
		if err := take(refused); !errors.Is(err, port.IgnoreDeferred) {
			t.Errorf("vouched for by its author alone: %v", err)
		}
		a.PeerClaim(quiet.of.id(), claim)
		synctest.Wait()
		for _, e := range []*journal.Entry{refused, next} {
			if err := take(e); err != nil {
				t.Errorf("vouched for by another: %v", err)
			}
		}

		// Time gives back what it takes: not more, not less.
		late := loud.write(t, 10)
		if err := take(late); !errors.Is(err, port.IgnoreDeferred) {
			t.Errorf("past what others hold: %v", err)
		}
		debt := -a.quota.of(author, time.Now()).bytes
		<-time.After(time.Duration(debt/coordinator.QuotaBytesPerSec)*time.Second - 2*quotaPause)
		if err := take(late); !errors.Is(err, port.IgnoreDeferred) {
			t.Errorf("too early: %v", err)
		}
		<-time.After(4 * quotaPause)
		if err := take(late); err != nil {
			t.Errorf("in the end: %v", err)
		}
		if x := a.quota.of(author, time.Now().Add(365*24*time.Hour)); x.entries != coordinator.QuotaEntries || x.bytes != coordinator.QuotaBytes {
			t.Errorf("an allowance of %v entries and %v bytes", x.entries, x.bytes)
		}
	})
}

// The allowance of entries ends like that of bytes, its debt is bounded, and a
// clock that goes back changes nothing.
func TestQuota(t *testing.T) {
	q, a, now := NewQuota(coordinator.QuotaEntries), journal.Author{1}, time.Unix(1_700_000_000, 0)
	for range coordinator.QuotaEntries {
		if err := q.left(a, now); err != nil {
			t.Fatal(err)
		}
		q.charge(a, 1, now)
	}
	if err := q.left(a, now); !errors.Is(err, port.IgnoreDeferred) {
		t.Errorf("all entries used: %v", err)
	}
	if err := q.left(journal.Author{2}, now); err != nil {
		t.Errorf("another author: %v", err)
	}
	if err := q.left(a, now.Add(-time.Hour)); !errors.Is(err, port.IgnoreDeferred) {
		t.Errorf("an hour before: %v", err)
	}
	now = now.Add(time.Minute)
	if err := q.left(a, now); err != nil {
		t.Errorf("a minute later: %v", err)
	}
	for range 3 {
		q.charge(a, coordinator.QuotaBytes, now)
	}
	if x := q.of(a, now); x.bytes != -coordinator.QuotaBytes {
		t.Errorf("a debt of %v bytes", -x.bytes)
	}
}
