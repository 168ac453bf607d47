package api_test

import (
	"context"
	"testing"
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
	for _, status := range []string{api.StatusFinal, api.StatusConfirmed} {
		b.SetStatus(status)
		want := api.Event{Type: "proposal", Time: apitest.Now(), Wallet: apitest.WalletID, Proposal: apitest.ProposalID, Status: status}
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
