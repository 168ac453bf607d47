package coordinator

import (
	"errors"

	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
)

// entry takes an entry of somebody else, or of this node's own that it lacks:
// envelope, author and linkage decide whether it is stored and passed on; what
// it means decides only its effect.
func (s *step) entry(e *journal.Entry, take func(group.State, *journal.Entry, bool) (group.State, journal.Outcome, error)) error {
	st := s.m.State
	h := e.Header()
	s.from = h.Author
	switch {
	case h.Group != st.Group():
		return port.RejectGroup
	case st.Chains().Has(e.ID()):
		answer(s, EntryIn{e}, Stored{}) // held already, and so durable already
		return nil
	case !st.Knows(h.Author):
		return port.IgnoreAuthor
	}
	next, out, err := take(st, e, s.m.wanted(e.ID()))
	var gap *journal.MissingError
	switch {
	case errors.As(err, &gap):
		return &port.GapError{Chain: e.Chain(), From: gap.From, Need: gap.Need}
	case errors.Is(err, journal.ErrUnwanted):
		return port.IgnoreUnlinked
	case err != nil:
		return port.RejectMalformed
	case out == journal.Duplicate:
		answer(s, EntryIn{e}, Stored{})
		return nil
	}
	s.m.State = next.Derived()
	if out == journal.Forked {
		// Of each chain once: who deceives may write any number of pairs.
		if st.Chains().ForkedAt(e.Chain()) == 0 {
			s.tellAlarm(s.m.forkAlarm(h.Author))
		}
	}
	s.batch.Entries = append(s.batch.Entries, e)
	answer(s, EntryIn{e}, Stored{New: true})
	return nil
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

// Vouched says whether enough other members claim to hold an entry that one of
// them took it within its own allowance. Claims are the word of who makes them, up
// to k-1 members collude, and the author may be one of them: k-1 others are one
// more than can lie. Where no so many are left besides the author and this node,
// which is where all must sign, nobody vouches.
func (m *Machine) Vouched(e *journal.Entry) bool {
	h := e.Header()
	need := max(1, m.State.Genesis().Threshold-1)
	if need > m.State.Genesis().Cosigners-2 {
		return false
	}
	for _, who := range m.State.Members() {
		if who == h.Author || who == m.State.Me() {
			continue
		}
		if f, ok := m.claims.Get(mapkey.Of(who)); ok && f[e.Chain()].Seq >= h.Seq {
			if need--; need == 0 {
				return true
			}
		}
	}
	return false
}
