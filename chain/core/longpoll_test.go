package core_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/quorate/quorate/chain/core"
	"github.com/quorate/quorate/coordinator/port"
)

// TestLongPoll streams a new block although the next poll is an hour away.
func TestLongPoll(t *testing.T) {
	blocks := regtestChain(t, 6)
	f := newFake(t)
	f.chain(blocks[:4])
	mined := make(chan int32)
	f.on("waitforblockheight", func(p []json.RawMessage) (any, int, string) {
		var want int32
		if json.Unmarshal(p[0], &want) != nil || len(p) != 2 {
			return nil, -1, "usage"
		}
		for {
			select {
			case height := <-mined:
				if height >= want {
					return map[string]any{"hash": blocks[height-1].BlockHash().String(), "height": height}, 0, ""
				}
			case <-t.Context().Done():
				return nil, -1, "over"
			}
		}
	})
	b := open(t, core.Config{URL: f.server.URL, Poll: time.Hour})
	follower, err := b.Follow(t.Context(), nil, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range blocks[:4] {
		next(t, follower, want)
	}
	for n := 5; n <= 6; n++ {
		if got := notice(t, follower); got.Kind != port.CaughtUp {
			t.Fatalf("notice of kind %d", got.Kind)
		}
		f.chain(blocks[:n])
		select {
		case mined <- int32(n):
		case <-time.After(30 * time.Second):
			t.Fatal("nobody waits for a block")
		}
		next(t, follower, blocks[n-1])
	}
	healthy(t, b, "")
	if got := f.count("waitforblockheight"); got > 3 {
		t.Errorf("asked %d times to wait for 3 blocks", got)
	}
}

// TestNoLongPoll: where it is not offered, or does not wait, it is not asked for
// again before the node was away.
func TestNoLongPoll(t *testing.T) {
	blocks := regtestChain(t, 3)
	for name, answer := range map[string]func([]json.RawMessage) (any, int, string){
		"not there":       nil,
		"not allowed":     says(-1, "no"),
		"does not wait":   func([]json.RawMessage) (any, int, string) { return map[string]any{"height": 3}, 0, "" },
		"another result":  func([]json.RawMessage) (any, int, string) { return map[string]any{}, 0, "" },
		"height is a lie": func([]json.RawMessage) (any, int, string) { return map[string]any{"height": 9}, 0, "" },
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t)
			f.chain(blocks)
			if answer != nil {
				f.on("waitforblockheight", answer)
			}
			b := open(t, core.Config{URL: f.server.URL, Poll: time.Millisecond})
			for away := 1; away <= 2; away++ {
				healthy(t, b, "")
				polls := f.count("getblockchaininfo")
				until(t, "polled on", func() bool { return f.count("getblockchaininfo") > polls+50 })
				if got := f.count("waitforblockheight"); got != away {
					t.Fatalf("asked %d times to wait, want %d", got, away)
				}
				f.on("getblockchaininfo", says(-28, "Loading block index…"))
				healthy(t, b, core.ErrStarting.Error())
				f.chain(blocks)
			}
		})
	}
}

// until waits for a condition.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	timeout := time.NewTimer(30 * time.Second)
	defer timeout.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-timeout.C:
			t.Fatalf("not in 30 s: %s", what)
		}
	}
}
