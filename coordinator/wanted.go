package coordinator

import (
	"iter"

	"github.com/quorate/quorate/coordinator/mapkey"

	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/journal/pmap"
)

// wants is which entries somebody named, by `entries.named` or by a signature, and
// which of them are not held. A member brings 468,000 of them at once at most:
// 60 in an entry of 4 KiB (see quota).
type wants struct {
	by      pmap.Map[string, struct{}] // by entry | author
	missing pmap.Map[string, struct{}] // by author | entry
}

// want takes in that an author names an entry.
func (s State) want(id journal.EntryID, by journal.Author) State {
	if _, known := s.wants.by.Get(mapkey.Of2(id, by)); known {
		return s
	}
	s.wants.by = s.wants.by.Set(mapkey.Of2(id, by), struct{}{})
	if !s.chains.Has(id) {
		s.wants.missing = s.wants.missing.Set(mapkey.Of2(by, id), struct{}{})
		return s
	}
	if epoch, ok := s.book.under.Get(mapkey.Of(id)); ok {
		return s.signedUnder(id, epoch, by)
	}
	return s
}

// arrived takes in that an entry is held.
func (s State) arrived(id journal.EntryID) State {
	for k := range pmap.Prefix(s.wants.by, mapkey.Of(id)) {
		s.wants.missing = s.wants.missing.Delete(mapkey.Of2(journal.Author([]byte(k[32:])), id))
	}
	return s
}

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
				lines = append(lines, a.identities(k))
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

// NeededByOthers says whether something that a member wrote names an entry: a
// signature, a vote, `entries.named`, or a roster.
func (s State) NeededByOthers(id journal.EntryID) bool {
	if mapkey.HasPrefix(s.wants.by, mapkey.Of(id)) || mapkey.HasPrefix(s.votes, mapkey.Of(id)) {
		return true
	}
	_, ok := s.setup.rostered.Get(mapkey.Of(id))
	return ok
}

// Missing yields the entries that an author names and that are not held.
func (s State) Missing(who journal.Author) iter.Seq[journal.EntryID] {
	return func(yield func(journal.EntryID) bool) {
		for k := range pmap.Prefix(s.wants.missing, mapkey.Of(who)) {
			if !yield(journal.EntryID([]byte(k[32:]))) {
				return
			}
		}
	}
}
