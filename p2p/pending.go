package p2p

import (
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"golang.org/x/time/rate"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
)

// Bounds on what is remembered of refused peers.
const (
	maxPending    = 64
	pendingPerSec = 1
	pendingBurst  = 32
)

// pendingPeers are the last strangers that proved an identity and were refused,
// for a human to look at.
type pendingPeers struct {
	rate *rate.Limiter
	mu   sync.Mutex
	m    map[journal.Author]port.PeerStatus
}

func newPendingPeers() *pendingPeers {
	return &pendingPeers{
		rate: rate.NewLimiter(pendingPerSec, pendingBurst),
		m:    map[journal.Author]port.PeerStatus{},
	}
}

// add records a peer and says whether it is new.
func (q *pendingPeers) add(a journal.Author, p peer.ID, addr string) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	old, known := q.m[a]
	if !known && !q.rate.Allow() {
		return false
	}
	old.Peer, old.PeerID, old.Pending, old.LastSeen = a, p.String(), true, time.Now()
	old.Addresses = []string{addr}
	q.m[a] = old
	for len(q.m) > maxPending {
		q.evict()
	}
	return !known
}

// evict drops the one seen longest ago.
func (q *pendingPeers) evict() {
	var oldest journal.Author
	var at time.Time
	for a, s := range q.m {
		if at.IsZero() || s.LastSeen.Before(at) {
			oldest, at = a, s.LastSeen
		}
	}
	delete(q.m, oldest)
}

func (q *pendingPeers) remove(a journal.Author) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.m, a)
}

func (q *pendingPeers) list() []port.PeerStatus {
	q.mu.Lock()
	defer q.mu.Unlock()
	out := make([]port.PeerStatus, 0, len(q.m))
	for _, s := range q.m {
		out = append(out, s)
	}
	return out
}
