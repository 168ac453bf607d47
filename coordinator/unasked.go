package coordinator

// writeUnasked writes what nobody asked of this node, but what it carries: the kind
// whose turn it is first. Where it comes to the turn of what is carried, the rest is
// left for the next step.
func (s *step) writeUnasked() error {
	if s.m.State.Active() == nil {
		return nil
	}
	first := s.m.turns.kind
	for n := range writesKinds {
		kind := (first + n) % writesKinds
		var write func() error
		switch kind {
		case writesAsks:
			write = s.tellStanza
		case writesAnswers:
			write = s.sealAgain
		case writesEvidence:
			write = s.nameEvidence
		case writesHanded:
			write = s.letInSuccessors
		case writesStrange:
			write = s.askUnheard
		case writesCarried:
			if n < writesKinds-1 && s.m.watch.carry.Len() > 0 && s.spare() {
				s.held = true
				return nil
			}
			continue
		}
		before := len(s.batch.Entries)
		// A node that must not write goes on reading.
		if err := s.try(write); err != nil && !mayNotWrite(err) {
			return err
		}
		if len(s.batch.Entries) > before && !s.spare() {
			s.m.turns.kind = kind + 1
		}
	}
	return nil
}

// carryInTurn carries signatures, and passes the turn on where it is used up.
func (s *step) carryInTurn() {
	before := len(s.batch.Entries)
	s.carrySignatures()
	if s.held || len(s.batch.Entries) > before && !s.spare() {
		s.m.turns.kind = writesAsks
	}
}
