package p2p

import (
	"log/slog"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/control"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
	"golang.org/x/time/rate"

	"github.com/quorate/quorate/coordinator"
)

// Bounds on strangers: peers that are in no group.
const (
	maxStrangers    = 8                // let in at once, while an invite is open
	strangerTime    = 30 * time.Second // how long one may stay
	strangersPerSec = 2
	strangersBurst  = 16
)

// gate decides who may connect. It denies by default: members and configured
// relays only. While an invite is open, or while this node presents one, a
// stranger gets a connection on which every protocol but join refuses it.
type gate struct {
	reg     *registry
	relays  map[peer.ID]bool
	doorman coordinator.Doorman
	pending *pendingPeers
	log     *slog.Logger
	rate    *rate.Limiter

	mu        sync.Mutex
	founders  map[peer.ID]*approached // this node is joining there
	strangers map[peer.ID]*stranger
}

// approached is a founder that this node presents an invite to.
type approached struct {
	joins  int
	proved bool // it answered, and is who it should be
}

// stranger is a peer let in for the join protocol.
type stranger struct {
	timer   *time.Timer
	conns   []network.Conn
	joining int // join streams being served
}

func newGate(reg *registry, relays []peer.AddrInfo, d coordinator.Doorman, log *slog.Logger) *gate {
	g := &gate{
		reg: reg, relays: map[peer.ID]bool{}, doorman: d, log: log,
		pending:   newPendingPeers(),
		rate:      rate.NewLimiter(strangersPerSec, strangersBurst),
		founders:  map[peer.ID]*approached{},
		strangers: map[peer.ID]*stranger{},
	}
	for _, r := range relays {
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

// InterceptAddrDial allows every address: who is behind it is checked.
func (g *gate) InterceptAddrDial(peer.ID, ma.Multiaddr) bool { return true }

// InterceptAccept allows every address: who is behind it is checked next.
func (g *gate) InterceptAccept(network.ConnMultiaddrs) bool { return true }

// InterceptUpgraded allows what InterceptSecured allowed.
func (g *gate) InterceptUpgraded(network.Conn) (bool, control.DisconnectReason) { return true, 0 }

// InterceptSecured decides, once the peer has proved its identity.
func (g *gate) InterceptSecured(dir network.Direction, p peer.ID, at network.ConnMultiaddrs) bool {
	if g.expected(p) {
		g.prove(dir, p)
		return true
	}
	if dir == network.DirInbound && g.admit(p) {
		return true
	}
	if a, err := AuthorOf(p); err == nil && g.pending.add(a, p, at.RemoteMultiaddr().String()) {
		g.log.Info("refused a peer that is in no group", "peer", p)
	}
	return false
}

// admit lets a stranger in for the join protocol, if an invite is open and
// there is room.
func (g *gate) admit(p peer.ID) bool {
	if g.doorman == nil || !g.doorman.Open() {
		return false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.strangers[p] != nil {
		return true
	}
	if len(g.strangers) >= maxStrangers || !g.rate.Allow() {
		return false
	}
	s := &stranger{}
	s.timer = time.AfterFunc(strangerTime, func() { g.remove(p, s) })
	g.strangers[p] = s
	return true
}

// connected notes a connection of a stranger, to be closed with it.
func (g *gate) connected(c network.Conn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if s := g.strangers[c.RemotePeer()]; s != nil && len(s.conns) < maxStrangers {
		s.conns = append(s.conns, c)
	}
}

// disconnected forgets a stranger whose last connection is gone.
func (g *gate) disconnected(p peer.ID) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if s := g.strangers[p]; s != nil {
		s.timer.Stop()
		delete(g.strangers, p)
	}
}

// joinBegins and joinEnds enclose a join stream; a stranger that came for it is
// disconnected at its end, whatever it has become.
func (g *gate) joinBegins(p peer.ID) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if s := g.strangers[p]; s != nil {
		s.joining++
	}
}

func (g *gate) joinEnds(p peer.ID) {
	g.mu.Lock()
	s := g.strangers[p]
	if s != nil {
		s.joining--
	}
	g.mu.Unlock()
	if s != nil {
		g.remove(p, s)
	}
}

// welcome ends the stranger's connection of a peer that has become a member: it
// comes again as one.
func (g *gate) welcome(p peer.ID) {
	if a, err := AuthorOf(p); err == nil {
		g.pending.remove(a)
	}
	g.mu.Lock()
	s := g.strangers[p]
	busy := s != nil && s.joining > 0
	g.mu.Unlock()
	if s != nil && !busy {
		g.remove(p, s)
	}
}

func (g *gate) remove(p peer.ID, s *stranger) {
	g.mu.Lock()
	if g.strangers[p] == s {
		delete(g.strangers, p)
	}
	s.timer.Stop()
	conns := s.conns
	s.conns = nil
	g.mu.Unlock()
	for _, c := range conns {
		_ = c.Close()
	}
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

func (g *gate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for p, s := range g.strangers {
		s.timer.Stop()
		delete(g.strangers, p)
	}
}
