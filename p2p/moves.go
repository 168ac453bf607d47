package p2p

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
)

// movesEvery is how often this host looks whether it has moved.
const movesEvery = 3 * time.Second

// moves notices that this host now reaches a peer from another address than
// when it was connected: the answers of that peer go to the old one. Left
// alone, such a connection stays up for half a minute and carries nothing.
type moves struct {
	mu     sync.Mutex
	source func(to netip.AddrPort) (netip.Addr, error)
	from   map[network.Conn]netip.Addr
}

func newMoves() *moves { return &moves{source: sourceOf, from: map[network.Conn]netip.Addr{}} }

// sourceOf asks the routing table; nothing is sent.
func sourceOf(to netip.AddrPort) (netip.Addr, error) {
	c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(to))
	if err != nil {
		return netip.Addr{}, err
	}
	at := c.LocalAddr().(*net.UDPAddr).AddrPort().Addr()
	return at, c.Close()
}

// made notes from where a connection is made.
func (m *moves) made(c network.Conn) {
	to, ok := remoteOf(c.RemoteMultiaddr())
	if !ok {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if at, err := m.source(to); err == nil {
		m.from[c] = at
	}
}

// stale returns those of all connections that were made from another address.
func (m *moves) stale(conns []network.Conn) []network.Conn {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []network.Conn
	now := map[network.Conn]netip.Addr{}
	for _, c := range conns {
		to, ok := remoteOf(c.RemoteMultiaddr())
		if !ok {
			continue
		}
		was := m.from[c]
		at, err := m.source(to)
		if err != nil {
			at = was // no network just now: that alone proves nothing
		}
		if was.IsValid() && at != was {
			out = append(out, c)
			continue
		}
		now[c] = at
	}
	m.from = now
	return out
}

// remoteOf is where a direct connection leads; a relayed one lives and dies
// with that to its relay.
func remoteOf(a ma.Multiaddr) (netip.AddrPort, bool) {
	if relayed(a) {
		return netip.AddrPort{}, false
	}
	ip, err := manet.ToIP(a)
	if err != nil {
		return netip.AddrPort{}, false
	}
	to, ok := netip.AddrFromSlice(ip)
	// Any port does: routes do not depend on it.
	return netip.AddrPortFrom(to.Unmap(), 9), ok
}

// followMoves looks from time to time whether this host has moved.
func (n *Node) followMoves(ctx context.Context) {
	tick := time.NewTicker(movesEvery)
	defer tick.Stop()
	for {
		n.reconnect()
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// reconnect makes those connections anew that this host has moved away from.
func (n *Node) reconnect() {
	for _, c := range n.moves.stale(n.host.Network().Conns()) {
		n.log.Info("this host has moved: connecting anew", "peer", c.RemotePeer())
		if a, err := AuthorOf(c.RemotePeer()); err == nil {
			n.redial.anew(a)
		}
		_ = c.Close()
	}
}
