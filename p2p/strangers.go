package p2p

import (
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"golang.org/x/time/rate"
)

// Bounds on strangers: peers that are in no group, and are let in while an
// invite is open. The time that one holds a place is upgradeTime until it is
// connected, proofTime until its proof is there, and answerTime after one that is
// refused.
const (
	upgradeTime  = 3 * time.Second
	proofTime    = 3 * time.Second
	answerTime   = 2 * time.Second
	strangerTime = 30 * time.Second // how long one with a good proof may stay

	strangersPerSec  = 16 // of all addresses
	strangersBurst   = 64
	strangerPerSec   = 1 // of one address
	strangerBurst    = 8
	maxStrangerConns = 2 // of one, as long as it is in: QUIC and TCP
)

func strangerLimits() roomLimits { return roomLimits{places: 40, perAddr: 4, perNetwork: 8} }

// stranger is a peer let in for the join protocol.
type stranger struct {
	ip      netip.Addr
	timer   *time.Timer
	conns   []network.Conn
	came    int  // connections that were let in
	made    int  // of them, those that were noted
	joining bool // its one join stream is being served
}

// strangers are those who are in, and how fast others may come.
type strangers struct {
	m    map[peer.ID]*stranger
	room *room
	all  *rate.Limiter
	by   *limiters[netip.Prefix]
}

func newStrangers() *strangers {
	return &strangers{
		m: map[peer.ID]*stranger{}, room: newRoom(strangerLimits()),
		all: rate.NewLimiter(strangersPerSec, strangersBurst),
		by:  newLimiters[netip.Prefix](strangerPerSec, strangerBurst),
	}
}

// admit lets a connection of a stranger in for the join protocol, if an invite is
// open and there is room for one more of its address. One that is in already gets
// few more, even if those before have ended: only the first is held to the rates.
func (g *gate) admit(p peer.ID, ip netip.Addr) bool {
	if g.doorman == nil || !g.doorman.Open() {
		return false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	all := g.strangers
	if s := all.m[p]; s != nil {
		if s.came >= maxStrangerConns {
			return false
		}
		s.came++
		return true
	}
	// An address that is over its own limits does not use up the rate of all.
	if !all.by.allow(addrNet(ip)) || !all.room.enter(ip) {
		return false
	}
	if !all.all.Allow() {
		all.room.leave(ip)
		return false
	}
	s := &stranger{ip: ip, came: 1}
	s.timer = time.AfterFunc(upgradeTime, func() { g.remove(p, s) })
	all.m[p] = s
	return true
}

// connected notes a connection of a stranger, to be closed with it, and closes
// one that nobody will close: of a peer that is no longer let in, or one too many.
func (g *gate) connected(c network.Conn) {
	p := c.RemotePeer()
	expected := g.expected(p)
	if g.note(c) || expected {
		return
	}
	// Not here: a host that is told of a connection must not wait for its end.
	go func() { _ = c.Close() }()
}

func (g *gate) note(c network.Conn) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := g.strangers.m[c.RemotePeer()]
	if s == nil || len(s.conns) >= maxStrangerConns {
		return false
	}
	if s.made == 0 && s.timer.Stop() {
		s.timer.Reset(proofTime)
	}
	s.made++
	s.conns = append(s.conns, c)
	return true
}

// disconnected forgets a connection of a stranger, and the stranger with the last
// one, unless another is about to be made: that, or the timer, comes then.
func (g *gate) disconnected(c network.Conn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	p := c.RemotePeer()
	s := g.strangers.m[p]
	if s == nil {
		return
	}
	i := slices.Index(s.conns, c)
	if i < 0 {
		return
	}
	s.conns = slices.Delete(s.conns, i, i+1)
	if len(s.conns) == 0 && s.made >= s.came {
		s.timer.Stop()
		g.strangers.drop(p, s)
	}
}

func (all *strangers) drop(p peer.ID, s *stranger) {
	delete(all.m, p)
	all.room.leave(s.ip)
}

// joinBegins and joinEnds enclose a join stream; a stranger that came for it is
// disconnected at its end, whatever it has become. It has one such stream, and one
// that was sent away has none; a peer that may be connected anyway may join too.
func (g *gate) joinBegins(p peer.ID) bool {
	expected := g.expected(p)
	g.mu.Lock()
	defer g.mu.Unlock()
	s := g.strangers.m[p]
	if s == nil {
		return expected
	}
	if s.joining {
		return false
	}
	s.joining = true
	return true
}

func (g *gate) joinEnds(p peer.ID) {
	g.mu.Lock()
	s := g.strangers.m[p]
	g.mu.Unlock()
	if s != nil {
		g.remove(p, s)
	}
}

// stay gives a stranger that sent a proof so much more time.
func (g *gate) stay(p peer.ID, d time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if s := g.strangers.m[p]; s != nil && s.timer.Stop() {
		s.timer.Reset(d)
	}
}

// welcome ends the stranger's connection of a peer that has become a member: it
// comes again as one.
func (g *gate) welcome(p peer.ID) {
	if a, err := AuthorOf(p); err == nil {
		g.pending.remove(a)
	}
	g.mu.Lock()
	s := g.strangers.m[p]
	busy := s != nil && s.joining
	g.mu.Unlock()
	if s != nil && !busy {
		g.remove(p, s)
	}
}

func (g *gate) remove(p peer.ID, s *stranger) {
	g.mu.Lock()
	if g.strangers.m[p] == s {
		g.strangers.drop(p, s)
	}
	s.timer.Stop()
	conns := s.conns
	s.conns = nil
	g.mu.Unlock()
	for _, c := range conns {
		_ = c.Close()
	}
}

func (g *gate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for p, s := range g.strangers.m {
		s.timer.Stop()
		g.strangers.drop(p, s)
	}
}

// maxLimiters bounds how many of a kind have a rate of their own.
const maxLimiters = 4096

// limiters are rates of many, of whom those who did nothing lately are
// forgotten.
type limiters[K comparable] struct {
	perSec rate.Limit
	burst  int
	mu     sync.Mutex
	m      map[K]*rate.Limiter
}

func newLimiters[K comparable](perSec rate.Limit, burst int) *limiters[K] {
	return &limiters[K]{perSec: perSec, burst: burst, m: map[K]*rate.Limiter{}}
}

func (l *limiters[K]) allow(k K) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.m[k]
	if r == nil {
		if len(l.m) >= maxLimiters {
			for k, r := range l.m {
				if r.Tokens() >= float64(l.burst) {
					delete(l.m, k)
				}
			}
			if len(l.m) >= maxLimiters {
				return false
			}
		}
		r = rate.NewLimiter(l.perSec, l.burst)
		l.m[k] = r
	}
	return r.Allow()
}
