package sim

import (
	"slices"

	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/journal"
)

// reloadEach is how many steps of a node pass until its state is compared with
// the one that a restart would make of its disk.
const reloadEach = 67

// checkReload: the state of a node that runs is the one that it would have after
// a restart, with the snapshot on its disk and without.
func (n *node) checkReload() {
	live, err := n.m.State.Digest()
	if err != nil {
		n.w.violation("%s: digest: %v", n.name, err)
		return
	}
	n.w.count("states read back")
	for _, snapshot := range []bool{true, false} {
		d := n.disk.clone()
		if !snapshot {
			delete(d.records, "snapshot")
		}
		m, err := coordinator.Load(n.w.context(), d, n.self, n.w.group)
		if err != nil {
			n.w.violation("%s: load: %v", n.name, err)
			return
		}
		again, err := m.State.Digest()
		if err != nil || again != live {
			n.w.violation("%s: a restart now would make another state of the same entries (%v; with the snapshot: %v)", n.name, err, snapshot)
			return
		}
		n.w.sameAnswers(n, n, &n.m, &m)
	}
}

// sameAnswers: two who hold the same entries and read the same epochs say the
// same of who is a member, what is written under, and where each proposal stands.
func (w *world) sameAnswers(a, b *node, x, y *coordinator.Machine) {
	p, q := sorted(x.State.Members()), sorted(y.State.Members())
	if !slices.Equal(p, q) {
		w.violation("%s and %s hold the same entries, and have other members", a.name, b.name)
	}
	e, _ := x.State.Epoch()
	f, _ := y.State.Epoch()
	if e.ID() != f.ID() {
		w.violation("%s and %s hold the same entries, and write under other epochs", a.name, b.name)
	}
	w.checkPings(a, b, x, y)
	w.checkFreezes(a, b, x, y)
	for _, r := range x.Proposals() {
		s, ok := y.State.Proposal(r.ID())
		switch {
		case !ok:
			w.violation("%s and %s hold the same entries, and not the same proposals", a.name, b.name)
		case x.State.Final(r) != y.State.Final(s) || x.State.Withdrawn(r) != y.State.Withdrawn(s) || len(x.State.Against(r)) != len(y.State.Against(s)) || x.Alive(r) != y.Alive(s):
			w.violation("%s and %s hold the same entries, and say something else of a proposal", a.name, b.name)
		}
	}
}

func sorted(all []journal.Author) []journal.Author {
	return slices.SortedFunc(slices.Values(all), func(a, b journal.Author) int { return slices.Compare(a[:], b[:]) })
}

// checkPings: whatever members asked and answered, no key was there in the future, and
// all who hold the same say the same of it.
func (w *world) checkPings(a, b *node, x, y *coordinator.Machine) {
	if x.State.Active() == nil || y.State.Active() == nil {
		return
	}
	now := a.clock()
	for k, p := range x.Presence(now) {
		if p.At().After(now) {
			w.violation("%s: the key of %s was there in the future", a.name, p.Member.Name)
		}
		r, ok := x.State.Answered(k, now.UnixMilli())
		s, too := y.State.Answered(k, now.UnixMilli())
		if r != s || ok != too {
			w.violation("%s and %s hold the same entries, and say something else of which ping %s answered", a.name, b.name, p.Member.Name)
		}
		if ok {
			w.count("answers compared")
		}
	}
}

// checkFreezes: all who hold the same say the same of which coins are frozen.
func (w *world) checkFreezes(a, b *node, x, y *coordinator.Machine) {
	if x.State.Active() == nil || y.State.Active() == nil {
		return
	}
	for _, c := range coordinator.Coins(x.State, x.View, a.clock()) {
		f, frozen := x.State.Frozen(c.OutPoint)
		g, too := y.State.Frozen(c.OutPoint)
		if f != g || frozen != too || frozen != (c.Frozen != nil) {
			w.violation("%s and %s hold the same entries, and say something else of whether %v is frozen", a.name, b.name, c.OutPoint)
		}
		if frozen {
			w.count("freezes compared")
		}
	}
}
