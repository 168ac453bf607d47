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

	"github.com/quorate/quorate/coordinator/port"
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
				link := port.GroupLink{Topics: []string{"topic"}, Members: []journal.Author{a, b}}
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
					until(t, "the member is connected", func() bool { return len(lines{nb}.Connected()) > 0 && len(lines{na}.Connected()) > 0 })
					return nb
				}
				if c.known {
					if err := comes().Close(); err != nil {
						t.Fatal(err)
					}
					until(t, "the member is gone", func() bool { return len(lines{na}.Connected()) == 0 })
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
		known:   roomLimits{places: 4, perAddr: 2, perNetwork: 2},
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
	if len(in) != limits.anybody.stuck().places {
		t.Fatalf("QUIC has %d places, want %d", len(in), limits.anybody.stuck().places)
	}
	tcp := func(ip string) bool {
		port++
		c := &rawConn{at: ma.StringCast(fmt.Sprintf("/ip4/%s/tcp/%d", ip, port))}
		p.accepted(c)
		_, err := p.OpenConnection(network.DirInbound, true, c.at)
		return err == nil
	}
	for n := limits.anybody.stuck().places; n < limits.anybody.places; n++ {
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
	if h.Open != limits.anybody.places+1 || h.Silent != 0 || h.Refused != 20*5-uint64(limits.anybody.stuck().places)+3 {
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

// Handshakes over QUIC, which cannot be ended, leave room for TCP: to who shares
// an address or a network with them, and to who comes from a known address.
func TestQUICLeavesRoomForTCP(t *testing.T) {
	for name, limits := range map[string]placeLimits{"node": nodePlaces(), "relay": relayPlaces()} {
		for _, known := range []bool{false, true} {
			for crowd, c := range map[string]struct {
				from  func(int) string
				comes string // after them
				held  int
			}{
				"an address": {func(int) string { return "192.0.2.1" }, "192.0.2.1", limits.anybody.stuck().perAddr},
				"a network":  {func(n int) string { return fmt.Sprintf("192.0.2.%d", n%200) }, "192.0.2.201", limits.anybody.stuck().perNetwork},
				"all":        {func(n int) string { return fmt.Sprintf("192.%d.%d.1", n/200%200, n%200) }, "198.51.100.1", limits.anybody.stuck().places},
			} {
				t.Run(fmt.Sprintf("%s, %s, known: %v", name, crowd, known), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						p := newPlaces(&network.NullResourceManager{}, limits, func(netip.Addr) bool { return known })
						port, held := 1000, 0
						quic := func(ip string) (network.ConnManagementScope, error) {
							port++
							return p.OpenConnection(network.DirInbound, false, ma.StringCast(fmt.Sprintf("/ip4/%s/udp/%d/quic-v1", ip, port)))
						}
						tcp := func(ip string) bool {
							port++
							c := &rawConn{at: ma.StringCast(fmt.Sprintf("/ip4/%s/tcp/%d", ip, port))}
							p.accepted(c)
							_, err := p.OpenConnection(network.DirInbound, true, c.at)
							return err == nil
						}
						var in []network.ConnManagementScope
						for n := range 2 * limits.all() {
							if s, err := quic(c.from(n)); err == nil {
								held++
								in = append(in, s)
							}
						}
						if p.anybody.taken != c.held || !known && held != c.held {
							t.Errorf("QUIC holds %d places, of anybody's %d, want %d", held, p.anybody.taken, c.held)
						}
						// Those who say nothing over TCP make room: again and again.
						for range 2 * limits.all() {
							tcp(c.comes)
						}
						pass(handshakeLeast)
						for range 3 {
							if !tcp(c.comes) {
								t.Error("who comes over TCP finds no place")
							}
							pass(handshakeLeast)
						}
						for _, s := range in {
							s.Done()
						}
						if n := p.anybody.stuck.taken + p.lent.stuck.taken + len(p.anybody.stuck.by) + len(p.lent.stuck.by); n != 0 {
							t.Errorf("QUIC's places are not given back: %d", n)
						}
					})
				})
			}
		}
	}
}

// The places kept for members make room as the others do.
func TestKeptPlacesMakeRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limits := placeLimits{anybody: roomLimits{places: 4, perAddr: 2, perNetwork: 3}, known: roomLimits{places: 4, perAddr: 2, perNetwork: 2}}
		members := netip.MustParsePrefix("198.51.100.0/24")
		p := newPlaces(&network.NullResourceManager{}, limits, members.Contains)
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
		for n := range 3 { // of anybody's, all that can be had without one to send away
			port++
			if _, err := p.OpenConnection(network.DirInbound, false, ma.StringCast(fmt.Sprintf("/ip4/192.0.%d.1/udp/%d/quic-v1", n, port))); err != nil {
				t.Fatal(err)
			}
		}
		quic := func() bool {
			port++
			_, err := p.OpenConnection(network.DirInbound, false, ma.StringCast(fmt.Sprintf("/ip4/198.51.100.7/udp/%d/quic-v1", port)))
			return err == nil
		}
		old := come("203.0.113.1")
		a := come("198.51.100.7")
		pass(time.Millisecond)
		b := come("198.51.100.7")
		if old == nil || a == nil || b == nil || come("198.51.100.7") != nil {
			t.Fatal("the places are not as they should be")
		}
		pass(handshakeLeast)
		young := come("203.0.113.2") // in the place of the old one, and not to be sent away yet
		synctest.Wait()
		if young == nil || !old.closed.Load() {
			t.Fatal("no room is made")
		}
		c := come("198.51.100.7")
		synctest.Wait()
		if c == nil || !a.closed.Load() || b.closed.Load() || young.closed.Load() {
			t.Error("the oldest at a known address does not make room")
		}
		if !quic() {
			t.Error("no room is made for QUIC")
		}
		pass(handshakeLeast)
		young = come("203.0.113.3")
		if quic() {
			t.Error("QUIC has all that is kept for an address")
		}
		synctest.Wait()
		if young == nil || !b.closed.Load() || c.closed.Load() {
			t.Error("one is sent away for nothing, or none was")
		}
	})
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
