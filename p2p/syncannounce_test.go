package p2p

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quorate/quorate/journal"
)

// stalledLinks open streams that the first peer never answers on.
type stalledLinks struct {
	stalled journal.Author
	codec   *codec

	mu      sync.Mutex
	open1   int // to the stalled one, at once
	most    int
	written map[journal.Author][]*frame
}

func (l *stalledLinks) Open(_ context.Context, to journal.Author) (Stream, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if to == l.stalled {
		l.open1++
		l.most = max(l.most, l.open1)
	}
	return &stalledStream{l: l, to: to, reset: make(chan struct{})}, nil
}

func (l *stalledLinks) Connected() []journal.Author              { return nil }
func (l *stalledLinks) Records(map[journal.Author]bool) [][]byte { return nil }
func (l *stalledLinks) Heard(map[journal.Author]bool, [][]byte)  {}
func (l *stalledLinks) sent(to journal.Author) (out []*frame) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.written[to]
}

func (l *stalledLinks) streams() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.most
}

// stalledStream closes as libp2p's does: once the peer has agreed to the protocol.
type stalledStream struct {
	l     *stalledLinks
	to    journal.Author
	once  sync.Once
	reset chan struct{}
}

func (s *stalledStream) Write(b []byte) (int, error) {
	body, err := readFrame(bytes.NewReader(b), helloLimit)
	if err != nil {
		return 0, err
	}
	f, err := s.l.codec.parse(body)
	if err != nil {
		return 0, err
	}
	s.l.mu.Lock()
	defer s.l.mu.Unlock()
	s.l.written[s.to] = append(s.l.written[s.to], f)
	return len(b), nil
}

func (s *stalledStream) Close() error {
	if s.to != s.l.stalled {
		return nil
	}
	<-s.reset
	s.l.mu.Lock()
	defer s.l.mu.Unlock()
	s.l.open1--
	return errors.New("stream reset")
}

func (s *stalledStream) Reset() error                { s.once.Do(func() { close(s.reset) }); return nil }
func (s *stalledStream) Read([]byte) (int, error)    { <-s.reset; return 0, errors.New("stream reset") }
func (s *stalledStream) CloseWrite() error           { return nil }
func (s *stalledStream) SetDeadline(time.Time) error { return nil }

// A member that takes no claims holds one slot and no more, gets the newest
// claim with the addresses of the earlier ones after that, and keeps neither
// the others from theirs nor this node from stopping.
func TestStalledPeerHoldsOneSlot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		codec, err := newCodec()
		if err != nil {
			t.Fatal(err)
		}
		l := &stalledLinks{stalled: journal.Author{1}, codec: codec, written: map[journal.Author][]*frame{}}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		s := newSyncer(ctx, nil, l, nil, slog.New(slog.DiscardHandler), codec, nil)
		id, other := journal.GroupID{7}, journal.Author{2}
		send := func(n int, records ...[]byte) {
			f := &frame{Kind: kindClaim, Group: id[:], Records: records}
			for _, p := range []journal.Author{l.stalled, other} {
				s.claim(jobKey{id, p}, f)
			}
			synctest.Wait()
			if got := len(l.sent(other)); got != n {
				t.Fatalf("%d claims sent to the other member, want %d", got, n)
			}
		}
		for n := range 2 * maxSessions {
			if n == 3 {
				send(n+1, []byte("address"))
			} else {
				send(n + 1)
			}
		}
		if got := len(l.sent(l.stalled)); got != 1 || l.streams() != 1 {
			t.Fatalf("%d claims sent to the stalled member, over %d streams at once", got, l.streams())
		}
		<-time.After(frameTimeout + time.Second)
		synctest.Wait()
		got := l.sent(l.stalled)
		if len(got) != 2 || len(got[1].Records) != 1 || l.streams() != 1 {
			t.Fatalf("after the first one failed: %d claims, over %d streams at once", len(got), l.streams())
		}
		began := time.Now()
		cancel()
		s.close()
		if took := time.Since(began); took > 0 {
			t.Errorf("stopping waited %v for the stalled member", took)
		}
	})
}
