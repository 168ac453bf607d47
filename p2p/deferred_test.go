package p2p_test

import (
	"context"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/p2p"
	"github.com/quorate/quorate/p2p/p2ptest"
)

// pause is how long it defers them.
const pause = 5 * time.Second

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
		return &port.DeferredError{Author: a, For: pause}
	}
	return s.Inbox.Receive(ctx, from, e)
}

// ReceiveRun refuses a run at its first entry: the rest does not follow on what
// is held.
func (s *sparing) ReceiveRun(ctx context.Context, from journal.Author, es []*journal.Entry) []error {
	errs := make([]error, len(es))
	for i, e := range es {
		if errs[i] = s.Receive(ctx, from, e); errs[i] != nil {
			return slices.Concat(errs[:i], slices.Repeat([]error{errs[i]}, len(es)-i))
		}
	}
	return errs
}

// Chains of an author who has used up its allowance are not pulled again and
// again; the others' come meanwhile, and in the end all do.
func TestDeferredIsPulledLater(t *testing.T) {
	const loud, claims = 500, 6
	net, g := quicAndTCP(), p2ptest.NewGroup(1)
	a := net.node(t, p2p.Config{Identity: p2ptest.Identity(1)})
	b := net.node(t, p2p.Config{Identity: p2ptest.Identity(2)})
	hints := map[journal.Author][]string{a.Author(): a.ListenAddrs(), b.Author(): b.ListenAddrs()}
	in := attachNode(t, a, g, hints, a.Author(), b.Author())
	p2ptest.NewWriter(p2ptest.Identity(8), g, 1).Fill(t, in, loud)
	w := p2ptest.NewWriter(p2ptest.Identity(1), g, 1)
	out := &sparing{Inbox: p2ptest.NewInbox(), of: p2ptest.Identity(8).Author()}
	out.full.Store(true)
	l := port.GroupLink{Group: g.ID(), Topics: []string{g.Epoch.Topic()}, Members: []journal.Author{a.Author(), b.Author()}, Hints: hints}
	if err := b.Attach(context.Background(), l, out); err != nil {
		t.Fatal(err)
	}
	p2ptest.Eventually(t, "the long chain is pulled, and deferred", func() bool { return out.refused.Load() > 0 })
	began := time.Now()
	for range claims {
		e := w.Fill(t, in, 1)[0]
		if err := a.Publish(context.Background(), e); err != nil {
			t.Fatal(err)
		}
		p2ptest.Eventually(t, "the other's entry arrives, and a claim after it", func() bool {
			return out.Has(e) && out.ClaimOf(a.Author()).Frontier[w.Chain()].Seq >= e.Position().Seq
		})
	}
	if n, most := out.refused.Load(), int64(time.Since(began)/pause)+2; n > most {
		t.Errorf("the deferred chain was pulled %d times, where %d would do", n, most)
	}
	out.full.Store(false)
	p2ptest.Eventually(t, "all arrives", func() bool { return out.Len() == in.Len() })
}
