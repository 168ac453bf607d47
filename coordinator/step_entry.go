package coordinator

import (
	"errors"

	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
)

// entry takes an entry of somebody else, or of this node's own that it lacks:
// envelope, author and linkage decide whether it is stored and passed on; what
// it means decides only its effect.
func (s *step) entry(e *journal.Entry, take func(group.State, *journal.Entry, bool) (group.State, journal.Outcome, error)) error {
	st := s.m.State
	h := e.Header()
	switch {
	case h.Group != st.Group():
		return port.RejectGroup
	case st.Chains().Has(e.ID()):
		s.do(Reply{}) // held already, and so durable already
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
		s.do(Reply{})
		return nil
	}
	s.m.State = next.Derived()
	if out == journal.Forked {
		s.do(Tell{port.Notice{Type: "alarm", Group: st.Group(), Detail: "equivocation by " + h.Author.String()}})
	}
	s.batch.Entries = append(s.batch.Entries, e)
	s.do(Reply{Stored{}})
	return nil
}
