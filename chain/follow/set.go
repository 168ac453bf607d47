package follow

import (
	"context"
	"sync"
)

// Set starts followers over one source and ends those that are left with it.
// The zero value is ready to use.
type Set struct {
	mu     sync.Mutex
	closed bool
	live   map[*Follower]struct{}
}

// Start begins to follow. It returns ErrClosed after Close.
func (s *Set) Start(ctx context.Context, src Source, opt Options) (*Follower, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, ErrClosed
	}
	if s.live == nil {
		s.live = map[*Follower]struct{}{}
	}
	f := start(ctx, src, opt)
	s.live[f] = struct{}{}
	context.AfterFunc(f.ctx, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.live, f)
	})
	return f, nil
}

// Close ends every follower and waits for them.
func (s *Set) Close() {
	s.mu.Lock()
	s.closed = true
	live := make([]*Follower, 0, len(s.live))
	for f := range s.live {
		live = append(live, f)
	}
	s.mu.Unlock()
	for _, f := range live {
		_ = f.Close()
	}
}
