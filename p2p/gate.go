package p2p

import (
	"log/slog"
	"sync"

	"github.com/libp2p/go-libp2p/core/control"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"

	"github.com/quorate/quorate/coordinator/port"
)

// gate decides who may connect. It denies by default: members and configured
// relays only. While an invite is open, or while this node presents one, a
// stranger gets a connection on which every protocol but join refuses it.
type gate struct {
	reg     *registry
	relays  map[peer.ID]bool
	rules   *dialRules
	door    *places // nil in tests of the gate alone
	doorman port.Doorman
	pending *pendingPeers
	log     *slog.Logger

	mu        sync.Mutex
	founders  map[peer.ID]*approached // this node is joining there
	strangers *strangers
}

// approached is a founder that this node presents an invite to.
type approached struct {
	joins  int
	proved bool // it answered, and is who it should be
}

func newGate(reg *registry, rules *dialRules, d port.Doorman, log *slog.Logger) *gate {
	g := &gate{
		reg: reg, relays: map[peer.ID]bool{}, rules: rules, doorman: d, log: log,
		pending:   newPendingPeers(),
		founders:  map[peer.ID]*approached{},
		strangers: newStrangers(),
	}
	for _, r := range rules.relays {
		g.relays[r.ID] = true
	}
	return g
}

// member says whether a peer is in any group.
func (g *gate) member(p peer.ID) bool {
	a, err := AuthorOf(p)
	return err == nil && g.reg.member(a)
}

func (g *gate) expected(p peer.ID) bool {
	if g.relays[p] || g.member(p) {
		return true
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.founders[p] != nil
}

// InterceptPeerDial allows dialing members, relays, and the founder being joined.
func (g *gate) InterceptPeerDial(p peer.ID) bool { return g.expected(p) }

// InterceptAddrDial keeps what others tell from leading anywhere: every address
// that is dialed comes by here, whoever told it, and names once they were looked
// up.
func (g *gate) InterceptAddrDial(p peer.ID, at ma.Multiaddr) bool { return g.rules.may(p, at) }

// InterceptAccept allows every address: who is behind it is checked next.
func (g *gate) InterceptAccept(c network.ConnMultiaddrs) bool {
	if g.door != nil {
		g.door.accepted(c)
	}
	return true
}

// InterceptUpgraded allows what InterceptSecured allowed.
func (g *gate) InterceptUpgraded(network.Conn) (bool, control.DisconnectReason) { return true, 0 }

// InterceptSecured decides, once the peer has proved its identity.
func (g *gate) InterceptSecured(dir network.Direction, p peer.ID, at network.ConnMultiaddrs) bool {
	if g.door != nil {
		g.door.spoke(at.RemoteMultiaddr())
	}
	if g.expected(p) {
		g.prove(dir, p)
		return true
	}
	if dir == network.DirInbound && g.admit(p, ipOf(at.RemoteMultiaddr())) {
		return true
	}
	if a, err := AuthorOf(p); err == nil && g.pending.add(a, p, at.RemoteMultiaddr().String()) {
		g.log.Info("refused a peer that is in no group", "peer", p)
	}
	return false
}

// prove notes that a founder was reached: when it ends the connection now, it
// does not want this node.
func (g *gate) prove(dir network.Direction, p peer.ID) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if f := g.founders[p]; f != nil && dir == network.DirOutbound {
		f.proved = true
	}
}

// approach lets this node dial a founder and be connected to it, until done is
// called. reached says whether the founder answered since.
func (g *gate) approach(p peer.ID) (reached func() bool, done func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	f := g.founders[p]
	if f == nil {
		f = &approached{}
		g.founders[p] = f
	}
	f.joins++
	reached = func() bool {
		g.mu.Lock()
		defer g.mu.Unlock()
		return f.proved
	}
	return reached, sync.OnceFunc(func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		if f.joins--; f.joins == 0 {
			delete(g.founders, p)
		}
	})
}
