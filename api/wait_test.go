package api_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/api/apitest"
)

// subscribed returns when a stream is open on the backend.
func subscribed(t *testing.T, b *apitest.Backend) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for b.Subscribers() == 0 {
		select {
		case <-tick.C:
		case <-t.Context().Done():
			t.Fatal("nobody subscribed")
		}
	}
}

func TestWaitEnds(t *testing.T) {
	// What a wait for broadcast gives at each status.
	for status, want := range map[string]api.Kind{
		api.StatusBroadcast: 0, api.StatusConfirmed: 0,
		api.StatusConflicted: api.Denied, api.StatusDead: api.Denied, api.StatusWithdrawn: api.Denied,
		api.StatusRejected: api.Denied, api.StatusExpired: api.Denied, api.StatusReplaced: api.Denied,
	} {
		t.Run(status, func(t *testing.T) {
			b := apitest.New()
			c, _, _ := start(t, b)
			type result struct {
				p   api.Proposal
				err error
			}
			got := make(chan result, 1)
			go func() {
				p, err := c.Wait(t.Context(), "c0ffee", api.StatusBroadcast, time.Minute)
				got <- result{p, err}
			}()
			subscribed(t, b)
			b.SetStatus(api.StatusFinal) // not far enough
			b.SetStatus(status)
			r := <-got
			if want == 0 {
				if r.err != nil || r.p.Status != status {
					t.Fatalf("%+v", r)
				}
				return
			}
			if r.err == nil {
				t.Fatal("no error")
			}
			if k, code := kind(t, r.err); k != want || code != status {
				t.Errorf("%v %s", k, code)
			}
		})
	}
}

func TestWaitTimesOut(t *testing.T) {
	c, _, _ := start(t, apitest.New())
	_, err := c.Wait(t.Context(), "c0ffee", api.StatusFinal, time.Millisecond)
	if err == nil {
		t.Fatal("no error")
	}
	if k, _ := kind(t, err); k != api.Timeout {
		t.Errorf("kind %v: %v", k, err)
	}
}

// A wait does not need events.
func TestWaitWithoutEvents(t *testing.T) {
	b := apitest.New()
	c, _, _ := start(t, deaf{b})
	got := make(chan error, 1)
	go func() {
		_, err := c.Wait(t.Context(), "c0ffee", api.StatusFinal, time.Minute)
		got <- err
	}()
	b.SetStatus(api.StatusFinal)
	if err := <-got; err != nil {
		t.Fatal(err)
	}
}

// deaf closes every subscription at once, as for a reader that cannot keep up.
type deaf struct{ *apitest.Backend }

func (deaf) Subscribe(context.Context) (<-chan api.Event, error) {
	c := make(chan api.Event)
	close(c)
	return c, nil
}

func TestEvents(t *testing.T) {
	b := apitest.New()
	c, _, _ := start(t, b)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	events, err := c.Subscribe(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for i, status := range []string{api.StatusFinal, api.StatusConfirmed} {
		b.SetStatus(status)
		want := api.Event{ID: uint64(i) + 1, Type: "proposal", Time: apitest.Now(), Wallet: api.Text(apitest.WalletID), Proposal: api.Text(apitest.ProposalID), Status: api.Text(status)}
		if e := <-events; e != want {
			t.Errorf("%+v", e)
		}
	}
	cancel()
	for range events { //nolint:revive // runs until the channel is closed
	}
}

// Shutdown ends streams and waits at once instead of waiting for them.
func TestShutdownEndsStreams(t *testing.T) {
	b := apitest.New()
	c, s, _ := start(t, b)
	events, err := c.Subscribe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	waited := make(chan error, 1)
	go func() {
		_, err := c.Wait(t.Context(), "c0ffee", api.StatusFinal, time.Hour)
		waited <- err
	}()
	for b.Subscribers() < 2 {
		subscribed(t, b)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := s.Shutdown(ctx); err != nil {
		t.Fatal(err)
	}
	for range events { //nolint:revive // runs until the channel is closed
	}
	err = <-waited
	if err == nil {
		t.Fatal("the wait succeeded")
	}
	if k, _ := kind(t, err); k != api.Unavailable {
		t.Errorf("kind %v: %v", k, err)
	}
}

// asked counts how often a proposal is looked at.
type asked struct {
	*apitest.Backend
	looks  atomic.Int64
	events chan api.Event
}

func (a *asked) Proposal(ctx context.Context, id string) (api.Proposal, error) {
	a.looks.Add(1)
	if a.looks.Load() > 1 && id != apitest.ProposalID {
		return api.Proposal{}, api.Fail("searched", "a wait searches for a proposal that it has found: "+id, "")
	}
	return a.Backend.Proposal(ctx, id)
}

func (a *asked) Subscribe(context.Context) (<-chan api.Event, error) { return a.events, nil }

// A wait looks when its proposal is named, once for what came together, and
// seldom by itself: what happens elsewhere costs nothing.
func TestWaitLooksSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &asked{Backend: apitest.New(), events: make(chan api.Event, 1000)}
		s, err := api.NewServer(b, api.Options{})
		if err != nil {
			t.Fatal(err)
		}
		h := s.LocalHandler()
		done := make(chan int)
		go func() {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/v1/proposals/c0ffee/wait?timeout=3600", nil))
			done <- w.Code
		}()
		synctest.Wait()
		looks := func(what string, most int64) {
			t.Helper()
			synctest.Wait()
			if n := b.looks.Swap(1); n > most {
				t.Errorf("%s: looked %d times, want %d", what, n, most)
			}
		}
		looks("at first", 1)
		for range 500 {
			b.events <- api.Event{Type: "proposal", Proposal: api.Text(apitest.TxID)}
		}
		looks("events of others", 1)
		for range 500 {
			b.events <- api.Event{Type: "proposal", Proposal: api.Text(apitest.ProposalID)}
		}
		looks("many events of its own", 1+500/2) // how many come together is not known
		<-time.NewTimer(time.Minute).C           // of the bubble: no time passes
		looks("a minute", 1+60/5)
		b.SetStatus(api.StatusFinal)
		b.events <- api.Event{Type: "proposal", Proposal: api.Text(apitest.ProposalID)}
		if code := <-done; code != http.StatusOK {
			t.Errorf("HTTP %d", code)
		}
	})
}

// Streams and waits are bounded; those with a token leave places for the machine's own user.
func TestWatchersAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tok, err := api.ParseToken("read:" + secretOf("read"))
		if err != nil {
			t.Fatal(err)
		}
		s, err := api.NewServer(apitest.New(), api.Options{Tokens: []api.Token{tok}})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		refused := func(h http.Handler, n int) (out int) {
			codes := make(chan int, n)
			for i := range n {
				path := "/v1/events"
				if i%2 == 0 {
					path = "/v1/proposals/c0ffee/wait?timeout=3600"
				}
				go func() {
					r := httptest.NewRequestWithContext(ctx, http.MethodGet, path, nil)
					r.Header.Set("Authorization", "Bearer "+secretOf("read"))
					w := httptest.NewRecorder()
					h.ServeHTTP(w, r)
					if w.Code == http.StatusServiceUnavailable && errorOf(t, w).Code == "too_many_watchers" {
						codes <- w.Code
					}
				}()
			}
			synctest.Wait()
			return len(codes)
		}
		if n := refused(s.TokenHandler(), 40); n != 40-32 {
			t.Errorf("with a token: %d of 40 refused", n)
		}
		if n := refused(s.LocalHandler(), 140); n != 140-128 {
			t.Errorf("on the Unix socket: %d of 140 refused", n)
		}
		cancel()
		synctest.Wait()
		ctx, cancel = context.WithCancel(context.Background())
		if n := refused(s.TokenHandler(), 32); n != 0 {
			t.Errorf("after they ended: %d of 32 refused", n)
		}
		cancel()
		synctest.Wait()
	})
}
