package group

import (
	"slices"
)

// partOf says whether a snapshot holds what the entries it covers say.
func (s State) PartOf(all State) bool {
	if s.chains.Len() == all.chains.Len() {
		a, errA := s.Snapshot()
		b, errB := all.Snapshot()
		return errA == nil && errB == nil && slices.Equal(a, b)
	}
	for c := range s.chains.Keys() {
		for id := range s.chains.LooseEntries(c) {
			if !all.chains.Has(id.ID) {
				return false
			}
		}
		if at, ok := s.chains.Frontier()[c]; ok && !all.chains.Has(at.ID) {
			return false
		}
	}
	return true
}
