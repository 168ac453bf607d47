package p2p

import (
	"context"
	"sync"
	"time"

	pb "github.com/libp2p/go-libp2p-pubsub/pb"
	"golang.org/x/time/rate"

	"github.com/quorate/quorate/journal"
)

// Rates at the doors of gossip and sync. What is over them is not lost: sync
// brings an entry that gossip dropped, and who asks for much is served slowly.
const (
	gossipPerSec   = 128 // entries of one author by one peer
	gossipBurst    = 1024
	gossipBytesSec = 2 << 20
	gossipBytes    = 8 << 20
	servedBytesSec = 8 << 20 // bytes served to one peer
	servedBytes    = 64 << 20
	servedLeast    = 4 << 10 // what the smallest request counts as
)

// way is how entries come: by whom, and in whose name. Who passes a flood on
// does not lose its own entries to it, and who writes in another's name uses up
// nobody's rate but its own.
type way struct{ peer, author journal.Author }

type gossipRate struct{ entries, bytes *rate.Limiter }

// rates are what members may still do now. They hold members only.
type rates struct {
	reg    *registry
	mu     sync.Mutex
	gossip map[way]gossipRate
	served map[journal.Author]*rate.Limiter
}

func newRates(reg *registry) *rates {
	return &rates{reg: reg, gossip: map[way]gossipRate{}, served: map[journal.Author]*rate.Limiter{}}
}

// authorAt is where an entry names its author: after version, suite, group and
// epoch.
const authorAt = 2 + 32 + 32

// keep returns those of a peer's messages that are within its rates.
func (r *rates) keep(p journal.Author, ms []*pb.Message) []*pb.Message {
	kept := ms[:0]
	for _, m := range ms {
		if r.allow(p, m.GetData()) {
			kept = append(kept, m)
		}
	}
	return kept
}

func (r *rates) allow(p journal.Author, raw []byte) bool {
	w := way{peer: p}
	if len(raw) >= authorAt+len(w.author) {
		// An author that is nobody shares one rate with all such.
		if a := journal.Author(raw[authorAt : authorAt+len(w.author)]); a == r.reg.self || r.reg.member(a) {
			w.author = a
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	g, ok := r.gossip[w]
	if !ok {
		g = gossipRate{rate.NewLimiter(gossipPerSec, gossipBurst), rate.NewLimiter(gossipBytesSec, gossipBytes)}
		r.gossip[w] = g
	}
	return g.entries.Allow() && g.bytes.AllowN(time.Now(), min(len(raw), gossipBytes))
}

// pace waits until a peer may be served so many bytes more.
func (r *rates) pace(ctx context.Context, p journal.Author, bytes int) error {
	r.mu.Lock()
	l := r.served[p]
	if l == nil {
		l = rate.NewLimiter(servedBytesSec, servedBytes)
		r.served[p] = l
	}
	r.mu.Unlock()
	return l.WaitN(ctx, min(max(bytes, servedLeast), servedBytes))
}

// forget drops what is kept of peers that are in no group any more.
func (r *rates) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	gone := func(a journal.Author) bool { return a != journal.Author{} && a != r.reg.self && !r.reg.member(a) }
	for w := range r.gossip {
		if gone(w.peer) || gone(w.author) {
			delete(r.gossip, w)
		}
	}
	for p := range r.served {
		if gone(p) {
			delete(r.served, p)
		}
	}
}
