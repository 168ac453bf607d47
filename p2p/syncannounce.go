package p2p

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
)

// A claim waits for the last change of a burst, but not for ever.
const (
	claimDelay    = 200 * time.Millisecond
	claimDelayMax = time.Second
)

// announcement is a claim about to be sent.
type announcement struct {
	first   time.Time
	timer   *time.Timer
	records bool // with addresses of members
}

// changed announces to connected members, a moment later, that this node holds
// more of a group than before.
func (s *syncer) changed(id journal.GroupID) { s.announceSoon(id, false) }

// introduce does the same, and tells where members are: one is new, or moved.
func (s *syncer) introduce(id journal.GroupID) { s.announceSoon(id, true) }

func (s *syncer) announceSoon(id journal.GroupID, records bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx.Err() != nil {
		return
	}
	now := time.Now()
	if a := s.pending[id]; a != nil {
		a.records = a.records || records
		// Wait for the last of a burst, but not for ever.
		if now.Sub(a.first) < claimDelayMax-claimDelay && a.timer.Stop() {
			a.timer.Reset(claimDelay)
		}
		return
	}
	s.pending[id] = &announcement{
		first: now, records: records,
		timer: time.AfterFunc(claimDelay, func() { s.announce(id) }),
	}
}

// resume syncs a group once a deferred chain may be asked for again.
func (s *syncer) resume(id journal.GroupID, err error) {
	var later *port.DeferredError
	if !errors.As(err, &later) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx.Err() != nil || s.resumes[id] != nil {
		return
	}
	s.resumes[id] = time.AfterFunc(later.For+claimDelay, func() {
		s.mu.Lock()
		delete(s.resumes, id)
		s.mu.Unlock()
		s.syncGroup(id)
	})
}

func (s *syncer) announce(id journal.GroupID) {
	s.mu.Lock()
	a := s.pending[id]
	delete(s.pending, id)
	g := s.reg.get(id)
	if g == nil || a == nil || s.ctx.Err() != nil {
		s.mu.Unlock()
		return
	}
	s.wg.Add(1)
	s.mu.Unlock()
	defer s.wg.Done()

	var records [][]byte
	if a.records {
		records = s.net.Records(g.members)
	}
	f := claimFrame(kindClaim, id, g.inbox.Claim(), records)
	for _, p := range s.net.Connected() {
		if !g.members[p] {
			continue
		}
		s.claim(jobKey{id, p}, f)
	}
}

// claim sends a claim to a peer, one at a time: to one that does not take them,
// only the newest waits, and it holds no more than one slot.
func (s *syncer) claim(key jobKey, f *frame) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if next, busy := s.claims[key]; busy {
		if next != nil && f.Records == nil {
			with := *f
			with.Records = next.Records
			f = &with
		}
		s.claims[key] = f
		return
	}
	s.claims[key] = nil
	s.wg.Go(func() {
		for f := f; f != nil; f = s.nextClaim(key) {
			if err := s.sendClaim(key.peer, f); err != nil {
				s.log.Debug("claim not sent", "group", key.group, "peer", key.peer, "error", err)
			}
		}
	})
}

// nextClaim takes what is to be sent to a peer next; nil ends the sending.
func (s *syncer) nextClaim(key jobKey) *frame {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.claims[key]
	if f == nil || s.ctx.Err() != nil {
		delete(s.claims, key)
		return nil
	}
	s.claims[key] = nil
	return f
}

func (s *syncer) sendClaim(p journal.Author, f *frame) error {
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	case <-s.ctx.Done():
		return s.ctx.Err()
	}
	ctx, cancel := context.WithTimeout(s.ctx, frameTimeout)
	defer cancel()
	st, err := s.net.Open(ctx, p)
	if err != nil {
		return fmt.Errorf("open sync stream: %w", err)
	}
	// Close waits until the peer has agreed to the protocol.
	stop := context.AfterFunc(ctx, func() { _ = st.Reset() })
	defer stop()
	if err := s.write(st, f); err != nil {
		_ = st.Reset()
		return fmt.Errorf("send claim: %w", err)
	}
	return st.Close()
}
