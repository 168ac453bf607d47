package p2p

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/net/swarm"

	"github.com/quorate/quorate/journal"
)

// Times of dialing.
const (
	dialTimeout = 15 * time.Second
	backoffMin  = 2 * time.Second
	backoffMax  = 10 * time.Minute
	yieldFor    = 2 * time.Second // the greater peer ID lets the smaller dial first
	shortLived  = 5 * time.Second // a connection that ends sooner counts as a failure
	maxDials    = 8               // at once
)

// redialer keeps dialing members that are not connected.
type redialer struct {
	host host.Host
	self peer.ID
	reg  *registry
	dir  *directory

	wg    sync.WaitGroup
	slots chan struct{}
	wake  chan struct{}

	mu sync.Mutex
	m  map[journal.Author]*dialing
}

// dialing is the state of reaching one member.
type dialing struct {
	id        peer.ID
	first     time.Time // of the first attempt
	next      time.Time
	fails     int
	active    bool
	hurry     bool      // dial at once when the connection ends
	connected time.Time // zero while not connected
	seen      time.Time
}

func newRedialer(h host.Host, reg *registry, dir *directory) *redialer {
	return &redialer{
		host: h, self: h.ID(), reg: reg, dir: dir,
		slots: make(chan struct{}, maxDials),
		wake:  make(chan struct{}, 1),
		m:     map[journal.Author]*dialing{},
	}
}

// run dials until the context ends.
func (r *redialer) run(ctx context.Context) {
	defer r.wg.Wait()
	t := time.NewTimer(time.Hour)
	defer t.Stop()
	for {
		t.Reset(r.dialDue(ctx))
		select {
		case <-ctx.Done():
			return
		case <-r.wake:
		case <-t.C:
		}
	}
}

// dialDue starts what is due and returns how long until the next one is.
func (r *redialer) dialDue(ctx context.Context) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	wait := time.Hour
	now := time.Now()
	for a, d := range r.m {
		if d.active || !d.connected.IsZero() {
			continue
		}
		if left := d.next.Sub(now); left > 0 {
			wait = min(wait, left)
			continue
		}
		d.active = true
		r.wg.Go(func() { r.dial(ctx, a, d) })
	}
	return wait
}

func (r *redialer) dial(ctx context.Context, a journal.Author, d *dialing) {
	err := r.connect(ctx, a, d.id)
	r.mu.Lock()
	defer r.mu.Unlock()
	d.active = false
	if err != nil || d.connected.IsZero() {
		d.fails++
		d.next = time.Now().Add(backoff(d.fails))
	}
	r.poke()
}

func (r *redialer) connect(ctx context.Context, a journal.Author, id peer.ID) error {
	select {
	case r.slots <- struct{}{}:
		defer func() { <-r.slots }()
	case <-ctx.Done():
		return ctx.Err()
	}
	return dialPeer(ctx, r.host, peer.AddrInfo{ID: id, Addrs: r.dir.of(a)})
}

// dialPeer connects to a peer, over a relay if need be. It overrides the
// swarm's own backoff: ours decides.
func dialPeer(ctx context.Context, h host.Host, to peer.AddrInfo) error {
	if s, ok := h.Network().(interface{ Backoff() *swarm.DialBackoff }); ok {
		s.Backoff().Clear(to.ID)
	}
	ctx, cancel := context.WithTimeout(network.WithAllowLimitedConn(ctx, userAgent), dialTimeout)
	defer cancel()
	return h.Connect(ctx, to)
}

// backoff is 2 s, doubling to 10 min, plus or minus a quarter.
func backoff(fails int) time.Duration {
	d := backoffMax
	if fails < 10 {
		d = min(backoffMin<<max(fails-1, 0), backoffMax)
	}
	return d*3/4 + rand.N(d/2)
}

func (r *redialer) poke() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// follow makes the members of all groups those that are dialed.
func (r *redialer) follow() {
	r.mu.Lock()
	defer r.mu.Unlock()
	want := map[journal.Author]bool{}
	now := time.Now()
	for _, a := range r.reg.members() {
		want[a] = true
		if r.m[a] != nil {
			continue
		}
		id, err := PeerID(a)
		if err != nil {
			continue // refused by Attach
		}
		d := &dialing{id: id, first: now}
		if r.self > id {
			d.first = now.Add(jitter(yieldFor))
		}
		d.next = d.first
		if c := r.host.Network().Connectedness(id); c == network.Connected || c == network.Limited {
			d.connected, d.seen = now, now
		}
		r.m[a] = d
	}
	for a := range r.m {
		if !want[a] {
			delete(r.m, a)
		}
	}
	r.poke()
}

// soon dials a member now, because an address of it was learned or a
// connection has to be made anew.
func (r *redialer) soon(a journal.Author) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if d := r.m[a]; d != nil {
		d.next, d.fails = time.Now(), 0
		d.hurry = !d.connected.IsZero()
		r.poke()
	}
}

func (r *redialer) connected(a journal.Author) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if d := r.m[a]; d != nil && d.connected.IsZero() {
		d.connected = time.Now()
		d.seen = d.connected
	}
}

func (r *redialer) disconnected(a journal.Author) {
	r.mu.Lock()
	defer r.mu.Unlock()
	d := r.m[a]
	if d == nil || d.connected.IsZero() {
		return
	}
	now := time.Now()
	if now.Sub(d.connected) < shortLived {
		d.fails++
	} else {
		d.fails = 0
	}
	d.connected, d.seen = time.Time{}, now
	d.next = now.Add(backoff(d.fails) / 2)
	if d.hurry {
		d.hurry, d.fails, d.next = false, 0, now
	}
	r.poke()
}

// seen returns when a member was last connected, where it is not now.
func (r *redialer) seen(a journal.Author) time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	if d := r.m[a]; d != nil {
		return d.seen
	}
	return time.Time{}
}
