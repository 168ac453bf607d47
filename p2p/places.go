package p2p

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
)

var errNoPlace = errors.New("no place for a connection that has not proved who it is")

// handshakeTime is how long a TCP connection may take to prove who it is.
// QUIC's own limit is quicHandshakeTime.
const (
	handshakeTime     = 5 * time.Second
	quicHandshakeTime = 10 * time.Second
	handshakeLeast    = time.Second // so long nobody is sent away for another
	maxComing         = 64
)

// roomLimits bound places that many share: what one address, and one network of
// addresses, may hold is far below what there is.
type roomLimits struct {
	places     int
	perAddr    int // IPv4 /32, IPv6 /56
	perNetwork int // IPv4 /24, IPv6 /48
}

// placeLimits bound the connections of unknown peers that one host holds.
type placeLimits struct {
	anybody roomLimits
	// known is for addresses at which a member or a relay was lately.
	known roomLimits
}

func (l placeLimits) all() int { return l.anybody.places + l.known.places }

// stuck bounds what QUIC may have, whose handshakes cannot be ended before their
// time: a quarter is left of all places, of an address's and of a network's.
func (l roomLimits) stuck() roomLimits {
	return roomLimits{places: l.places * 3 / 4, perAddr: l.perAddr * 3 / 4, perNetwork: l.perNetwork * 3 / 4}
}

// room is places that addresses share.
type room struct {
	limits roomLimits
	taken  int
	by     map[netip.Prefix]int
}

func newRoom(l roomLimits) *room { return &room{limits: l, by: map[netip.Prefix]int{}} }

// doorRoom is a room in which those that cannot be ended do not take everything.
type doorRoom struct {
	room
	stuck *room
}

func newDoorRoom(l roomLimits) *doorRoom {
	return &doorRoom{room: *newRoom(l), stuck: newRoom(l.stuck())}
}

// enter takes a place; stuck is one that cannot be ended.
func (r *doorRoom) enter(ip netip.Addr, stuck bool) bool {
	if stuck && !r.stuck.free(ip) || !r.room.enter(ip) {
		return false
	}
	if stuck {
		r.stuck.enter(ip)
	}
	return true
}

func (r *doorRoom) leave(ip netip.Addr, stuck bool) {
	r.room.leave(ip)
	if stuck {
		r.stuck.leave(ip)
	}
}

// addrNet and widerNet are what counts as one address, and as one network: an
// IPv6 customer has a /56 or a /48.
func addrNet(ip netip.Addr) netip.Prefix  { return prefixOf(ip, 32, 56) }
func widerNet(ip netip.Addr) netip.Prefix { return prefixOf(ip, 24, 48) }

func prefixOf(ip netip.Addr, v4, v6 int) netip.Prefix {
	ip = ip.Unmap().WithZone("")
	bits := v6
	if ip.Is4() {
		bits = v4
	}
	p, err := ip.Prefix(bits)
	if err != nil {
		return netip.Prefix{} // no address: all such are one
	}
	return p
}

func (r *room) free(ip netip.Addr) bool {
	a, n := addrNet(ip), widerNet(ip)
	return r.taken < r.limits.places && r.by[a] < r.limits.perAddr && (n == a || r.by[n] < r.limits.perNetwork)
}

func (r *room) enter(ip netip.Addr) bool {
	if !r.free(ip) {
		return false
	}
	r.add(addrNet(ip), widerNet(ip), 1)
	return true
}

func (r *room) leave(ip netip.Addr) { r.add(addrNet(ip), widerNet(ip), -1) }

func (r *room) add(a, n netip.Prefix, by int) {
	r.taken += by
	for _, p := range []netip.Prefix{a, n} {
		if r.by[p] += by; r.by[p] <= 0 {
			delete(r.by, p)
		}
		if a == n {
			return
		}
	}
}

// places is a resource manager that gives connections of unknown peers a place
// each, so that no few addresses take them all, and counts those that leave it
// without having said who they are.
type places struct {
	network.ResourceManager
	limits placeLimits
	known  func(netip.Addr) bool

	mu             sync.Mutex
	anybody, lent  *doorRoom
	all            map[*place]bool
	open           map[string]*place     // the latest from an address and port
	coming         map[string]manet.Conn // about to get a place
	silent, turned lately
}

// newPlaces gives places above what inner allows. known says whether a member or
// a relay was at an address lately.
func newPlaces(inner network.ResourceManager, l placeLimits, known func(netip.Addr) bool) *places {
	return &places{
		ResourceManager: inner, limits: l, known: known,
		anybody: newDoorRoom(l.anybody), lent: newDoorRoom(l.known), all: map[*place]bool{}, open: map[string]*place{}, coming: map[string]manet.Conn{},
	}
}

// OpenConnection takes a place for an inbound connection.
func (p *places) OpenConnection(dir network.Direction, fd bool, at ma.Multiaddr) (network.ConnManagementScope, error) {
	if dir != network.DirInbound {
		return p.ResourceManager.OpenConnection(dir, fd, at)
	}
	x := p.enter(at)
	if x == nil {
		return nil, errNoPlace
	}
	scope, err := p.ResourceManager.OpenConnection(dir, fd, at)
	if err != nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.release(x)
		p.turned.add(time.Now())
		return nil, err
	}
	x.ConnManagementScope = scope
	return x, nil
}

func (p *places) enter(at ma.Multiaddr) *place {
	ip := ipOf(at)
	known := p.known(ip)
	p.mu.Lock()
	defer p.mu.Unlock()
	x := &place{of: p, ip: ip, since: time.Now()}
	if at != nil {
		x.at = at.String()
	}
	x.conn = p.coming[x.at]
	delete(p.coming, x.at)
	rooms := []*doorRoom{p.anybody}
	if known {
		rooms = append(rooms, p.lent)
	}
	for _, r := range rooms {
		if x.room == nil && r.enter(ip, x.stuck()) {
			x.room = r
		}
	}
	for _, r := range rooms {
		if x.room == nil && p.evict(r, x) && r.enter(ip, x.stuck()) {
			x.room = r
		}
	}
	if x.room == nil {
		p.turned.add(x.since)
		return nil
	}
	p.all[x], p.open[x.at] = true, x
	return x
}

// accepted notes a TCP connection that is about to ask for a place, so that it can
// be ended.
func (p *places) accepted(c network.ConnMultiaddrs) {
	conn, ok := c.(manet.Conn) // QUIC's are not: they have left their place by now
	if !ok {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.coming) >= maxComing {
		clear(p.coming)
	}
	p.coming[c.RemoteMultiaddr().String()] = conn
}

// evict ends the connection in a room that has said nothing for the longest, for
// one that comes: of the same address or network where that has too many, else of
// the address that has most.
func (p *places) evict(r *doorRoom, comes *place) bool {
	if comes.stuck() && !r.stuck.free(comes.ip) {
		return false // it would still have no place
	}
	a, n, now := addrNet(comes.ip), widerNet(comes.ip), comes.since
	crowded := func(*place) bool { return true }
	switch {
	case r.by[a] >= r.limits.perAddr:
		crowded = func(x *place) bool { return addrNet(x.ip) == a }
	case n != a && r.by[n] >= r.limits.perNetwork:
		crowded = func(x *place) bool { return widerNet(x.ip) == n }
	}
	var out *place
	for x := range p.all {
		if x.room != r || x.conn == nil || now.Sub(x.since) < handshakeLeast || !crowded(x) {
			continue
		}
		if out == nil {
			out = x
			continue
		}
		if d := r.by[addrNet(x.ip)] - r.by[addrNet(out.ip)]; d > 0 || d == 0 && x.since.Before(out.since) {
			out = x
		}
	}
	if out == nil || r.by[addrNet(out.ip)] <= r.by[a] && r.by[a] < r.limits.perAddr && r.taken >= r.limits.places {
		return false // it has no more than the one that comes
	}
	p.release(out)
	p.silent.add(now)
	go func() { _ = out.conn.Close() }()
	return true
}

// release gives a place back, once.
func (p *places) release(x *place) bool {
	if x.left {
		return false
	}
	x.left = true
	x.room.leave(x.ip, x.stuck())
	delete(p.all, x)
	if p.open[x.at] == x {
		delete(p.open, x.at)
	}
	return true
}

// spoke notes that the peer at an address has proved who it is, whoever it is.
func (p *places) spoke(at ma.Multiaddr) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if x := p.open[at.String()]; x != nil {
		x.spoke = true
	}
}

// VerifySourceAddress has QUIC make sure that a packet's sender is where it
// claims to be, so that nobody takes places in the name of others.
func (p *places) VerifySourceAddress(a net.Addr) bool {
	p.mu.Lock()
	busy := p.anybody.taken >= p.limits.anybody.perAddr/2
	p.mu.Unlock()
	return busy || p.ResourceManager.VerifySourceAddress(a)
}

// Handshakes is what happens at the door of a host: connections that have not
// proved who is behind them.
type Handshakes struct {
	Open, Places int
	// Silent ones ended without having said who they are, Refused ones found no
	// place: since the host was started, and in the last minute or two.
	Silent, Refused             uint64
	SilentLately, RefusedLately uint64
}

// Problem says what a human should look at, or nothing.
func (h Handshakes) Problem() string {
	if h.Open < h.Places/16 && h.SilentLately+h.RefusedLately < uint64(h.Places/16) {
		return ""
	}
	return fmt.Sprintf("%d connections that say nothing are open, %d ended and %d found no place in the last two minutes: somebody may be trying to keep cosigners out",
		h.Open, h.SilentLately, h.RefusedLately)
}

func (p *places) handshakes() Handshakes {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	return Handshakes{
		Open: p.anybody.taken + p.lent.taken, Places: p.limits.all(),
		Silent: p.silent.all, SilentLately: p.silent.recent(now),
		Refused: p.turned.all, RefusedLately: p.turned.recent(now),
	}
}

// place is a connection whose peer is not known yet.
type place struct {
	network.ConnManagementScope
	of          *places
	room        *doorRoom
	ip          netip.Addr
	at          string
	since       time.Time
	conn        manet.Conn // nil where it cannot be ended
	left, spoke bool
}

// stuck says whether it cannot be ended.
func (x *place) stuck() bool { return x.conn == nil }

// SetPeer leaves the place: it is known who it is.
func (x *place) SetPeer(id peer.ID) error {
	if err := x.ConnManagementScope.SetPeer(id); err != nil {
		return err
	}
	x.of.mu.Lock()
	defer x.of.mu.Unlock()
	x.of.release(x)
	return nil
}

// Done ends the connection; it may be called again.
func (x *place) Done() {
	x.of.mu.Lock()
	if x.of.release(x) && !x.spoke {
		x.of.silent.add(time.Now())
	}
	x.of.mu.Unlock()
	x.ConnManagementScope.Done()
}

// ipOf is where a connection comes from: over a relay, that relay.
func ipOf(at ma.Multiaddr) netip.Addr {
	if at == nil {
		return netip.Addr{}
	}
	for _, c := range at {
		switch c.Protocol().Code {
		case ma.P_IP4, ma.P_IP6:
			ip, _ := netip.AddrFromSlice(c.RawValue())
			return ip.Unmap()
		case ma.P_IP6ZONE:
		default:
			return netip.Addr{}
		}
	}
	return netip.Addr{}
}

// lately counts what happened, in all and in the last minute or two.
type lately struct {
	all         uint64
	minute      int64
	now, before uint64
}

func (l *lately) add(t time.Time) {
	l.turn(t)
	l.all++
	l.now++
}

func (l *lately) recent(t time.Time) uint64 {
	l.turn(t)
	return l.now + l.before
}

func (l *lately) turn(t time.Time) {
	switch m := t.Unix() / 60; {
	case m == l.minute:
	case m == l.minute+1:
		l.minute, l.now, l.before = m, 0, l.now
	default:
		l.minute, l.now, l.before = m, 0, 0
	}
}
