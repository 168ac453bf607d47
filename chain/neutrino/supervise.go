package neutrino

import (
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/lightninglabs/neutrino/blockntfns"

	"github.com/quorate/quorate/wallet"
)

// fetchTime is how long a follower waits for one filter or block before it says so.
const fetchTime = time.Minute

// closeTime is how long the light client may take to stop: a node has five seconds.
const closeTime = 3 * time.Second

// state is what the light client looked like a moment ago.
type state struct {
	height  int32 // of the best block whose filter header is known
	headers int32
	hash    chainhash.Hash
	target  int32
	peers   int
	current bool
	samples []sample
	moved   time.Time // when headers or filter headers last grew, with peers
	grown   time.Time // when filter headers last grew
	alone   time.Time // when there was a peer last
	enough  time.Time // since when there are as many peers as are needed
}

// sample is one point of the progress.
type sample struct {
	at              time.Time
	headers, height int32
}

// sampled is how many seconds the rate of progress is taken over.
const sampled = 30

// maxLeft is the longest time worth telling.
const maxLeft = 30 * 24 * time.Hour

// progress says which headers are being fetched, how far they are, how many come
// in a second and how long the rest of that kind will take.
func (s state) progress() (stage string, at int32, rate float64, left time.Duration) {
	stage, at = "block headers", s.headers
	get := func(x sample) int32 { return x.headers }
	if s.headers >= s.target {
		stage, at = "filter headers", s.height
		get = func(x sample) int32 { return x.height }
	}
	if len(s.samples) < 2 {
		return stage, at, 0, 0
	}
	first, last := s.samples[0], s.samples[len(s.samples)-1]
	seconds := last.at.Sub(first.at).Seconds()
	if grown := get(last) - get(first); grown > 0 && seconds > 0 {
		rate = float64(grown) / seconds
		if seconds := float64(max(0, s.target-at)) / rate; seconds < maxLeft.Seconds() {
			left = time.Duration(seconds * float64(time.Second)).Round(time.Second)
		}
	}
	return stage, at, rate, left
}

// supervise looks at the light client until Close, and starts it again when it
// is stuck.
func (b *Backend) supervise() {
	defer close(b.done)
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		b.mu.Lock()
		c := b.client
		b.mu.Unlock()
		var news <-chan blockntfns.BlockNtfn
		if c == nil && b.ctx.Err() == nil && b.ended() {
			var err error
			if c, err = b.reopen(); err != nil {
				b.faults.Note("the light client does not start: " + err.Error())
			}
		}
		if c != nil {
			news = c.sub.Notifications
			b.look(c)
			if what := b.judge(time.Now()); what != fine {
				b.again = what
				b.cfg.Log.Warn("the light client is stuck and is started again", "height", b.Health().Height, "target", b.Health().Target)
				b.shut()
			}
		}
		select {
		case <-b.ctx.Done():
			b.shut()
			return
		case _, open := <-news:
			if !open {
				<-tick.C // it is being stopped; do not spin
			}
		case <-tick.C:
		}
	}
}

func (b *Backend) shut() {
	b.mu.Lock()
	c := b.client
	if c == nil {
		b.mu.Unlock()
		return
	}
	done := make(chan struct{})
	b.client, b.closing = nil, done
	b.now.peers, b.now.current = 0, false
	b.mu.Unlock()
	go func() {
		defer close(done)
		if err := c.close(); err != nil {
			b.cfg.Log.Warn("stop the light client", "error", err)
		}
	}()
	select {
	case <-done:
	case <-time.After(closeTime):
		// What is on disk is whole at any moment; a node has to end in time.
		b.cfg.Log.Warn("the light client does not stop in time")
	}
}

// look notes what the light client knows now.
func (b *Backend) look(c *client) {
	best, err := c.cs.BestBlock()
	if err != nil {
		b.faults.Note("the headers on disk cannot be read: " + err.Error())
		return
	}
	_, headers, err := c.cs.BlockHeaders.ChainTip()
	if err != nil {
		b.faults.Note("the headers on disk cannot be read: " + err.Error())
		return
	}
	var told []int32
	for _, p := range c.cs.Peers() {
		if p.Connected() && p.VerAckReceived() {
			told = append(told, p.LastBlock())
		}
	}
	now := time.Now()
	b.mu.Lock()
	s := &b.now
	if s.height != best.Height || s.headers != int32(headers) || s.peers == 0 {
		s.moved = now
	}
	if s.height != best.Height || s.grown.IsZero() {
		s.grown = now
	}
	if s.hash != best.Hash || s.peers != len(told) {
		b.wake()
	}
	s.height, s.hash, s.headers, s.peers = best.Height, best.Hash, int32(headers), len(told)
	// One peer cannot make it look as if there were more to come.
	s.target = max(best.Height, s.headers, median(told))
	// The library wants a block of the last 24 hours, which a network of one's own
	// need not have.
	caughtUp := c.cs.IsCurrent() || (b.cfg.Network == wallet.Regtest && len(told) > 0 && s.height == s.headers)
	was := s.current
	s.current = caughtUp && s.height >= median(told) && len(told) >= b.cfg.need()
	synced := s.current && !was
	if s.current != was {
		b.wake()
	}
	if s.samples = append(s.samples, sample{now, s.headers, s.height}); len(s.samples) > sampled {
		s.samples = s.samples[1:]
	}
	if s.peers > 0 || s.alone.IsZero() {
		s.alone = now
	}
	switch {
	case len(told) < b.cfg.need():
		s.enough = time.Time{}
	case s.enough.IsZero():
		s.enough = now
	}
	peers := s.peers
	b.mu.Unlock()
	if synced {
		// Storing headers took much that is not needed while it idles.
		debug.FreeOSMemory()
	}
	switch need := b.cfg.need(); {
	case peers == 0:
		b.faults.Note(b.noPeers().Error())
	case peers < need:
		b.faults.Note(fewPeers(peers, need).Error())
	default:
		b.faults.Note("")
	}
}

// wake tells followers to look again. The caller holds mu.
func (b *Backend) wake() {
	close(b.changed)
	b.changed = make(chan struct{})
}

// ended says whether the last client has let go of its files.
func (b *Backend) ended() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closing == nil {
		return true
	}
	select {
	case <-b.closing:
		return true
	default:
		return false
	}
}

func fewPeers(have, need int) error {
	return fmt.Errorf("%d Bitcoin peer is connected; %d are needed to compare what they say", have, need)
}

func median(heights []int32) int32 {
	if len(heights) == 0 {
		return 0
	}
	slices.Sort(heights)
	return heights[(len(heights)-1)/2]
}
