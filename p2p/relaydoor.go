package p2p

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"sync"

	"github.com/libp2p/go-libp2p/core/control"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
	"golang.org/x/time/rate"
)

// ErrRelayGroups is returned for a list of who may use a relay that cannot be
// right.
var ErrRelayGroups = errors.New("bad list of who may use the relay")

// Bounds at a relay's door, of one named peer.
const (
	maxRelayed        = 1024 // peers that may be named
	relayAsksPerSec   = 8    // reservations and circuits asked for
	relayAsksPerBurst = 128  // a node that starts in a group of 20 asks for 19 circuits, over two transports
)

// relayDoor decides who may use a relay: the connection gate and the access
// list of circuits in one. A peer that is not named is refused as soon as it
// has proved who it is, before it may open a stream.
type relayDoor struct {
	log     *slog.Logger
	pending *pendingPeers
	meter   *relayMeter
	places  *places // nil in tests of the door alone

	mu     sync.RWMutex
	groups map[peer.ID]map[string]bool
	rates  map[peer.ID]*rate.Limiter
	from   map[peer.ID][]netip.Addr // where the named came from, the latest first
}

func newRelayDoor(log *slog.Logger, m *relayMeter) *relayDoor {
	return &relayDoor{log: log, pending: newPendingPeers(), meter: m, from: map[peer.ID][]netip.Addr{}}
}

// set replaces the list, and returns the peers that lost something by it.
func (d *relayDoor) set(groups RelayGroups) ([]peer.ID, error) {
	next := map[peer.ID]map[string]bool{}
	for name, ids := range groups {
		for _, text := range ids {
			p, err := peer.Decode(text)
			if err != nil {
				return nil, fmt.Errorf("%w: %.80q is not a peer ID", ErrRelayGroups, text)
			}
			if _, err := AuthorOf(p); err != nil {
				return nil, fmt.Errorf("%w: %.80q is not the peer ID of a node", ErrRelayGroups, text)
			}
			if next[p] == nil {
				next[p] = map[string]bool{}
			}
			next[p][name] = true
		}
	}
	if len(next) > maxRelayed {
		return nil, fmt.Errorf("%w: it names %d peers, more than %d", ErrRelayGroups, len(next), maxRelayed)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	var less []peer.ID
	for p, was := range d.groups {
		for g := range was {
			if !next[p][g] {
				less = append(less, p)
				break
			}
		}
	}
	rates := map[peer.ID]*rate.Limiter{}
	for p := range next {
		if rates[p] = d.rates[p]; rates[p] == nil {
			rates[p] = rate.NewLimiter(relayAsksPerSec, relayAsksPerBurst)
		}
		if a, err := AuthorOf(p); err == nil {
			d.pending.remove(a)
		}
	}
	for p := range d.from {
		if next[p] == nil {
			delete(d.from, p)
		}
	}
	d.groups, d.rates = next, rates
	return less, nil
}

// named returns everybody who may use the relay.
func (d *relayDoor) named() []peer.ID {
	d.mu.RLock()
	defer d.mu.RUnlock()
	var out []peer.ID
	for p := range d.groups {
		out = append(out, p)
	}
	return out
}

func (d *relayDoor) allowed(p peer.ID) bool {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.groups[p] != nil
}

// together says whether a group holds both.
func (d *relayDoor) together(a, b peer.ID) bool {
	d.mu.RLock()
	defer d.mu.RUnlock()
	for g := range d.groups[a] {
		if d.groups[b][g] {
			return true
		}
	}
	return false
}

// asks says whether a peer may ask for one more thing now.
func (d *relayDoor) asks(p peer.ID) bool {
	d.mu.RLock()
	defer d.mu.RUnlock()
	r := d.rates[p]
	return r != nil && r.Allow()
}

// came remembers from where one who is named connected.
func (d *relayDoor) came(p peer.ID, ip netip.Addr) {
	d.mu.Lock()
	defer d.mu.Unlock()
	was := d.from[p]
	if d.groups[p] == nil || !ip.IsValid() || len(was) > 0 && was[0] == ip {
		return
	}
	was = slices.DeleteFunc(was, func(x netip.Addr) bool { return x == ip })
	d.from[p] = slices.Concat([]netip.Addr{ip}, was[:min(len(was), maxFrom-1)])
}

// known says whether one who is named came from an IP address lately.
func (d *relayDoor) known(ip netip.Addr) bool {
	at := addrNet(ip)
	d.mu.RLock()
	defer d.mu.RUnlock()
	for _, from := range d.from {
		if at.IsValid() && slices.ContainsFunc(from, func(x netip.Addr) bool { return addrNet(x) == at }) {
			return true
		}
	}
	return false
}

// AllowReserve lets the named be reached here.
func (d *relayDoor) AllowReserve(p peer.ID, _ ma.Multiaddr) bool { return d.allowed(p) && d.asks(p) }

// AllowConnect joins two that share a group.
func (d *relayDoor) AllowConnect(from peer.ID, _ ma.Multiaddr, to peer.ID) bool {
	return from != to && d.together(from, to) && d.asks(from)
}

// InterceptPeerDial allows nothing: a relay dials nobody.
func (d *relayDoor) InterceptPeerDial(peer.ID) bool { return false }

// InterceptAddrDial allows nothing either.
func (d *relayDoor) InterceptAddrDial(peer.ID, ma.Multiaddr) bool { return false }

// InterceptAccept allows every address: the resource manager has counted it, and
// who is behind it is checked next.
func (d *relayDoor) InterceptAccept(c network.ConnMultiaddrs) bool {
	if d.places != nil {
		d.places.accepted(c)
	}
	return true
}

// InterceptSecured lets in who is named.
func (d *relayDoor) InterceptSecured(_ network.Direction, p peer.ID, at network.ConnMultiaddrs) bool {
	if d.places != nil {
		d.places.spoke(at.RemoteMultiaddr())
	}
	if d.allowed(p) {
		d.came(p, ipOf(at.RemoteMultiaddr()))
		return true
	}
	d.meter.strangers.Add(1)
	if a, err := AuthorOf(p); err == nil && d.pending.add(a, p, at.RemoteMultiaddr().String()) {
		d.log.Info("refused a peer that is not on the list", "peer", p)
	}
	return false
}

// InterceptUpgraded allows what InterceptSecured allowed.
func (d *relayDoor) InterceptUpgraded(network.Conn) (bool, control.DisconnectReason) { return true, 0 }
