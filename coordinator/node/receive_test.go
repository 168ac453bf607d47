package node

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
)

// slowStore takes a second for each commit.
type slowStore struct {
	port.Store
	mu      sync.Mutex
	commits int
}

func (s *slowStore) Commit(ctx context.Context, b port.Batch) error {
	<-time.After(time.Second)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.commits++
	return s.Store.Commit(ctx, b)
}

func (s *slowStore) Entry(ctx context.Context, g journal.GroupID, id journal.EntryID) (*journal.Entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.Store.Entry(ctx, g, id)
}

func (s *slowStore) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.commits
}

// Entries that come together are synced to the disk together, each with its own
// answer, which comes once it is durable.
func TestARunSharesCommits(t *testing.T) {
	c := active(t, 2, 3)
	me, author := c.peers[0], newScribe(t, c.peers[1])
	synctest.Test(t, func(t *testing.T) {
		store := &slowStore{Store: &me.Disk}
		a := NewActor(t.Context(), Ports{
			Store: store, Transport: quietTransport{}, Chain: datedChain{asked: make(chan time.Time, 1000), followed: make(chan int32, 1000)},
			Clock: wallClock{}, Observer: nobody{}, Log: slog.New(slog.DiscardHandler),
		}, me.m)
		defer a.Close()
		synctest.Wait()
		before := store.count()
		var run []*journal.Entry
		for range 60 {
			run = append(run, author.write(t, 10))
		}
		for i, err := range a.ReceiveRun(t.Context(), author.of.id(), run) {
			if _, lost := store.Entry(t.Context(), a.Group(), run[i].ID()); err != nil || lost != nil {
				t.Fatalf("entry %d: %v, and in the store: %v", i, err, lost)
			}
		}
		if n := store.count() - before; n > 3 {
			t.Errorf("%d commits for %d entries", n, len(run))
		}
		first, _, third := author.write(t, 10), author.write(t, 10), author.write(t, 10)
		errs := a.ReceiveRun(t.Context(), author.of.id(), []*journal.Entry{run[0], first, third})
		var gap *port.GapError
		if errs[0] != nil || errs[1] != nil || !errors.As(errs[2], &gap) {
			t.Errorf("one that is held, the next, one after a gap: %v", errs)
		}
	})
}
