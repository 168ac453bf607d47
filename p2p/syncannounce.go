package p2p

import (
	"context"
	"fmt"
	"time"

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
		records = s.net.records(g)
	}
	f := claimFrame(kindClaim, id, g.inbox.Claim(), records)
	for _, p := range s.net.connected() {
		if !g.members[p] {
			continue
		}
		s.wg.Go(func() {
			if err := s.sendClaim(p, f); err != nil {
				s.log.Debug("claim not sent", "group", id, "peer", p, "error", err)
			}
		})
	}
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
	st, err := s.net.open(ctx, p)
	if err != nil {
		return fmt.Errorf("open sync stream: %w", err)
	}
	if err := s.write(st, f); err != nil {
		_ = st.Reset()
		return fmt.Errorf("send claim: %w", err)
	}
	return st.Close()
}
