package sim

import (
	"fmt"
	"time"

	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
)

// readEach is how many steps of a node pass until its readers are all asked.
const readEach = 23

// readAll asks every reader of a machine: whatever members wrote, each answers.
func (n *node) readAll() {
	at := ""
	defer func() {
		if r := recover(); r != nil {
			n.w.violation("%s: the reader %s panics: %v", n.name, at, r)
		}
	}()
	m, now := &n.m, n.clock()
	n.w.count("readers asked")
	read := func(name string, f func()) {
		at = name
		f()
	}
	read("Name", func() { m.Name() })
	read("Phase", func() { m.Phase() })
	read("Missing", func() { m.Missing() })
	read("Cosigners", func() { m.Cosigners() })
	read("AlarmsAt", func() { m.AlarmsAt(now) })
	read("Presence", func() { m.Presence(now) })
	read("Overdue", func() { m.Overdue(now) })
	read("Unanswered", func() { m.Unanswered(now) })
	read("Replacements", func() { m.Successions() })
	read("Restored", func() { m.Restored() })
	read("Faults", func() { m.Faults() })
	read("Wanted", func() { m.Wanted() })
	read("Inert", func() { m.State.Inert() })
	read("Labels", func() { m.State.Labels() })
	read("History", func() { m.History(nil, 50, coordinator.Period{}) })
	read("Epoch", func() { m.State.Epoch() })
	read("Members", func() { m.State.Members() })
	read("Roster", func() { m.State.Roster() })
	if m.State.Active() == nil {
		return
	}
	read("Coins", func() { coordinator.Coins(m.State, m.View, now) })
	read("LeasedBy", func() { m.LeasedBy(n.i32()) })
	var all []*group.Proposal
	read("Proposals", func() { all = m.Proposals() })
	for i, p := range all[:min(len(all), 12)] {
		name := fmt.Sprint(" of proposal ", i)
		read("Status"+name, func() { m.Status(p, now) })
		read("Conflicts"+name, func() { m.Conflicts(p) })
		read("Replaces"+name, func() { m.Replaces(p) })
		read("ReplacedBy"+name, func() { m.ReplacedBy(p) })
		read("Approvals"+name, func() { m.Approvals(p) })
		read("Rejections"+name, func() { m.Rejections(p) })
		read("HeldBy"+name, func() { m.HeldBy(p) })
		read("Warn"+name, func() { m.Warn(p, now, 0, port.Policy{}) })
		read("Tx"+name, func() { _, _ = m.Tx(p) })
	}
}

func (n *node) i32() uint32 { return uint32(n.w.rng.IntN(40)) }

// unread is an entry that a node holds and cannot read.
type unread struct {
	n     *node
	entry journal.EntryID
	by    *node
}

// unreadable lists what honest members wrote and other honest members cannot read.
func (w *world) unreadable() map[unread]bool {
	out := map[unread]bool{}
	for _, n := range w.honest() {
		for _, by := range w.honest() {
			if !n.in || n.m.State.Active() == nil || by == n {
				continue
			}
			for _, id := range n.m.State.Unread(by.id()) {
				out[unread{n, id, by}] = true
			}
		}
	}
	return out
}

// checkRead: whatever epochs liars made, each honest member reads, two minutes
// later, what any other one wrote.
func (w *world) checkRead() {
	before := w.unreadable()
	if len(before) > 0 {
		w.count("waited until all is readable")
		w.queue.run(w.queue.now+2*time.Minute, w.stop)
	}
	now := w.unreadable()
	for _, n := range w.honest() {
		for _, by := range w.honest() {
			count := 0
			for u := range before {
				if now[u] && u.n == n && u.by == by {
					count++
				}
			}
			if count > 0 {
				w.violation("%s cannot read %d entries of %s, who is honest, after two minutes", n.name, count, by.name)
			}
		}
	}
}
