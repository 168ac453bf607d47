package coordinator

import (
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/journal"
)

// inPlace is the state of a node that took a lost one's place, where this one did.
func (l Local) inPlace(st group.State) group.State {
	if l.Replaces == (journal.Author{}) {
		return st
	}
	return st.InPlaceOf(l.Inviter, l.Replaces, l.Key)
}

// pinAgain pins what this node's earlier identity ratified, without asking for
// the words again: that identity is known by its record, which this node's own
// key proved, and it ratified once. Where it ratified several, or the key's
// proof is of another kind, the user compares the words.
func (s *step) pinAgain() error {
	st := s.m.State
	if !st.TakesPlace() || st.Pinned() != ([32]byte{}) || st.Active() != nil {
		return nil
	}
	facts := st.SetupFacts()
	if facts == s.m.repinned {
		return nil
	}
	s.m.repinned = facts
	hash, ok := st.PinnedBefore()
	if !ok {
		return nil
	}
	if st = st.Pin(hash); st.Active() == nil {
		return nil // not all is here yet
	}
	s.m.State = st
	s.batch.Puts[recPin] = hash[:]
	return nil
}
