package api

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// The statuses of a proposal. Those from pending to confirmed follow each
// other; a proposal at any other has ended.
const (
	StatusPending    = "pending"
	StatusFinal      = "final"
	StatusBroadcast  = "broadcast"
	StatusConfirmed  = "confirmed"
	StatusConflicted = "conflicted"
	StatusDead       = "dead"
	StatusWithdrawn  = "withdrawn"
	StatusRejected   = "rejected"
	StatusExpired    = "expired"
	StatusReplaced   = "replaced"
)

// progress is how far a status is on the way to confirmed, or -1 where it ended.
func progress(status string) int {
	switch status {
	case StatusPending:
		return 0
	case StatusFinal:
		return 1
	case StatusBroadcast:
		return 2
	case StatusConfirmed:
		return 3
	}
	return -1
}

func knownStatus(status string) bool {
	switch status {
	case StatusConflicted, StatusDead, StatusWithdrawn, StatusRejected, StatusExpired, StatusReplaced:
		return true
	}
	return progress(status) >= 0
}

func unknownStatus(status string) *Error {
	return Misuse("bad_status", fmt.Sprintf("%.20q is not a status", status),
		"it is pending, final, broadcast, confirmed, conflicted, dead, withdrawn, rejected, expired or replaced")
}

// ended is the error for a proposal that will not come any further, or nil.
func ended(p Proposal) *Error {
	short := p.Proposal[:min(len(p.Proposal), 12)]
	switch p.Status {
	case StatusConflicted, StatusDead:
		return Refuse(p.Status, fmt.Sprintf("proposal %s can no longer be mined: one of its coins was spent by another transaction", short), "propose again with other coins")
	case StatusReplaced:
		by := "another one"
		if p.ReplacedBy != nil {
			by = "proposal " + *p.ReplacedBy
		}
		return Refuse(p.Status, fmt.Sprintf("proposal %s was replaced by %s", short, by), "wait for that one")
	case StatusWithdrawn, StatusRejected, StatusExpired:
		return Refuse(p.Status, fmt.Sprintf("proposal %s was ended: it is %s", short, p.Status),
			"signatures already released cannot be called back and may still complete it, until one of its coins is spent otherwise")
	}
	return nil
}

const (
	// recheck is how often a wait looks by itself: that a proposal expired is no event.
	recheck = 5 * time.Second
	// recheckDeaf is how often it looks where events end early, as for a reader
	// that does not keep up.
	recheckDeaf = time.Second
)

// waitFor returns the proposal at the status asked for or beyond, Denied when
// it has ended otherwise, and Timeout when neither came.
func waitFor(ctx context.Context, b Backend, id, status string, timeout time.Duration) (Proposal, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	// Subscribed before the first look, so that nothing falls in between.
	events, err := b.Subscribe(ctx)
	if err != nil {
		return Proposal{}, err
	}
	tick := time.NewTicker(recheck)
	defer tick.Stop()
	for {
		p, err := b.Proposal(context.WithoutCancel(ctx), id)
		if err != nil {
			return Proposal{}, err
		}
		if progress(p.Status) >= progress(status) {
			return p, nil
		}
		if err := ended(p); err != nil {
			return Proposal{}, err
		}
		events = untilTouched(ctx, events, p.Proposal, tick)
		if ctx.Err() != nil {
			if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
				return Proposal{}, Unreachable("stopping", "the node is stopping", "start it again and repeat the wait")
			}
			what := fmt.Sprintf("proposal %s is %s and did not become %s within %s", p.Proposal[:min(len(p.Proposal), 12)], p.Status, status, timeout)
			hint := lacking(p)
			for _, w := range p.Warnings {
				if strings.HasPrefix(w.Code, "broadcast_") { // no cosigner can help
					what, hint = what+": "+w.Message, "see `proposal show` and docs/chain.md"
				}
			}
			return Proposal{}, TimedOut("timeout", what, hint)
		}
		// From here on by its whole id, which is looked up and not searched for.
		id = p.Proposal
	}
}

// lacking says what a proposal waits for, and so what its user can do.
func lacking(p Proposal) string {
	switch p.Status {
	case StatusFinal:
		return "it has its signatures and is not in the network yet: `status` says how this node's Bitcoin node is"
	case StatusBroadcast:
		return "no block has it yet: wait longer with --timeout, or propose it again with --replaces and a higher fee"
	}
	return "wait longer with --timeout, or ask the other cosigners"
}

// untilTouched returns when a proposal may have changed: an event names it, the
// ticker ticks, or ctx ends. It returns the events to go on with; nil where
// they ended, and the ticker goes on without them.
func untilTouched(ctx context.Context, events <-chan Event, id string, tick *time.Ticker) <-chan Event {
	for {
		select {
		case <-ctx.Done():
			return events
		case e, ok := <-events:
			if !ok {
				tick.Reset(recheckDeaf)
				return nil
			}
			if string(e.Proposal) == id {
				return drained(events)
			}
		case <-tick.C:
			return drained(events)
		}
	}
}

// drained takes the events that are there already: one look answers all of them.
func drained(events <-chan Event) <-chan Event {
	for {
		select {
		case _, ok := <-events:
			if !ok {
				return events // the next wait finds out, and makes the ticker faster
			}
		default:
			return events
		}
	}
}
