package p2p

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"sync"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
)

// maxResolved bounds what is remembered of names that were looked up.
const maxResolved = 1024

// dialRules say which addresses this node dials. What its owner gave, and where
// a peer proved that it is, always. What others tell never leads to this machine
// itself, nor into networks that it is not in, nor to ports where other services
// are.
type dialRules struct {
	dir      *directory
	relays   []peer.AddrInfo
	networks []netip.Prefix // configured
	own      func() ([]net.Addr, error)
	home     bool // this node was configured for its own machine alone

	mu       sync.Mutex
	invited  map[peer.ID][]ma.Multiaddr // founders being joined
	resolved map[string]bool            // of names that the owner gave
	relayIPs []netip.Addr               // where relays were reached
}

func newDialRules(dir *directory, relays []peer.AddrInfo, networks []netip.Prefix) *dialRules {
	return &dialRules{
		dir: dir, relays: relays, networks: networks, own: net.InterfaceAddrs,
		invited: map[peer.ID][]ma.Multiaddr{}, resolved: map[string]bool{},
	}
}

// may says whether an address of a peer may be dialed.
func (r *dialRules) may(p peer.ID, at ma.Multiaddr) bool {
	if relayed(at) {
		return true // the relay is asked about when it is dialed
	}
	if slices.ContainsFunc(r.sure(p), at.Equal) || r.told(at) {
		return true
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.resolved[at.String()] {
		return true
	}
	a, err := AuthorOf(p)
	return err == nil && slices.ContainsFunc(r.dir.shown(a), at.Equal) && r.near(at)
}

// sure returns what needs no rule.
func (r *dialRules) sure(p peer.ID) []ma.Multiaddr {
	r.mu.Lock()
	out := slices.Clone(r.invited[p])
	r.mu.Unlock()
	for _, x := range r.relays {
		if x.ID == p {
			out = append(out, x.Addrs...)
		}
	}
	if a, err := AuthorOf(p); err == nil {
		out = append(out, r.dir.sure(a)...)
	}
	return out
}

// invite allows the addresses of an invite, until the returned function is
// called.
func (r *dialRules) invite(p peer.ID, addrs []ma.Multiaddr) func() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.invited[p] = addrs
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.invited, p)
	}
}

// told says whether an address that somebody tells may be dialed. A name may:
// what it stands for is asked about when it was looked up.
func (r *dialRules) told(at ma.Multiaddr) bool {
	if relayed(at) {
		return true
	}
	ip, port, ok := endpoint(at)
	if !ok || !allowedPort(port) {
		return false
	}
	if !ip.IsValid() {
		return true
	}
	return r.toldIP(ip)
}

func (r *dialRules) toldIP(ip netip.Addr) bool {
	for _, n := range r.networks {
		if n.Contains(ip) {
			return true
		}
	}
	if ip.IsLoopback() {
		return r.here()
	}
	if ip.IsUnspecified() || ip.IsMulticast() || ip.IsLinkLocalUnicast() || reserved(ip) {
		return false
	}
	own := r.prefixes()
	for _, n := range own {
		if n.Addr() == ip {
			return false // this machine
		}
	}
	if !ip.IsPrivate() && !shared(ip) {
		return true
	}
	return slices.ContainsFunc(own, func(n netip.Prefix) bool { return n.Contains(ip) })
}

// near says whether an address that the local network shows is in it.
func (r *dialRules) near(at ma.Multiaddr) bool {
	ip, port, ok := endpoint(at)
	if !ok || !ip.IsValid() || !allowedPort(port) {
		return false
	}
	if ip.IsLinkLocalUnicast() {
		// Not where this host has no such address: there it is a cloud's own service.
		return slices.ContainsFunc(r.prefixes(), func(n netip.Prefix) bool { return n.Contains(ip) && n.Addr() != ip })
	}
	return (ip.IsPrivate() || ip.IsLoopback()) && r.toldIP(ip)
}

// here says whether this node was set up for groups on its own machine alone:
// all that it listens on and all that its owner gave is loopback.
func (r *dialRules) here() bool { return r.home && !r.dir.givenElsewhere() }

// isHere says whether an address is one of this machine.
func (r *dialRules) isHere(ip netip.Addr) bool {
	return ip.IsLoopback() || slices.ContainsFunc(r.prefixes(), func(n netip.Prefix) bool { return n.Addr() == ip })
}

func (r *dialRules) prefixes() []netip.Prefix {
	addrs, err := r.own()
	if err != nil {
		return nil // then it is in no private network
	}
	var out []netip.Prefix
	for _, a := range addrs {
		if p, err := netip.ParsePrefix(a.String()); err == nil {
			out = append(out, netip.PrefixFrom(p.Addr().Unmap(), p.Bits()))
		}
	}
	return out
}

// endpoint is the IP address, not valid for a name, and the port of an address
// that a node could be at.
func endpoint(at ma.Multiaddr) (netip.Addr, int, bool) {
	if len(at) < 2 {
		return netip.Addr{}, 0, false
	}
	switch at[0].Protocol().Code {
	case ma.P_IP4, ma.P_IP6, ma.P_DNS, ma.P_DNS4, ma.P_DNS6:
	default:
		return netip.Addr{}, 0, false // such as /dnsaddr, which stands for any number of them
	}
	switch at[1].Protocol().Code {
	case ma.P_TCP, ma.P_UDP:
	default:
		return netip.Addr{}, 0, false
	}
	port, err := strconv.Atoi(at[1].Value())
	return ipOf(at), port, err == nil
}

// allowedPort leaves out the ports of other services.
func allowedPort(port int) bool { return port >= 1024 || port == 443 || port == 80 }

// shared is the range of carriers' NATs, which some private networks use.
func shared(ip netip.Addr) bool { return netip.MustParsePrefix("100.64.0.0/10").Contains(ip) }

// reserved says whether no host is at an address, or whether it may stand for
// another one that is not to be dialed.
func reserved(ip netip.Addr) bool {
	for _, p := range []string{"0.0.0.0/8", "240.0.0.0/4", "192.0.0.0/24", "fec0::/10", "2002::/16", "2001::/32", "64:ff9b::/96", "64:ff9b:1::/48", "::/96"} {
		if netip.MustParsePrefix(p).Contains(ip) {
			return true
		}
	}
	return false
}

// resolver looks names up, and judges what they stand for.
type resolver struct {
	network.MultiaddrDNSResolver
	rules *dialRules
}

// ResolveDNSAddr follows /dnsaddr where this node's owner gave it.
func (r resolver) ResolveDNSAddr(ctx context.Context, p peer.ID, at ma.Multiaddr, depth, limit int) ([]ma.Multiaddr, error) {
	if !r.rules.given(at) {
		return nil, nil
	}
	out, err := r.MultiaddrDNSResolver.ResolveDNSAddr(ctx, p, at, depth, limit)
	r.rules.remember(out)
	return out, err
}

// ResolveDNSComponent looks a name up; one that others told leads only where an
// address may that they told.
func (r resolver) ResolveDNSComponent(ctx context.Context, at ma.Multiaddr, limit int) ([]ma.Multiaddr, error) {
	given := r.rules.given(at)
	if !given {
		limit = min(limit, maxAddresses)
	}
	out, err := r.MultiaddrDNSResolver.ResolveDNSComponent(ctx, at, limit)
	if given {
		r.rules.remember(out)
		return out, err
	}
	return slices.DeleteFunc(out, func(x ma.Multiaddr) bool { return !r.rules.told(x) }), err
}

// given says whether this node's owner gave an address, or what it was looked up
// from.
func (r *dialRules) given(at ma.Multiaddr) bool {
	at = bare(at)
	for _, x := range r.relays {
		if slices.ContainsFunc(x.Addrs, at.Equal) {
			return true
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, addrs := range r.invited {
		if slices.ContainsFunc(addrs, at.Equal) {
			return true
		}
	}
	return r.resolved[at.String()] || r.dir.given(at)
}

func (r *dialRules) remember(addrs []ma.Multiaddr) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, x := range addrs {
		if len(r.resolved) >= maxResolved {
			clear(r.resolved)
		}
		r.resolved[bare(x).String()] = true
	}
}

// sawRelay remembers where a relay was reached.
func (r *dialRules) sawRelay(ip netip.Addr) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if ip.IsValid() && !slices.Contains(r.relayIPs, ip) {
		r.relayIPs = append([]netip.Addr{ip}, r.relayIPs[:min(len(r.relayIPs), maxAddresses-1)]...)
	}
}

// relayAt says whether a relay is, or was lately, at an IP address.
func (r *dialRules) relayAt(ip netip.Addr) bool {
	at := addrNet(ip)
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, x := range r.relays {
		for _, a := range x.Addrs {
			if b := addrNet(ipOf(a)); b.IsValid() && b == at {
				return true
			}
		}
	}
	return slices.ContainsFunc(r.relayIPs, func(x netip.Addr) bool { return addrNet(x) == at })
}
