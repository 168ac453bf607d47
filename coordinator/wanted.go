package coordinator

import "github.com/quorate/quorate/journal"

// wanted says whether an entry past a fork is of use: somebody's signature or
// vote names it, or it is evidence.
func (m Machine) wanted(id journal.EntryID) bool {
	if m.State.Active() == nil {
		// What the roster rests on counts tainted or not, and no entry names it.
		return true
	}
	return m.State.NeededByOthers(id)
}

// Wanted lists entries that others name and this node lacks, where the named
// one may lie past a fork. It is bounded: the rest comes with later syncs. Each
// member has a share, so that none delays what another one names, whatever it
// names itself.
func (m Machine) Wanted() []journal.EntryID {
	const most = 256
	var out []journal.EntryID
	seen := map[journal.EntryID]bool{}
	add := func(id journal.EntryID, limit int) {
		if !m.State.Chains().Has(id) && !seen[id] && len(out) < limit {
			seen[id] = true
			out = append(out, id)
		}
	}
	// What the roster rests on comes first; the founder has this share alone.
	for id := range m.State.RosterRecords {
		add(id, most/4)
	}
	var lines [][]journal.Author
	if a := m.State.Active(); a != nil {
		for k, x := range a.Members {
			if !x.Hosted() {
				lines = append(lines, a.Identities(k))
			}
		}
	} else {
		for _, who := range m.State.Members() {
			lines = append(lines, []journal.Author{who})
		}
	}
	share := (most - most/4) / max(1, len(lines))
	for _, line := range lines {
		limit := len(out) + max(1, share)
		for _, who := range line {
			for id := range m.State.Missing(who) {
				if len(out) >= limit {
					break
				}
				add(id, limit)
			}
		}
	}
	return out
}
