package p2p_test

import (
	"testing"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/p2p"
	"github.com/quorate/quorate/p2p/p2ptest"
)

// A member whose node runs on this machine is seen to, and one who comes by a relay is not.
func TestWhoIsHere(t *testing.T) {
	net, g := quicAndTCP(), p2ptest.NewGroup(1)
	a := net.node(t, p2p.Config{Identity: p2ptest.Identity(1)})
	b := net.node(t, p2p.Config{Identity: p2ptest.Identity(2)})
	if s := statusOf(a, b.Author()); s.Here {
		t.Error("before it is connected")
	}
	hints := map[journal.Author][]string{a.Author(): a.ListenAddrs(), b.Author(): b.ListenAddrs()}
	attachNode(t, a, g, hints, a.Author(), b.Author())
	attachNode(t, b, g, hints, a.Author(), b.Author())
	here := func(s port.PeerStatus) bool { return s.Connected && s.Here }
	p2ptest.Eventually(t, "each sees that the other is here", func() bool { return here(statusOf(a, b.Author())) && here(statusOf(b, a.Author())) })

	r := newRelay(t, p2p.RelayConfig{}, 1, 2)
	p := newRelayed(t, r)
	p2ptest.Eventually(t, "the two are connected by a relay", func() bool { return statusOf(p.a, p.b.Author()).Relayed })
	if statusOf(p.a, p.b.Author()).Here {
		t.Error("who comes by a relay is here")
	}
}
