package node

import (
	"testing"
	"time"

	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/ledger"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
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

// What status and metrics call synced is what a wallet signs by, and a command is told
// of the same age.
func TestChainSynced(t *testing.T) {
	c := active(t, 2, 3)
	p := c.peers[0]
	caughtUp, started := p.m, p.m
	started.View = ledger.View{}
	chain := &healthOf{synced: true}
	clock := &clockAt{at: time.Unix(1_700_000_000, 0)}
	fresh := &freshness{}
	ports := Ports{Chain: chain, Clock: clock, fresh: fresh}
	a := &Actor{ports: ports}
	n := &Node{ports: ports, actors: map[journal.GroupID]*Actor{{1}: a}}
	for _, x := range []struct {
		what   string
		m      coordinator.Machine
		synced bool
		after  time.Duration
		want   bool
		age    time.Duration
	}{
		{"all is well", caughtUp, true, 0, true, 0},
		{"the backend is away for a moment", caughtUp, false, 3 * time.Second, false, 3 * time.Second},
		{"and for longer", caughtUp, false, time.Minute, false, 63 * time.Second},
		{"it is back", caughtUp, true, time.Second, true, 0},
		{"the wallet has not caught up", started, true, time.Second, false, 0},
	} {
		clock.at, chain.synced = clock.at.Add(x.after), x.synced
		a.current.Store(&x.m)
		if got := n.ChainSynced(); got != x.want {
			t.Errorf("%s: synced %v", x.what, got)
		}
		in, err := a.input(coordinator.Approve{})
		if err != nil || in.ChainAge != x.age {
			t.Errorf("%s: a command is told of %v, %v", x.what, in.ChainAge, err)
		}
	}
}
