package core_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/quorate/quorate/chain/core"
)

// A Bitcoin node with one RPC thread and no queue: who waits for a block holds it, and
// everybody else is turned away, as Bitcoin Core does.
func TestTheLongPollLeavesThreadsToOthers(t *testing.T) {
	blocks := regtestChain(t, 3)
	f := newFake(t)
	f.chain(blocks)
	thread := make(chan struct{}, 1)
	var waited atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case thread <- struct{}{}:
			defer func() { <-thread }()
		default:
			http.Error(w, "Work queue depth exceeded", http.StatusServiceUnavailable)
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		if bytes.Contains(body, []byte("waitforblockheight")) {
			waited.Add(1)
			<-r.Context().Done() // the caller hung up
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		f.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	b := open(t, core.Config{URL: server.URL, Poll: time.Millisecond})
	until(t, "waited for a block", func() bool { return waited.Load() > 0 })
	healthy(t, b, "")
	polls := f.count("getblockchaininfo")
	until(t, "polled on", func() bool { return f.count("getblockchaininfo") > polls+100 })
	if got := waited.Load(); got != 1 {
		t.Errorf("it took the only thread %d times", got)
	}
}

// A node that takes long to answer is short of threads, too.
func TestTheLongPollEndsWhereTheNodeIsSlow(t *testing.T) {
	blocks := regtestChain(t, 3)
	f := newFake(t)
	f.chain(blocks)
	f.on("waitforblockheight", func([]json.RawMessage) (any, int, string) {
		<-t.Context().Done()
		return nil, -1, "over"
	})
	b := open(t, core.Config{URL: f.server.URL, Poll: time.Millisecond, Slow: time.Nanosecond})
	healthy(t, b, "")
	polls := f.count("getblockchaininfo")
	until(t, "polled on", func() bool { return f.count("getblockchaininfo") > polls+100 })
	if got := f.count("waitforblockheight"); got != 0 {
		t.Errorf("asked %d times to wait", got)
	}
}

func TestTheLongPollCanBeSwitchedOff(t *testing.T) {
	blocks := regtestChain(t, 3)
	f := newFake(t)
	f.chain(blocks)
	b := open(t, core.Config{URL: f.server.URL, Poll: time.Millisecond, NoLongPoll: true})
	healthy(t, b, "")
	polls := f.count("getblockchaininfo")
	until(t, "polled on", func() bool { return f.count("getblockchaininfo") > polls+50 })
	if got := f.count("waitforblockheight"); got != 0 {
		t.Errorf("asked %d times to wait", got)
	}
}
