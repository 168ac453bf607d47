package explore

import (
	"cmp"
	"errors"

	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/port"
)

// crash says when a node is killed that takes a message.
type crash uint8

const (
	never  crash = iota
	before       // the commit, which then never was
	after        // the commit, before anything that follows from it
)

// occasion is a message and whether the node is killed before it commits what
// comes of it.
type occasion struct {
	call   call
	killed bool
}

// outcome is what came of a message at a node.
type outcome struct {
	node    *node // nil where the message was refused
	effects []effect
	err     error // a rule that does not hold
}

// effect is one that the world has to see to.
type effect struct {
	broadcast, follow, watch bool
	tx                       uint32
	from                     int32
}

// errKilled ends a commit that never was.
var errKilled = errors.New("killed before the commit")

// do has a node take a message, and sees to what follows. It returns false where
// the node refuses the message.
func (w *world) do(i int, c call, when crash) (bool, error) {
	n := w.nodes[i]
	at := occasion{c, when == before}
	o := n.outcomes[at]
	if o == nil {
		o = w.turn(n, at)
		n.outcomes[at] = o
	}
	if o.err != nil || o.node == nil {
		return false, o.err
	}
	w.nodes[i] = o.node
	if when != never {
		return true, w.restart(i)
	}
	for _, e := range o.effects {
		if err := w.execute(i, e); err != nil {
			return true, err
		}
	}
	return true, nil
}

func (w *world) execute(i int, e effect) error {
	switch {
	case e.broadcast:
		return w.broadcast(i, e.tx)
	case e.follow:
		return w.follow(i)
	case e.watch:
		return w.rescan(i, e.from)
	}
	return nil
}

// restart begins from what is on the disk.
func (w *world) restart(i int) error {
	next, err := w.load(w.nodes[i])
	if err != nil {
		return err
	}
	w.nodes[i] = next
	return w.tell(i, call{started, 0})
}

// turn works out what comes of a message: by the real Turn, whatever the other
// nodes hold.
func (s *setting) turn(n *node, at occasion) *outcome {
	s.turns++
	name := s.Members[n.member].Name
	next := node{m: n.m, disk: n.disk, running: n.running || at.call.what == started}
	r := run{setting: s, from: n, next: &next, text: s.describe(at.call)}
	var t *coordinator.Turn
	t = coordinator.NewTurn(n.m, r.shell(&t))
	value, err := t.Take(s.message(n.member, at.call))
	switch {
	case r.broken != nil:
		return &outcome{err: r.broken}
	case errors.Is(err, port.ErrGuardConflict):
		// Of the batch that makes the guard durable before a signer is asked.
	case err != nil && !r.guarded:
		return &outcome{}
	case err != nil:
		err = nil // the guard stays as it is on the disk
	default:
		err = t.Finish(func(b port.Batch) error { return r.commit(b, at.killed) }, r.keep, r.execute)
		if at.killed {
			switch {
			case !r.commits:
				return &outcome{} // there was nothing to commit
			case r.kept || r.shown || !errors.Is(err, errKilled):
				return &outcome{err: violation("%s goes on after a commit that failed", name)}
			}
			err = nil
		}
	}
	if errors.Is(err, port.ErrGuardConflict) {
		return &outcome{err: violation("%s: the store's own sign guard had to refuse a signature", name)}
	}
	if err := cmp.Or(r.broken, err); err != nil {
		return &outcome{err: err}
	}
	o := &outcome{effects: r.effects}
	if o.node, o.err = s.node(n.member, next, r.text); o.err != nil {
		return o
	}
	if !at.killed && s.honest(n.member) {
		o.err = r.moved(o.node, at.call, value)
	}
	return o
}
