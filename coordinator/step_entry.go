package coordinator

import (
	"errors"
	"slices"

	"github.com/quorate/quorate/journal"
)

// entry takes an entry of somebody else, or of this node's own that it lacks:
// envelope, author and linkage decide whether it is stored and passed on; what
// it means decides only its effect.
func (s *step) entry(e *journal.Entry, take func(State, *journal.Entry, bool) (State, journal.Outcome, error)) error {
	st := s.m.State
	h := e.Header()
	switch {
	case h.Group != st.group:
		return RejectGroup
	case st.chains.Has(e.ID()):
		s.do(Reply{}) // held already, and so durable already
		return nil
	case !st.knows(h.Author):
		return IgnoreAuthor
	}
	next, out, err := take(st, e, s.m.wanted(e.ID()))
	var gap *journal.MissingError
	switch {
	case errors.As(err, &gap):
		return &GapError{Chain: e.Chain(), From: gap.From, Need: gap.Need}
	case errors.Is(err, journal.ErrUnwanted):
		return IgnoreUnlinked
	case err != nil:
		return RejectMalformed
	case out == journal.Duplicate:
		s.do(Reply{})
		return nil
	}
	s.m.State = next.derived()
	if out == journal.Forked {
		s.do(Tell{Notice{Type: "alarm", Group: st.group, Detail: "equivocation by " + h.Author.String()}})
	}
	s.batch.Entries = append(s.batch.Entries, e)
	s.do(Reply{Stored{}})
	return nil
}

// wanted says whether an entry past a fork is of use: somebody's signature or
// vote names it, or it is evidence.
func (m Machine) wanted(id journal.EntryID) bool {
	if m.State.active == nil {
		// What the roster rests on counts tainted or not, and no entry names it.
		return true
	}
	for range scan(m.State.named, key(id)) {
		return true
	}
	for range scan(m.State.carriers, key(id)) {
		return true
	}
	for range scan(m.State.votes, key(id)) {
		return true
	}
	for _, f := range m.State.rosters.All() {
		for _, r := range f.Records {
			if r == id {
				return true
			}
		}
	}
	return false
}

// Wanted lists entries that others name and this node lacks, where the named
// one may lie past a fork. It is bounded: the rest comes with later syncs.
func (m Machine) Wanted() []journal.EntryID {
	const most = 256
	var out []journal.EntryID
	// What the roster rests on comes first: a member can name any number of
	// proposals that are not there.
	for _, f := range m.State.rosters.All() {
		for _, id := range f.Records {
			if !m.State.chains.Has(id) && len(out) < most/2 {
				out = append(out, id)
			}
		}
	}
	for k := range m.State.named.All() {
		if id := journal.EntryID([]byte(k[:32])); !m.State.chains.Has(id) && !slices.Contains(out, id) && len(out) < most/2 {
			out = append(out, id)
		}
	}
	// A member who signs proposals that are nowhere delays none that another
	// one names: each has a share.
	share := (most - len(out)) / MaxCosigners
	last, asked := "", map[journal.Author]int{}
	for k, c := range m.State.carriers.All() {
		p, who := k[:32], c.Ref.Chain.Author
		id := journal.EntryID([]byte(p))
		if p == last || asked[who] == share || m.State.chains.Has(id) {
			continue
		}
		last = p
		asked[who]++
		out = append(out, id)
	}
	return out
}
