package p2p_test

import (
	"net"
	"net/netip"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/libp2p/go-libp2p/core/network"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/p2p"
	"github.com/quorate/quorate/p2p/p2ptest"
)

// A host that reaches its peers from another address than before makes its
// connections anew; one that only loses its network for a moment does not.
func TestHostMoves(t *testing.T) {
	g := p2ptest.NewGroup(1)
	w := quicAndTCP()
	var nodes []*p2p.Node
	l := port.GroupLink{Group: g.ID(), Topics: []string{g.Epoch.Topic()}, Hints: map[journal.Author][]string{}}
	for n := range byte(2) {
		id := p2ptest.Identity(n + 1)
		node, ok := w.Node(t, id, nil).(*p2p.Node)
		if !ok {
			t.Fatal("not a libp2p node")
		}
		nodes = append(nodes, node)
		l.Members = append(l.Members, id.Author())
		l.Hints[id.Author()] = node.ListenAddrs()
	}
	for _, n := range nodes {
		if err := n.Attach(t.Context(), l, p2ptest.NewInbox()); err != nil {
			t.Fatal(err)
		}
	}
	there, err := p2p.PeerID(nodes[1].Author())
	if err != nil {
		t.Fatal(err)
	}
	conns := func() []network.Conn { return nodes[0].Host().Network().ConnsToPeer(there) }
	p2ptest.Eventually(t, "the two are connected", func() bool { return len(conns()) > 0 })

	var at atomic.Pointer[netip.Addr]
	move := func(to string) {
		a := netip.MustParseAddr(to)
		at.Store(&a)
	}
	move("192.0.2.1")
	nodes[0].SetSource(func() (netip.Addr, error) {
		if a := at.Load(); a != nil {
			return *a, nil
		}
		return netip.Addr{}, net.ErrClosed
	})
	nodes[0].Reconnect()
	before := conns()
	at.Store(nil)
	nodes[0].Reconnect()
	move("192.0.2.1")
	nodes[0].Reconnect()
	if !slices.Equal(conns(), before) {
		t.Fatal("a host that stays connects anew")
	}
	move("198.51.100.1")
	nodes[0].Reconnect()
	p2ptest.Eventually(t, "the two are connected anew", func() bool {
		now := conns()
		return len(now) > 0 && !slices.ContainsFunc(now, func(c network.Conn) bool { return slices.Contains(before, c) })
	})
}
