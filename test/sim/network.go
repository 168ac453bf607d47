package sim

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
)

// pair is a link between two nodes, the lower first.
type pair [2]int

func pairOf(a, b *node) pair { return pair{min(a.i, b.i), max(a.i, b.i)} }

// connected says whether two nodes can speak to each other: both run, each has
// the other as a member, and no cut is between them.
func (w *world) connected(a, b *node) bool {
	return a.up && b.up && a.in && b.in && w.cuts[pairOf(a, b)] == 0 &&
		slices.Contains(a.link.Members, b.id()) && slices.Contains(b.link.Members, a.id())
}

// delay is how long one message takes.
func (w *world) delay() time.Duration {
	most := 100 * time.Millisecond
	if w.faulty {
		most = w.plan.Network.Delay
	}
	return time.Duration(w.rng.Int64N(int64(most)) + 1)
}

// delayOf is how long one takes between two nodes.
func (w *world) delayOf(a, b *node) time.Duration {
	if w.calm.between(a, b) {
		return time.Duration(w.rng.Int64N(int64(100*time.Millisecond)) + 1)
	}
	return w.delay()
}

func (w *world) chance(of1000 int) bool { return w.faulty && w.rng.IntN(1000) < of1000 }

// gossip sends an entry to all who are connected. Copies may be lost, late,
// out of order, or come twice.
func (w *world) gossip(from *node, e *journal.Entry) {
	for _, to := range w.nodes {
		if to != from {
			w.send(from, to, e)
		}
	}
}

func (w *world) send(from, to *node, e *journal.Entry) {
	if !w.connected(from, to) {
		return
	}
	w.count("messages")
	copies := 1
	if w.chance(w.plan.Network.Duplicates) && !w.calm.between(from, to) {
		w.count("duplicated")
		copies = 2
	}
	for range copies {
		if w.chance(w.plan.Network.Loss) && !w.calm.between(from, to) {
			w.count("lost")
			continue
		}
		w.queue.after(w.delayOf(from, to), func() {
			if w.connected(from, to) {
				to.heard(from, e, true)
			}
		})
	}
}

// heard takes a gossiped entry. One that overtook another waits a moment, then
// the sender is asked.
func (n *node) heard(from *node, e *journal.Entry, patient bool) {
	err := n.receive(from, e)[0]
	var gap *port.GapError
	switch {
	case err == nil:
		n.announce()
	case errors.As(err, &gap) && patient:
		n.later(100*time.Millisecond, func() { n.heard(from, e, false) })
	case errors.As(err, &gap):
		n.w.request(n, from)
	}
}

// receive hands entries up as p2p does: signatures are checked first, and what
// is held already needs no step. The entries share one commit.
func (n *node) receive(from *node, entries ...*journal.Entry) []error {
	errs := make([]error, len(entries))
	var msgs []coordinator.Message
	var at []int
	for i, e := range entries {
		if errs[i] = n.w.verify(e); errs[i] == nil && !n.m.State.Chains().Has(e.ID()) {
			if errs[i] = n.admits(e); errs[i] != nil {
				continue
			}
			msgs, at = append(msgs, coordinator.EntryIn{Entry: e}), append(at, i)
		}
	}
	if len(msgs) == 0 {
		return errs
	}
	life := n.life
	for j, a := range n.turn(msgs...) {
		errs[at[j]] = a.err
		if a.err == nil && n.honest() {
			n.w.foreign(n, entries[at[j]])
			n.charge(entries[at[j]])
			n.acked = append(n.acked, ack{fmt.Sprintf("an entry taken from %s", from.name), entries[at[j]].ID()})
		}
		if port.IsReject(a.err) {
			n.w.count("rejected")
		}
	}
	if n.life != life {
		for i := range errs {
			errs[i] = errDown
		}
	}
	return errs
}

// verify checks an author's signature, once for each entry and signature.
func (w *world) verify(e *journal.Entry) error {
	raw := e.Bytes()
	id := e.ID()
	key := [96]byte(append(id[:], raw[len(raw)-64:]...))
	good, ok := w.pool.verified[key]
	if !ok {
		good = e.Verify() == nil
		w.pool.verified[key] = good
	}
	if !good {
		w.count("bad signatures")
		return port.RejectSignature
	}
	return nil
}

// announce tells the others, a moment later, what this node holds.
func (n *node) announce() {
	if n.saying {
		return
	}
	n.saying = true
	n.later(time.Second, func() {
		n.saying = false
		for _, to := range n.w.nodes {
			if to == n || !n.w.connected(n, to) || n.w.chance(n.w.plan.Network.Loss) && !n.w.calm.between(n, to) {
				continue
			}
			to := to
			n.w.queue.after(n.w.delayOf(n, to), func() {
				if n.w.connected(n, to) && to.lacks(n.claim(to)) {
					n.w.session(to, n)
				}
			})
		}
	})
}

// request starts a session soon.
func (w *world) request(n, from *node) {
	n.later(w.delayOf(n, from), func() { w.session(n, from) })
}

// syncAll starts a session with everybody.
func (w *world) syncAll(n *node) {
	for _, from := range w.nodes {
		if from != n {
			w.request(n, from)
		}
	}
}

// relink opens connections to new members.
func (n *node) relink(l port.GroupLink) {
	n.link = l
	n.w.syncAll(n)
	for _, x := range n.w.nodes {
		if x != n {
			n.w.request(x, n)
		}
	}
}

// cut takes a link away for a time.
func (w *world) cut(a, b *node, d time.Duration) {
	p := pairOf(a, b)
	w.cuts[p]++
	w.queue.after(d, func() {
		if w.cuts[p] == 0 {
			return // all were healed
		}
		if w.cuts[p]--; w.cuts[p] == 0 {
			w.request(a, b)
			w.request(b, a)
		}
	})
}
