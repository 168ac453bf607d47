package p2p

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"testing"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
)

// testRules are those of a host in 192.168.7.0/24 and fd00:7::/64.
func testRules(t *testing.T, home bool, networks ...string) *dialRules {
	t.Helper()
	r := newDialRules(newTestDirectory(t, nil), []peer.AddrInfo{{ID: testPeer(t, 3), Addrs: []ma.Multiaddr{ma.StringCast("/ip4/127.0.0.1/tcp/22")}}}, nil)
	for _, n := range networks {
		r.networks = append(r.networks, netip.MustParsePrefix(n))
	}
	r.home = home
	r.own = func() ([]net.Addr, error) {
		var out []net.Addr
		for _, s := range []string{"127.0.0.1/8", "::1/128", "192.168.7.2/24", "fd00:7::2/64", "203.0.113.9/24", "fe80::2/64"} {
			ip, n, err := net.ParseCIDR(s)
			if err != nil {
				return nil, err
			}
			out = append(out, &net.IPNet{IP: ip, Mask: n.Mask})
		}
		return out, nil
	}
	return r
}

func TestToldAddresses(t *testing.T) {
	r := testRules(t, false)
	for addr, want := range map[string]bool{
		"/ip4/198.51.100.1/tcp/9735":            true,
		"/ip4/198.51.100.1/udp/9735/quic-v1":    true,
		"/ip6/2a00:1450::1/tcp/9735":            true,
		"/ip4/198.51.100.1/tcp/443":             true,
		"/ip4/198.51.100.1/tcp/80":              true,
		"/ip4/198.51.100.1/tcp/22":              false,
		"/ip4/198.51.100.1/udp/53/quic-v1":      false,
		"/dns4/wallet.example/tcp/9735":         true, // what it stands for is judged
		"/dns4/wallet.example/tcp/25":           false,
		"/dnsaddr/wallet.example":               false,
		"/dnsaddr/wallet.example/tcp/9735":      false,
		"/ip4/192.168.7.9/tcp/9735":             true, // this host is there
		"/ip4/192.168.7.2/tcp/9735":             false,
		"/ip4/203.0.113.9/tcp/9735":             false, // this host itself
		"/ip6/fd00:7::9/tcp/9735":               true,
		"/ip6/fd00:8::9/tcp/9735":               false,
		"/ip4/192.168.8.9/tcp/9735":             false,
		"/ip4/10.0.0.1/tcp/9735":                false,
		"/ip4/172.16.0.1/tcp/9735":              false,
		"/ip4/100.64.0.1/tcp/9735":              false,
		"/ip4/127.0.0.1/tcp/9735":               false,
		"/ip4/127.9.9.9/tcp/9735":               false,
		"/ip6/::1/tcp/9735":                     false,
		"/ip6/::ffff:127.0.0.1/tcp/9735":        false,
		"/ip6/::ffff:10.0.0.1/tcp/9735":         false,
		"/ip6/64:ff9b::7f00:1/tcp/9735":         false,
		"/ip6/2002:7f00:1::1/tcp/9735":          false,
		"/ip4/0.0.0.0/tcp/9735":                 false,
		"/ip6/::/tcp/9735":                      false,
		"/ip4/169.254.169.254/tcp/80":           false,
		"/ip6/fe80::9/tcp/9735":                 false,
		"/ip6zone/eth0/ip6/fe80::9/tcp/9735":    false,
		"/ip4/224.0.0.1/udp/9735/quic-v1":       false,
		"/ip6/ff02::1/udp/9735/quic-v1":         false,
		"/ip4/255.255.255.255/udp/9735/quic-v1": false,
		"/ip4/198.51.100.1":                     false,
		"/unix/run/docker.sock":                 false,
		"/ip4/198.51.100.1/sctp/9735":           false,
	} {
		if got := r.told(ma.StringCast(addr)); got != want {
			t.Errorf("%s: %v, want %v", addr, got, want)
		}
	}
	if r.told(nil) || r.near(nil) {
		t.Error("nothing is an address")
	}
	more := testRules(t, false, "10.0.0.0/8", "127.0.0.0/8")
	for addr, want := range map[string]bool{
		"/ip4/10.9.9.9/tcp/9735": true, "/ip4/127.0.0.1/tcp/9735": true, "/ip4/127.0.0.1/tcp/22": false, "/ip4/172.16.0.1/tcp/9735": false,
	} {
		if got := more.told(ma.StringCast(addr)); got != want {
			t.Errorf("%s with networks configured: %v, want %v", addr, got, want)
		}
	}
	// A group on one machine finds itself; one member elsewhere, and it is none.
	home, here := testRules(t, true), ma.StringCast("/ip4/127.0.0.1/tcp/9735")
	if !home.told(here) || home.told(ma.StringCast("/ip4/127.0.0.1/tcp/22")) {
		t.Error("a group on one machine does not find itself, or finds more")
	}
	home.dir.fix(testIdentity(2).Author(), []ma.Multiaddr{here, ma.StringCast("/p2p-circuit")})
	if !home.told(here) {
		t.Error("an address on this machine is one elsewhere")
	}
	home.dir.fix(testIdentity(3).Author(), []ma.Multiaddr{ma.StringCast("/dns4/wallet.example/tcp/1")})
	if home.told(here) {
		t.Error("a node with members elsewhere dials what others tell of its own machine")
	}
	for _, c := range []struct {
		listen []string
		relays []peer.AddrInfo
		want   bool
	}{
		{[]string{"/ip4/127.0.0.1/tcp/0", "/ip6/::1/tcp/0"}, nil, true},
		{[]string{"/ip4/127.0.0.1/tcp/0", "/ip4/0.0.0.0/tcp/0"}, nil, false},
		{nil, nil, false},
		{[]string{"/ip4/127.0.0.1/tcp/0"}, []peer.AddrInfo{{Addrs: []ma.Multiaddr{ma.StringCast("/dns4/relay.example/tcp/1")}}}, false},
	} {
		if got := atHome(c.listen, nil, c.relays); got != c.want {
			t.Errorf("home of %v, %v: %v", c.listen, c.relays, got)
		}
	}
}

// Every address that is dialed comes by the gate, whoever told it and to whom.
func TestTheGateJudgesAddresses(t *testing.T) {
	g := testGate(t, nil)
	g.rules = testRules(t, false)
	member, relay, founder := testPeer(t, 2), testPeer(t, 3), testPeer(t, 4)
	a := testIdentity(2).Author()
	at := func(port string) ma.Multiaddr { return ma.StringCast("/ip4/127.0.0.1/tcp/" + port) }
	g.rules.dir.fix(a, []ma.Multiaddr{at("22")})
	g.rules.dir.worked(a, at("23"))
	g.rules.dir.say(a, []ma.Multiaddr{at("2001")})
	near := ma.StringCast("/ip4/192.168.7.9/tcp/2002")
	g.rules.dir.show(a, []ma.Multiaddr{at("2003"), near, ma.StringCast("/ip4/169.254.169.254/tcp/80")})
	for _, c := range []struct {
		name string
		p    peer.ID
		at   ma.Multiaddr
		want bool
	}{
		{"a member, where its owner says", member, at("22"), true},
		{"a member, where it was", member, at("23"), true},
		{"a member, where it says", member, at("2001"), false},
		{"a member, where the local network says", member, at("2003"), false},
		{"a member, where a cloud's service is", member, ma.StringCast("/ip4/169.254.169.254/tcp/80"), false},
		{"a member in the local network", member, near, true},
		{"a member, where another is", founder, at("22"), false},
		{"a relay, where it is configured", relay, at("22"), true},
		{"a relay, where a circuit's address says", relay, at("2004"), false},
		{"a member over a relay", member, ma.StringCast("/ip4/127.0.0.1/tcp/1/p2p/" + relay.String() + "/p2p-circuit"), true},
	} {
		if got := g.InterceptAddrDial(c.p, c.at); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
	done := g.rules.invite(founder, []ma.Multiaddr{at("24")})
	if !g.InterceptAddrDial(founder, at("24")) || g.InterceptAddrDial(founder, at("2005")) {
		t.Error("the address of an invite is refused, or others are not")
	}
	done()
	if g.InterceptAddrDial(founder, at("24")) {
		t.Error("an invite's address outlives it")
	}
}

// answers is a resolver that knows what all names stand for.
type answers struct {
	network.MultiaddrDNSResolver
	of []ma.Multiaddr
}

func (a answers) ResolveDNSComponent(context.Context, ma.Multiaddr, int) ([]ma.Multiaddr, error) {
	return slices.Clone(a.of), nil
}

func (a answers) ResolveDNSAddr(context.Context, peer.ID, ma.Multiaddr, int, int) ([]ma.Multiaddr, error) {
	return slices.Clone(a.of), nil
}

// A name that was told is no way around the rules for addresses.
func TestNamesAreJudgedByWhatTheyStandFor(t *testing.T) {
	g := testGate(t, nil)
	g.rules = testRules(t, false)
	inside, outside := ma.StringCast("/ip4/127.0.0.1/tcp/9735"), ma.StringCast("/ip4/198.51.100.1/tcp/9735")
	r := resolver{answers{of: []ma.Multiaddr{inside, outside}}, g.rules}
	told, given := ma.StringCast("/dns4/told.example/tcp/9735"), ma.StringCast("/dns4/given.example/tcp/9735")
	out, err := r.ResolveDNSComponent(t.Context(), told, 10)
	if err != nil || len(out) != 1 || !out[0].Equal(outside) {
		t.Errorf("a told name stands for %v, %v", out, err)
	}
	if out, err := r.ResolveDNSAddr(t.Context(), testPeer(t, 2), ma.StringCast("/dnsaddr/told.example"), 10, 10); err != nil || len(out) != 0 {
		t.Errorf("a told list of names stands for %v, %v", out, err)
	}
	if g.InterceptAddrDial(testPeer(t, 2), inside) {
		t.Error("what a told name stands for may be dialed")
	}
	g.rules.dir.fix(testIdentity(2).Author(), []ma.Multiaddr{given})
	out, err = r.ResolveDNSComponent(t.Context(), given, 10)
	if err != nil || len(out) != 2 || !g.InterceptAddrDial(testPeer(t, 2), inside) {
		t.Errorf("a name that the owner gave stands for %v, %v", out, err)
	}
}

// toldOf is what makes node n know signed addresses of identity 9.
func toldOf(t *testing.T, n *Node, seq uint64, addrs ...string) {
	t.Helper()
	g := n.talk.reg.shared(testIdentity(9).Author())
	if len(g) != 1 {
		t.Fatal("not in one group")
	}
	lines{n}.Heard(g[0].members, [][]byte{signedRecord(t, 9, seq, addrs...)})
}

// service is a listener on this machine that counts who comes.
func service(t *testing.T) (at string, came func() int) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	hits := make(chan struct{}, 1000)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			hits <- struct{}{}
			_ = c.Close()
		}
	}()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return "/ip4/127.0.0.1/tcp/" + port, func() int { return len(hits) }
}

// One member cannot make another connect to a service of its own machine, nor
// make it dial at will.
func TestToldAddressesAreDialedByTheRules(t *testing.T) {
	link := port.GroupLink{Topics: []string{"topic"}, Members: []journal.Author{testIdentity(1).Author(), testIdentity(9).Author()}}
	fails := func(n *Node) int {
		n.redial.mu.Lock()
		defer n.redial.mu.Unlock()
		return n.redial.m[testIdentity(9).Author()].fails
	}
	for name, networks := range map[string][]netip.Prefix{"by default": nil, "allowed": {netip.MustParsePrefix("127.0.0.0/8")}} {
		t.Run(name, func(t *testing.T) {
			at, came := service(t)
			// It is reached from elsewhere, so its group is not on one machine.
			n, err := New(t.Context(), Config{
				Identity: testIdentity(1), Listen: []string{"/ip4/127.0.0.1/tcp/0"},
				ExternalAddrs: []string{"/ip4/192.0.2.1/tcp/4001"}, ToldNetworks: networks,
			})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = n.Close() })
			if err := n.Attach(t.Context(), link, openInbox{}); err != nil {
				t.Fatal(err)
			}
			toldOf(t, n, 1, at)
			if networks != nil {
				until(t, "an address that may be told is dialed", func() bool { return came() > 0 })
				return
			}
			until(t, "the member was dialed", func() bool { return fails(n) >= 2 })
			for seq := range uint64(100) {
				toldOf(t, n, 2+seq, at)
			}
			until(t, "it was dialed again", func() bool { return fails(n) >= 3 })
			if came() > 0 {
				t.Errorf("a service of this machine was connected to %d times at a member's word", came())
			}
		})
	}
}

// What is of this machine are its own addresses and loopback, not those beside them.
func TestAddressesOfThisMachine(t *testing.T) {
	r := newDialRules(newTestDirectory(t, nil), nil, nil)
	own := []net.Addr{&net.IPNet{IP: net.IPv4(192, 168, 1, 5), Mask: net.CIDRMask(24, 32)}, &net.IPNet{IP: net.ParseIP("fe80::1"), Mask: net.CIDRMask(64, 128)}}
	r.own = func() ([]net.Addr, error) { return own, nil }
	for ip, want := range map[string]bool{"192.168.1.5": true, "192.168.1.6": false, "127.0.0.9": true, "::1": true, "fe80::1": true, "fe80::2": false, "8.8.8.8": false} {
		if r.isHere(netip.MustParseAddr(ip)) != want {
			t.Errorf("%s is here: %v", ip, !want)
		}
	}
	r.own = func() ([]net.Addr, error) { return nil, net.ErrClosed }
	if r.isHere(netip.MustParseAddr("192.168.1.5")) || r.isHere(netip.Addr{}) {
		t.Error("what is not known is here")
	}
}
