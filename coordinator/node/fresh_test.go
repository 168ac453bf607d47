package node

import (
	"testing"
	"time"

	"github.com/quorate/quorate/coordinator/port"
)

type healthOf struct {
	port.Chain
	synced bool
}

func (h *healthOf) Health() port.ChainHealth { return port.ChainHealth{Synced: h.synced} }

// The age counts from when the backend was last seen to be synced, and begins when the
// node does.
func TestChainAge(t *testing.T) {
	var f freshness
	c := &healthOf{}
	at := time.Unix(1_700_000_000, 0)
	for n, x := range []struct {
		after  time.Duration
		synced bool
		want   time.Duration
	}{
		{0, false, 0}, {30 * time.Second, false, 30 * time.Second}, {0, true, 0}, {time.Hour, true, 0},
		{3 * time.Second, false, 3 * time.Second}, {3 * time.Second, false, 6 * time.Second}, {time.Second, true, 0},
		{-time.Hour, false, 0}, {time.Second, false, time.Second}, // a clock that was set back
	} {
		at, c.synced = at.Add(x.after), x.synced
		if got := f.age(c, at); got != x.want {
			t.Errorf("step %d: %v, want %v", n, got, x.want)
		}
	}
}
