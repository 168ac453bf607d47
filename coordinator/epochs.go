package coordinator

import "github.com/quorate/quorate/journal"

// newEpoch follows the epoch that is written under. Where none is sealed to
// exactly the members it follows epoch 0, which all hold: a new device need not
// be handed any other to find that it does.
func (s *step) newEpoch() journal.Epoch {
	st := s.m.State
	cur, ok := st.Fitting()
	if !ok {
		return journal.Epoch{Group: st.Group(), Number: 1, Parent: st.FirstEpochID(), Secret: s.draw()}
	}
	return journal.Epoch{Group: st.Group(), Number: cur.Number + 1, Parent: cur.ID(), Secret: s.draw()}
}
