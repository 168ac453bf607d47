package service

import (
	"context"
	"reflect"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/coordinator/port"
)

// sick is a backend whose health a test sets.
type sick struct {
	port.Chain
	mu sync.Mutex
	h  port.ChainHealth
}

func (s *sick) Health() port.ChainHealth {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.h
}

func (s *sick) set(h port.ChainHealth) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.h = h
}

// Progress, problems and their end go down the event stream, once each.
func TestSyncEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		chain := &sick{}
		n := &Node{parts: Parts{Chain: chain}, hub: NewHub()}
		events, stop := n.hub.subscribe()
		defer stop()
		ctx, cancel := context.WithCancel(t.Context())
		var shown []api.ChainStatus
		done := make(chan struct{})
		go func() {
			defer close(done)
			n.WatchSync(ctx, func(s api.ChainStatus) { shown = append(shown, s) })
		}()
		next := func(h port.ChainHealth) []api.ChainStatus {
			chain.set(h)
			<-time.After(3 * syncEvery) // in the bubble's own time
			synctest.Wait()             // its last look falls on the same instant
			var got []api.ChainStatus
			for {
				select {
				case e := <-events:
					if e.Type != "sync" || e.Chain == nil {
						t.Fatalf("event %+v", e)
					}
					got = append(got, *e.Chain)
					continue
				default:
				}
				return got
			}
		}
		syncing := port.ChainHealth{Backend: "neutrino", Height: 10, Target: 100, Stage: "block headers", StageHeight: 50, Rate: 25, Left: 2 * time.Second}
		got := next(syncing)
		if len(got) != 1 || got[0].Sync == nil || !reflect.DeepEqual(*got[0].Sync, api.ChainSync{Stage: "block headers", Height: 50, Target: 100, Rate: 25, SecondsLeft: api.Known(int64(2))}) {
			t.Errorf("while syncing: %+v", got)
		}
		since := time.Now()
		got = next(port.ChainHealth{Backend: "neutrino", Height: 10, Target: 100, Problem: "no Bitcoin peer is connected", Since: since})
		if len(got) != 1 || got[0].Problem != "no Bitcoin peer is connected" || got[0].Since == nil || !got[0].Since.Equal(api.Time(since)) || got[0].Synced {
			t.Errorf("with a problem: %+v", got)
		}
		got = next(port.ChainHealth{Backend: "neutrino", Height: 100, Target: 100, Synced: true})
		if len(got) != 1 || !got[0].Synced || got[0].Problem != "" || got[0].Sync != nil {
			t.Errorf("synced: %+v", got)
		}
		before := len(shown)
		if got := next(port.ChainHealth{Backend: "neutrino", Height: 101, Target: 101, Synced: true}); len(got) != 0 {
			t.Errorf("a further block: %+v", got)
		}
		cancel()
		<-done
		if len(shown) != before || !shown[before-1].Synced {
			t.Errorf("progress goes on after the sync: %d and %d", before, len(shown))
		}
	})
}
