package p2p

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
)

// Times and bounds of the sync protocol.
const (
	syncEvery    = 60 * time.Second // plus or minus a quarter
	frameTimeout = 30 * time.Second // one frame, to send or to wait for
	idleTimeout  = 60 * time.Second // between two requests of one session
	sessionLimit = 5 * time.Minute
	failurePause = 250 * time.Millisecond // before a session that is due again after a failed one
	maxSessions  = 32                     // pulls by this node at once
	maxPeerPulls = 4                      // of these, from one peer
	maxServed    = 8                      // sessions of one peer served at once
	servedPerSec = 50                     // new sessions of one peer a second
	servedBurst  = 100
	liarPause    = time.Minute // after a false claim, doubling
	liarPauseMax = time.Hour
)

type jobKey struct {
	group journal.GroupID
	peer  journal.Author
}

// job is one pull from one peer, running or about to.
type job struct{ again bool }

// liar is when a peer may be asked again after claims that it did not keep.
type liar struct {
	times int
	until time.Time
}

// syncer pulls what this node lacks and serves what it holds. It runs over
// libp2p and over the in-memory network alike.
type syncer struct {
	ctx   context.Context
	reg   *registry
	net   Links
	tally *tally
	log   *slog.Logger
	codec *codec
	tap   func(kind string, frame []byte)
	rates *rates

	wg    sync.WaitGroup
	slots chan struct{}

	mu      sync.Mutex
	jobs    map[jobKey]*job
	turns   map[journal.Author]chan struct{}
	slow    map[jobKey]bool // the last session ended early
	served  map[journal.Author]int
	opened  map[journal.Author]*rate.Limiter // sync streams of a peer
	liars   map[jobKey]*liar
	pending map[journal.GroupID]*announcement
	resumes map[journal.GroupID]*time.Timer // when deferred chains are asked for again
	claims  map[jobKey]*frame               // being sent, and what to send after that or nil
}

func newSyncer(ctx context.Context, reg *registry, net Links, t *tally, log *slog.Logger, c *codec, tap func(string, []byte)) *syncer {
	return &syncer{
		ctx: ctx, reg: reg, net: net, tally: t, log: log, codec: c, tap: tap,
		slots:   make(chan struct{}, maxSessions),
		jobs:    map[jobKey]*job{},
		turns:   map[journal.Author]chan struct{}{},
		slow:    map[jobKey]bool{},
		served:  map[journal.Author]int{},
		opened:  map[journal.Author]*rate.Limiter{},
		rates:   newRates(reg),
		liars:   map[jobKey]*liar{},
		pending: map[journal.GroupID]*announcement{},
		resumes: map[journal.GroupID]*time.Timer{},
		claims:  map[jobKey]*frame{},
	}
}

// run syncs every group with every connected member from time to time.
func (s *syncer) run() {
	for {
		t := time.NewTimer(jitter(syncEvery))
		select {
		case <-s.ctx.Done():
			t.Stop()
			return
		case <-t.C:
		}
		for _, p := range s.net.Connected() {
			s.syncPeer(p)
		}
	}
}

func jitter(d time.Duration) time.Duration {
	return d*3/4 + rand.N(d/2)
}

// syncPeer syncs every shared group with one member.
func (s *syncer) syncPeer(p journal.Author) {
	for _, g := range s.reg.shared(p) {
		s.request(g.id, p)
	}
}

// syncGroup syncs one group with every connected member.
func (s *syncer) syncGroup(id journal.GroupID) {
	for _, p := range s.net.Connected() {
		s.request(id, p)
	}
}

// request makes sure that a session with a peer starts after this call.
func (s *syncer) request(id journal.GroupID, p journal.Author) {
	if s.reg.authorized(id, p) == nil {
		return
	}
	key := jobKey{id, p}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx.Err() != nil {
		return
	}
	if j := s.jobs[key]; j != nil {
		j.again = true
		return
	}
	s.jobs[key] = &job{}
	s.wg.Go(func() { s.work(key) })
}

func (s *syncer) work(key jobKey) {
	for {
		err := s.pullOnce(key)
		if err != nil {
			s.log.Debug("sync ended early", "group", key.group, "peer", key.peer, "error", err)
		}
		s.mu.Lock()
		j := s.jobs[key]
		if !j.again || s.ctx.Err() != nil {
			delete(s.jobs, key)
			s.mu.Unlock()
			return
		}
		j.again = false
		s.mu.Unlock()
		if err != nil {
			s.rest()
		}
	}
}

// rest keeps a session that fails again and again from being a tight loop.
func (s *syncer) rest() {
	t := time.NewTimer(failurePause)
	defer t.Stop()
	select {
	case <-t.C:
	case <-s.ctx.Done():
	}
}

func (s *syncer) pullOnce(key jobKey) error {
	// A peer's own limit first: who is slow makes nobody wait but itself.
	for _, slots := range []chan struct{}{s.turn(key.peer), s.slots} {
		select {
		case slots <- struct{}{}:
			defer func() { <-slots }()
		case <-s.ctx.Done():
			return s.ctx.Err()
		}
	}
	g := s.reg.authorized(key.group, key.peer)
	if g == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(s.ctx, sessionLimit)
	defer cancel()
	err := s.session(ctx, g, key.peer)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.slow[key] = true
	} else {
		delete(s.slow, key)
	}
	return err
}

// turn limits the pulls from one peer at once.
func (s *syncer) turn(p journal.Author) chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.turns[p]
	if t == nil {
		t = make(chan struct{}, maxPeerPulls)
		s.turns[p] = t
	}
	return t
}

// trusted says whether a session with a peer may keep others from pulling the
// same chains meanwhile: not if the one before ended early.
func (s *syncer) trusted(key jobKey) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.slow[key]
}

// caution says whether claims of a peer are not worth a session now, because
// it did not keep earlier ones.
func (s *syncer) caution(key jobKey) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.liars[key]
	return l != nil && time.Now().Before(l.until)
}

func (s *syncer) lied(key jobKey) {
	s.tally.count(key.peer, port.RejectFalseClaim)
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.liars[key]
	if l == nil {
		l = &liar{}
		s.liars[key] = l
	}
	l.until = time.Now().Add(min(liarPause<<min(l.times, 10), liarPauseMax))
	l.times++
}

// forget drops what is kept of peers that are in no group any more.
func (s *syncer) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rates.forget()
	for p := range s.opened {
		if !s.reg.member(p) {
			delete(s.opened, p)
		}
	}
	for p := range s.turns {
		if !s.reg.member(p) {
			delete(s.turns, p)
		}
	}
	for k := range s.slow {
		if s.reg.authorized(k.group, k.peer) == nil {
			delete(s.slow, k)
		}
	}
	for k := range s.liars {
		if s.reg.authorized(k.group, k.peer) == nil {
			delete(s.liars, k)
		}
	}
}

// close waits for everything that runs. The context must have ended.
func (s *syncer) close() {
	s.mu.Lock()
	for id, a := range s.pending {
		a.timer.Stop()
		delete(s.pending, id)
	}
	for id, t := range s.resumes {
		t.Stop()
		delete(s.resumes, id)
	}
	s.mu.Unlock()
	s.wg.Wait()
}

func (s *syncer) write(st Stream, f *frame) error {
	body, err := s.codec.enc.Marshal(f)
	if err != nil {
		return fmt.Errorf("encode frame: %w", err)
	}
	b := appendFrame(body)
	if s.tap != nil {
		s.tap("sync", b)
	}
	if err := st.SetDeadline(time.Now().Add(frameTimeout)); err != nil {
		return err
	}
	_, err = st.Write(b)
	return err
}

func (s *syncer) read(st Stream, limit int, timeout time.Duration) (*frame, error) {
	if err := st.SetDeadline(time.Now().Add(timeout)); err != nil {
		return nil, err
	}
	b, err := readFrame(st, limit)
	if err != nil {
		return nil, err
	}
	if s.tap != nil {
		s.tap("sync", appendFrame(b))
	}
	return s.codec.parse(b)
}

// refuse counts and resets when a peer sent what it must not.
func (s *syncer) refuse(st Stream, p journal.Author, err error) {
	s.tally.count(p, err)
	_ = st.Reset()
}

// insist syncs with one member, or all that are connected, whatever they did
// before.
func (s *syncer) insist(id journal.GroupID, p *journal.Author) {
	for _, c := range s.net.Connected() {
		if p != nil && *p != c {
			continue
		}
		s.mu.Lock()
		if l := s.liars[jobKey{id, c}]; l != nil {
			l.until = time.Time{}
		}
		s.mu.Unlock()
		s.request(id, c)
	}
}
