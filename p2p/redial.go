package p2p

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/net/swarm"
	ma "github.com/multiformats/go-multiaddr"

	"github.com/quorate/quorate/journal"
)

// Times of dialing.
const (
	dialTimeout = 15 * time.Second
	backoffMin  = 2 * time.Second
	backoffMax  = 10 * time.Minute
	backoffMet  = 40 * time.Second // the most for a member that was connected within metFor
	metFor      = 24 * time.Hour
	yieldFor    = 2 * time.Second // the greater peer ID lets the smaller dial first
	shortLived  = 5 * time.Second // a connection that ends sooner counts as a failure
	maxDials    = 16              // at once

	// Addresses that members told are tried after those that are surer, and not
	// in their places.
	hearsayAfter   = 3 * time.Second
	hearsayTimeout = 10 * time.Second
	maxHearsay     = 8           // at once
	nudgeEvery     = time.Minute // a member is dialed sooner for what is told
)

var errNoAddress = errors.New("no such address is known")

// redialer keeps dialing members that are not connected.
type redialer struct {
	host  host.Host
	self  peer.ID
	reg   *registry
	rules *dialRules

	wg      sync.WaitGroup
	slots   chan struct{}
	hearsay chan struct{}
	wake    chan struct{}

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
	again     bool      // something was told while it was being dialed
	nudged    time.Time // dialed sooner for what was told
	connected time.Time // zero while not connected
	seen      time.Time
	met       time.Time // connected then, as far as this node remembers
}

func newRedialer(h host.Host, reg *registry, rules *dialRules) *redialer {
	return &redialer{
		host: h, self: h.ID(), reg: reg, rules: rules,
		slots:   make(chan struct{}, maxDials),
		hearsay: make(chan struct{}, maxHearsay),
		wake:    make(chan struct{}, 1),
		m:       map[journal.Author]*dialing{},
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
		d.next = time.Now().Add(d.backoff())
		if d.again {
			d.next = time.Now()
		}
	}
	d.again = false
	r.poke()
}

// connect tries what is sure, and what is told a little later.
func (r *redialer) connect(ctx context.Context, a journal.Author, id peer.ID) error {
	dir := r.rules.dir
	sure := dir.sure(a)
	told := slices.DeleteFunc(dir.hearsay(a), func(x ma.Multiaddr) bool { return !r.rules.told(x) })
	told = append(told, slices.DeleteFunc(dir.shown(a), func(x ma.Multiaddr) bool { return !r.rules.near(x) })...)
	// What identify heard is in the host's own book, and would be dialed with the rest.
	r.host.Peerstore().ClearAddrs(id)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- r.try(ctx, r.slots, dialTimeout, peer.AddrInfo{ID: id, Addrs: sure}) }()
	if len(told) == 0 {
		return <-done
	}
	wait := time.NewTimer(hearsayAfter)
	defer wait.Stop()
	select {
	case err := <-done:
		if err == nil {
			return nil
		}
		return r.try(ctx, r.hearsay, hearsayTimeout, peer.AddrInfo{ID: id, Addrs: told})
	case <-wait.C:
	}
	err := r.try(ctx, r.hearsay, hearsayTimeout, peer.AddrInfo{ID: id, Addrs: told})
	if err == nil {
		cancel()
	}
	if first := <-done; err != nil {
		return first
	}
	return nil
}

// try dials addresses in a place of its kind.
func (r *redialer) try(ctx context.Context, slots chan struct{}, timeout time.Duration, to peer.AddrInfo) error {
	if len(to.Addrs) == 0 {
		return errNoAddress
	}
	select {
	case slots <- struct{}{}:
		defer func() { <-slots }()
	case <-ctx.Done():
		return ctx.Err()
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	return dialPeer(ctx, r.host, to)
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

// backoff is short for a member that was here lately: it may be kept out by
// others, and then every try counts.
func (d *dialing) backoff() time.Duration {
	b := backoff(d.fails)
	if !d.met.IsZero() && time.Since(d.met) < metFor {
		b = min(b, backoffMet)
	}
	return b
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
		if r.rules.dir.met(a) {
			d.met = now
		}
		if c := r.host.Network().Connectedness(id); c == network.Connected || c == network.Limited {
			d.connected, d.seen, d.met = now, now, now
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

// soon dials a member now, because this node's owner gave an address of it.
func (r *redialer) soon(a journal.Author) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if d := r.m[a]; d != nil {
		d.next, d.fails = time.Now(), 0
		d.again = d.active
		d.hurry = !d.connected.IsZero()
		r.poke()
	}
}

// anew dials a member at once when its connection ends, which is about to. One
// that is not connected waits as before.
func (r *redialer) anew(a journal.Author) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if d := r.m[a]; d != nil {
		d.hurry = !d.connected.IsZero()
	}
}

// nudge dials a member now, because an address of it was told: once a minute at
// most, and what failed before still counts.
func (r *redialer) nudge(a journal.Author) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	d := r.m[a]
	if d == nil || !d.connected.IsZero() || !d.nudged.IsZero() && now.Sub(d.nudged) < nudgeEvery {
		return
	}
	d.nudged = now
	if d.active {
		d.again = true
	} else if now.Before(d.next) {
		d.next = now
	}
	r.poke()
}

func (r *redialer) connected(a journal.Author) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if d := r.m[a]; d != nil && d.connected.IsZero() {
		d.connected = time.Now()
		d.seen, d.met = d.connected, d.connected
	}
}

// saw notes that there is a connection to a member, however short.
func (r *redialer) saw(a journal.Author) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if d := r.m[a]; d != nil {
		d.seen = time.Now()
		d.met = d.seen
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
	d.connected, d.seen, d.met = time.Time{}, now, now
	d.next = now.Add(d.backoff() / 2)
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
