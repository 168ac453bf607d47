package p2p

import (
	"context"
	"errors"
	"fmt"
	"io"

	"golang.org/x/time/rate"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
)

// handle serves a sync stream that a peer opened. It returns when it is done.
func (s *syncer) handle(st Stream, p journal.Author) {
	if !s.enter(p) {
		_ = st.Reset()
		return
	}
	defer s.leave(p)
	stop := context.AfterFunc(s.ctx, func() { _ = st.Reset() })
	defer stop()

	if err := s.serve(st, p); err != nil {
		s.refuse(st, p, err)
		s.log.Debug("sync stream refused", "peer", p, "error", err)
		return
	}
	_ = st.Close()
}

// enter admits a session of a member within its limits.
func (s *syncer) enter(p journal.Author) bool {
	if !s.reg.member(p) {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx.Err() != nil || s.served[p] >= maxServed {
		return false
	}
	r := s.opened[p]
	if r == nil {
		r = rate.NewLimiter(servedPerSec, servedBurst)
		s.opened[p] = r
	}
	if !r.Allow() {
		return false
	}
	s.served[p]++
	s.wg.Add(1)
	return true
}

func (s *syncer) leave(p journal.Author) {
	s.mu.Lock()
	s.served[p]--
	if s.served[p] == 0 {
		delete(s.served, p)
	}
	s.mu.Unlock()
	s.wg.Done()
}

func (s *syncer) serve(st Stream, p journal.Author) error {
	first, err := s.read(st, helloLimit, frameTimeout)
	if err != nil {
		return err
	}
	if first.Kind != kindHello && first.Kind != kindClaim {
		return errFrame
	}
	id := journal.GroupID(first.Group)
	g := s.reg.authorized(id, p)
	if g == nil {
		if err := s.write(st, &frame{Kind: kindRefused}); err != nil {
			return err
		}
		s.tally.count(p, port.RejectNonMember)
		return st.CloseWrite()
	}
	c := first.claim()
	g.inbox.PeerClaim(p, c)
	s.net.Heard(g.members, first.Records)
	if s.lacks(g, c) && !s.caution(jobKey{id, p}) {
		s.request(id, p)
	}
	if first.Kind == kindClaim {
		return nil
	}
	if err := s.write(st, claimFrame(kindHello, id, g.inbox.Claim(), s.net.Records(g.members))); err != nil {
		return err
	}
	for {
		f, err := s.read(st, requestLimit, idleTimeout)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if g = s.reg.authorized(id, p); g == nil {
			return port.RejectNonMember
		}
		answer, err := s.answer(g, f, p)
		if err != nil {
			return err
		}
		if err := s.write(st, answer); err != nil {
			return err
		}
	}
}

func (s *syncer) answer(g *group, f *frame, p journal.Author) (*frame, error) {
	ctx, cancel := context.WithTimeout(s.ctx, frameTimeout)
	defer cancel()
	b := batch{f: &frame{Kind: kindEntries}}
	switch f.Kind {
	case kindPull:
		for _, a := range f.Asks {
			key, _ := chainKey(a.Author, a.Incarnation)
			limit := min(int(a.Limit), maxBatch-len(b.f.Entries))
			if limit <= 0 || b.bytes >= maxBatchBytes {
				b.f.Short = true
				break
			}
			es, err := g.inbox.Entries(ctx, key, a.Seq, limit, maxBatchBytes-b.bytes)
			if err != nil {
				return nil, fmt.Errorf("serve pull: %w", err)
			}
			for _, e := range es {
				b.add(e)
			}
		}
	case kindFetch:
		for _, id := range f.IDs {
			e, err := g.inbox.Entry(ctx, journal.EntryID(id))
			if errors.Is(err, port.ErrNotFound) {
				continue
			}
			if err != nil {
				return nil, fmt.Errorf("serve fetch: %w", err)
			}
			b.add(e)
		}
	default:
		return nil, errFrame
	}
	if err := s.rates.pace(ctx, p, b.bytes); err != nil {
		return nil, fmt.Errorf("pace a peer: %w", err)
	}
	return b.f, nil
}

// batch collects entries up to the limits of a frame. What does not fit is left
// out and marked, to be asked for again.
type batch struct {
	f     *frame
	bytes int
}

func (b *batch) add(e *journal.Entry) {
	raw := e.Bytes()
	if b.f.Short || len(b.f.Entries) >= maxBatch || (b.bytes > 0 && b.bytes+len(raw) > maxBatchBytes) {
		b.f.Short = true
		return
	}
	b.f.Entries = append(b.f.Entries, raw)
	b.bytes += len(raw)
}
