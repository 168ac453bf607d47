package coordinator

// tellTies tells, once for each address, that another member gave it to a
// payer as well: of those that were leased in this step, and were no tie before.
func (s *step) tellTies() {
	st, indexes := s.m.State.TakeLeased()
	s.m.State = st
	for _, index := range indexes {
		if others, _ := s.before.State.Tied(index); len(others) > 0 {
			continue
		}
		if others, when := s.m.State.Tied(index); len(others) > 0 {
			s.tellAlarm(s.m.tieAlarm(index, others, when))
		}
	}
}
