package p2p_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/p2p"
	"github.com/quorate/quorate/p2p/p2ptest"
)

// sparing is an inbox that takes entries of one author later.
type sparing struct {
	*p2ptest.Inbox
	of      journal.Author
	full    atomic.Bool
	refused atomic.Int64
}

func (s *sparing) Receive(ctx context.Context, from journal.Author, e *journal.Entry) error {
	if a := e.Header().Author; a == s.of && s.full.Load() {
		s.refused.Add(1)
		return &coordinator.DeferredError{Author: a, For: 2 * time.Second}
	}
	return s.Inbox.Receive(ctx, from, e)
}

// Chains of an author who has used up its allowance are not pulled again and
// again; the others' come meanwhile, and in the end all do.
func TestDeferredIsPulledLater(t *testing.T) {
	const loud, claims = 500, 10
	net, g := quicAndTCP(), p2ptest.NewGroup(1)
	a := net.node(t, p2p.Config{Identity: p2ptest.Identity(1)})
	b := net.node(t, p2p.Config{Identity: p2ptest.Identity(2)})
	hints := map[journal.Author][]string{a.Author(): a.ListenAddrs(), b.Author(): b.ListenAddrs()}
	in := attachNode(t, a, g, hints, a.Author(), b.Author())
	p2ptest.NewWriter(p2ptest.Identity(8), g, 1).Fill(t, in, loud)
	w := p2ptest.NewWriter(p2ptest.Identity(1), g, 1)
	out := &sparing{Inbox: p2ptest.NewInbox(), of: p2ptest.Identity(8).Author()}
	out.full.Store(true)
	l := coordinator.GroupLink{Group: g.ID(), Topics: []string{g.Epoch.Topic()}, Members: []journal.Author{a.Author(), b.Author()}, Hints: hints}
	if err := b.Attach(context.Background(), l, out); err != nil {
		t.Fatal(err)
	}
	for range claims {
		e := w.Fill(t, in, 1)[0]
		if err := a.Publish(context.Background(), e); err != nil {
			t.Fatal(err)
		}
		p2ptest.Eventually(t, "the others' entries arrive", func() bool { return out.Has(e) })
	}
	if n := out.refused.Load(); n == 0 || n > claims {
		t.Errorf("the deferred chain was pulled %d times", n)
	}
	out.full.Store(false)
	p2ptest.Eventually(t, "all arrives", func() bool { return out.Len() == in.Len() })
}
