package p2p

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
)

// gapPatience is how long a gossiped entry waits for the one before it, which
// is usually being stored at this moment.
const gapPatience = 100 * time.Millisecond

// check does to raw bytes what needs no state: it is the same for gossip and
// sync, and its errors are all of the reject list.
func check(group journal.GroupID, raw []byte) (*journal.Entry, error) {
	if len(raw) > journal.MaxEntrySize {
		return nil, port.RejectOversized
	}
	e, err := journal.Decode(raw)
	switch {
	case errors.Is(err, journal.ErrOversized):
		return nil, port.RejectOversized
	case errors.Is(err, journal.ErrVersion):
		return nil, port.RejectVersion
	case err != nil:
		return nil, port.RejectMalformed
	case e.Header().Group != group:
		return nil, port.RejectGroup
	}
	if err := e.Verify(); err != nil {
		return nil, port.RejectSignature
	}
	return e, nil
}

// deliver hands a checked entry up.
func deliver(ctx context.Context, g *group, from journal.Author, e *journal.Entry) error {
	return deliverRun(ctx, g, from, []*journal.Entry{e})[0]
}

// deliverRun hands checked entries up in order, and returns an error or nil for
// each. A panic above is a refusal, not a crash: an entry must not be able to
// stop a node.
func deliverRun(ctx context.Context, g *group, from journal.Author, es []*journal.Entry) (errs []error) {
	defer func() {
		if p := recover(); p != nil {
			err := fmt.Errorf("entry made its reader fail (%v): %w", p, port.RejectMalformed)
			errs = slices.Repeat([]error{err}, len(es))
		}
	}()
	if len(es) == 1 {
		errs = []error{g.inbox.Receive(ctx, from, es[0])}
	} else {
		errs = g.inbox.ReceiveRun(ctx, from, es)
	}
	stored := false
	for _, err := range errs {
		var later *port.DeferredError
		if errors.As(err, &later) {
			g.flow.defers(later.Author, later.For)
		}
		stored = stored || err == nil
	}
	if stored {
		g.flow.stored()
	}
	return errs
}

// deliverPatiently is deliver for gossip, where entries overtake each other: on
// a gap it tries again when something was stored, for gapPatience.
func deliverPatiently(ctx context.Context, g *group, from journal.Author, e *journal.Entry) error {
	var timeout <-chan time.Time
	for {
		changed := g.flow.watch()
		err := deliver(ctx, g, from, e)
		var gap *port.GapError
		if !errors.As(err, &gap) {
			return err
		}
		if timeout == nil {
			if !g.flow.queue(from) {
				return err
			}
			defer g.flow.unqueue(from)
			t := time.NewTimer(gapPatience)
			defer t.Stop()
			timeout = t.C
		}
		select {
		case <-changed:
		case <-timeout:
			return err
		case <-ctx.Done():
			return err
		}
	}
}
