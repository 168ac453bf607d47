package group

import (
	"iter"

	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/journal"
)

// want takes in that an author names an entry.
func (s epochFacts) want(id journal.EntryID, by journal.Author) epochFacts {
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
func (s epochFacts) arrived(id journal.EntryID) epochFacts {
	for k := range mapkey.Under(s.wants.by, id) {
		s.wants.missing = s.wants.missing.Delete(mapkey.Of2(k.Second(), id))
	}
	return s
}

// Missing yields the entries that an author names and that are not held.
func (s epochFacts) Missing(who journal.Author) iter.Seq[journal.EntryID] {
	return func(yield func(journal.EntryID) bool) {
		for k := range mapkey.Under(s.wants.missing, who) {
			if !yield(k.Second()) {
				return
			}
		}
	}
}
