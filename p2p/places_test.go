package p2p

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"

	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/journal"
)

// until waits for a condition; it says nothing about how long that takes.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.After(2 * time.Minute)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-deadline:
			t.Fatal("never: " + what)
		case <-tick.C:
		}
	}
}

// saysNothing holds connections to an address open, and says nothing on any; it
// opens another for each that ends.
func saysNothing(t *testing.T, to string, from []string, each int) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	t.Cleanup(all.Wait)
	t.Cleanup(cancel)
	for _, ip := range from {
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(ip)}}
		for range each {
			all.Go(func() {
				for ctx.Err() == nil {
					c, err := d.DialContext(ctx, "tcp", to)
					if err == nil {
						stop := context.AfterFunc(ctx, func() { _ = c.Close() })
						_, _ = io.Copy(io.Discard, c)
						stop()
						_ = c.Close()
					}
					// Not faster than the rate that an address has, which loopback has not.
					select {
					case <-ctx.Done():
					case <-time.After(time.Duration(each) * time.Second / connsPerSec):
					}
				}
			})
		}
	}
}

func tcpAt(t *testing.T, addrs []ma.Multiaddr) string {
	t.Helper()
	for _, a := range addrs {
		if n, err := manet.ToNetAddr(a); err == nil && n.Network() == "tcp" {
			return n.String()
		}
	}
	t.Fatal("it does not listen on TCP")
	return ""
}

// crowd is so many addresses of this machine, four of each network.
func crowd(n int) []string {
	var out []string
	for i := range n {
		out = append(out, fmt.Sprintf("127.0.%d.%d", 10+i/4, 1+i%4))
	}
	return out
}

// Connections that say nothing, of one address and of many, keep no member out,
// whatever it comes over; the node says that they are there.
func TestSilentConnectionsKeepNobodyOut(t *testing.T) {
	limits := nodePlaces()
	for name, c := range map[string]struct {
		from  []string
		holds int
		known bool // the member was here before
	}{
		"the member's own address": {[]string{"127.0.0.1"}, limits.anybody.perAddr, false},
		"another address":          {crowd(1), limits.anybody.perAddr, false},
		"all places that any few can have": {
			crowd(limits.anybody.places / limits.anybody.perAddr), limits.anybody.places, true,
		},
	} {
		for _, transport := range []string{"tcp", "quic-v1"} {
			t.Run(name+", "+transport, func(t *testing.T) {
				a, b := testIdentity(1).Author(), testIdentity(2).Author()
				link := coordinator.GroupLink{Topics: []string{"topic"}, Members: []journal.Author{a, b}}
				na, err := New(t.Context(), Config{Identity: testIdentity(1), Listen: []string{"/ip4/127.0.0.1/tcp/0", "/ip4/127.0.0.1/udp/0/quic-v1"}})
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = na.Close() })
				if err := na.Attach(t.Context(), link, openInbox{}); err != nil {
					t.Fatal(err)
				}
				var hints []string
				for _, x := range na.ListenAddrs() {
					if strings.Contains(x, "/"+transport) {
						hints = append(hints, x)
					}
				}
				link.Hints = map[journal.Author][]string{a: hints}
				comes := func() *Node {
					nb, err := New(t.Context(), Config{Identity: testIdentity(2)})
					if err != nil {
						t.Fatal(err)
					}
					if err := nb.Attach(t.Context(), link, openInbox{}); err != nil {
						t.Fatal(err)
					}
					until(t, "the member is connected", func() bool { return len(nb.connected()) > 0 && len(na.connected()) > 0 })
					return nb
				}
				if c.known {
					if err := comes().Close(); err != nil {
						t.Fatal(err)
					}
					until(t, "the member is gone", func() bool { return len(na.connected()) == 0 })
				}
				if na.Handshakes().Problem() != "" {
					t.Errorf("a problem in peace: %s", na.Handshakes().Problem())
				}
				saysNothing(t, tcpAt(t, na.host.Network().ListenAddresses()), c.from, 2*c.holds/len(c.from))
				until(t, "they hold all that they can", func() bool {
					h := na.Handshakes()
					return h.Open >= c.holds && h.Refused+h.Silent > 0
				})
				if h := na.Handshakes(); h.Open > c.holds && !c.known {
					t.Errorf("they hold %d places, want %d", h.Open, c.holds)
				}
				nb := comes()
				until(t, "the node says so", func() bool {
					return strings.Contains(na.Handshakes().Problem(), "connections that say nothing")
				})
				if h := na.Handshakes(); h.Places != limits.all() {
					t.Errorf("%+v", h)
				}
				if err := nb.Close(); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// The same at a relay.
func TestSilentConnectionsKeepNobodyFromTheirRelay(t *testing.T) {
	limits := relayPlaces()
	id := testPeer(t, 2)
	r, err := NewRelay(RelayConfig{
		Identity: testIdentity(7), Listen: []string{"/ip4/127.0.0.1/tcp/0", "/ip4/127.0.0.1/udp/0/quic-v1"},
		Allow: RelayGroups{"one": {id.String()}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	key, err := hostKey(testIdentity(2))
	if err != nil {
		t.Fatal(err)
	}
	h, err := libp2p.New(libp2p.Identity(key), libp2p.NoListenAddrs)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	comes := func(transport string) {
		t.Helper()
		var at []ma.Multiaddr
		for _, a := range r.host.Network().ListenAddresses() {
			if strings.Contains(a.String(), transport) {
				at = append(at, a)
			}
		}
		until(t, "the named one is connected", func() bool {
			return dialPeer(t.Context(), h, peer.AddrInfo{ID: r.host.ID(), Addrs: at}) == nil
		})
		_ = h.Network().ClosePeer(r.host.ID())
		until(t, "it is gone", func() bool { return len(r.host.Network().ConnsToPeer(id)) == 0 })
	}
	comes("/tcp/")
	from := crowd(limits.anybody.places / limits.anybody.perAddr)
	saysNothing(t, tcpAt(t, r.host.Network().ListenAddresses()), from, 2*limits.anybody.perAddr)
	until(t, "they hold all that they can", func() bool { return r.Stats().Handshakes.Open >= limits.anybody.places })
	comes("/tcp/")
	comes("quic-v1")
	if r.Stats().Handshakes.Problem() == "" {
		t.Error("the relay does not say what goes on")
	}
}

// A quarter of the places is for where members were, even where nobody can be
// sent away; whoever says who it is gives its place back.
func TestPlacesAreKeptForMembers(t *testing.T) {
	limits := placeLimits{
		anybody: roomLimits{places: 6, perAddr: 2, perNetwork: 3},
		known:   roomLimits{places: 2, perAddr: 1, perNetwork: 1},
	}
	members := netip.MustParsePrefix("198.51.100.0/24")
	p := newPlaces(&network.NullResourceManager{}, limits, members.Contains)
	port := 1000
	come := func(ip string) network.ConnManagementScope {
		port++
		s, err := p.OpenConnection(network.DirInbound, false, ma.StringCast(fmt.Sprintf("/ip4/%s/udp/%d/quic-v1", ip, port)))
		if err != nil {
			return nil
		}
		return s
	}
	var in []network.ConnManagementScope
	for n := range 20 {
		for range 5 {
			if s := come(fmt.Sprintf("192.0.%d.1", n)); s != nil {
				in = append(in, s)
			}
		}
	}
	if len(in) != limits.stuck() {
		t.Fatalf("QUIC has %d places, want %d", len(in), limits.stuck())
	}
	tcp := func(ip string) bool {
		port++
		c := &rawConn{at: ma.StringCast(fmt.Sprintf("/ip4/%s/tcp/%d", ip, port))}
		p.accepted(c)
		_, err := p.OpenConnection(network.DirInbound, true, c.at)
		return err == nil
	}
	for n := limits.stuck(); n < limits.anybody.places; n++ {
		if !tcp(fmt.Sprintf("192.0.%d.1", 100+n)) {
			t.Error("QUIC took the places of TCP")
		}
	}
	if tcp("192.0.99.1") {
		t.Error("there is one place more than there are")
	}
	if !p.VerifySourceAddress(&net.UDPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 1}) {
		t.Error("a sender's address is not verified though places are taken")
	}
	member := come("198.51.100.7")
	if member == nil || come("198.51.100.7") != nil || come("203.0.113.1") != nil {
		t.Error("the place of a member is not kept for it, or it has two")
	}
	if _, err := p.OpenConnection(network.DirOutbound, false, ma.StringCast("/ip4/203.0.113.1/tcp/1")); err != nil {
		t.Errorf("no place to dial out: %v", err)
	}
	h := p.handshakes()
	if h.Open != limits.anybody.places+1 || h.Silent != 0 || h.Refused != 20*5-uint64(limits.stuck())+3 {
		t.Errorf("counted: %+v", h)
	}
	if err := member.SetPeer(testPeer(t, 2)); err != nil {
		t.Fatal(err)
	}
	member.Done()
	in[0].Done()
	in[0].Done()
	if h := p.handshakes(); h.Open != limits.anybody.places-1 || h.Silent != 1 || h.SilentLately != 1 {
		t.Errorf("counted after two left: %+v", h)
	}
	if come("203.0.113.1") == nil {
		t.Error("no place though one is free")
	}
}

// Of the addresses that crowd the door the one with most makes room.
func TestTheCrowdMakesRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limits := placeLimits{anybody: roomLimits{places: 6, perAddr: 3, perNetwork: 5}, known: roomLimits{places: 2, perAddr: 1, perNetwork: 1}}
		p := newPlaces(&network.NullResourceManager{}, limits, func(netip.Addr) bool { return false })
		port := 1000
		come := func(ip string) *rawConn {
			port++
			c := &rawConn{at: ma.StringCast(fmt.Sprintf("/ip4/%s/tcp/%d", ip, port))}
			p.accepted(c)
			if _, err := p.OpenConnection(network.DirInbound, true, c.at); err != nil {
				return nil
			}
			return c
		}
		gone := func(cs ...*rawConn) (n int) {
			synctest.Wait()
			for _, c := range cs {
				if c.closed.Load() {
					n++
				}
			}
			return n
		}
		later := func(ip string) *rawConn {
			pass(time.Millisecond)
			return come(ip)
		}
		a, b, c := come("192.0.2.1"), later("192.0.2.1"), later("192.0.2.1")
		if come("192.0.2.1") != nil || gone(a, b, c) != 0 {
			t.Error("sent away before it had time")
		}
		d, e, f := later("198.51.100.1"), later("198.51.100.1"), later("203.0.113.1")
		pass(handshakeLeast)
		// Its own oldest, where an address has too many.
		if come("192.0.2.1") == nil || gone(a) != 1 || gone(b, c, d, e, f) != 0 {
			t.Error("an address with too many does not make room for itself")
		}
		// The oldest of the address with most, where all are taken.
		if come("233.252.0.1") == nil || gone(b) != 1 || gone(c, d, e, f) != 0 {
			t.Error("the address with most does not make room")
		}
		if h := p.handshakes(); h.Open != limits.anybody.places || h.Silent != 2 {
			t.Errorf("%+v", h)
		}
	})
}

// rawConn is a TCP connection that knows where it is from and whether it is
// closed.
type rawConn struct {
	manet.Conn
	at     ma.Multiaddr
	closed atomic.Bool
}

func (c *rawConn) RemoteMultiaddr() ma.Multiaddr { return c.at }
func (c *rawConn) Close() error                  { c.closed.Store(true); return nil }
