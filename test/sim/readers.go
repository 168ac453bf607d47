package sim

import (
	"fmt"

	"github.com/quorate/quorate/coordinator"
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
	read("Alarms", func() { m.Alarms() })
	read("Replacements", func() { m.Replacements() })
	read("Restored", func() { m.Restored() })
	read("Faults", func() { m.Faults() })
	read("Wanted", func() { m.Wanted() })
	read("Inert", func() { m.State.Inert() })
	read("Labels", func() { m.State.Labels() })
	read("History", func() { m.History(nil, 50) })
	read("Epoch", func() { m.State.Epoch() })
	read("Members", func() { m.State.Members() })
	read("Roster", func() { m.State.Roster() })
	if m.State.Active() == nil {
		return
	}
	read("Coins", func() { coordinator.Coins(m.State, m.View, now) })
	read("LeasedBy", func() { m.LeasedBy(n.i32()) })
	var all []*coordinator.Proposal
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
		read("Warn"+name, func() { m.Warn(p, now) })
		read("Tx"+name, func() { _, _ = m.Tx(p) })
	}
}

func (n *node) i32() uint32 { return uint32(n.w.rng.IntN(40)) }
