package group

import (
	"github.com/quorate/quorate/journal"
)

// payer is whose allowance an author's entries are charged to: a member's own,
// and for those that a key named and that are no members (replaced, contested)
// one for all of them, since a key can name any number.
func (s memberFacts) Payer(a journal.Author) journal.Author {
	if s.active == nil {
		return a
	}
	k, ok := s.active.KeyOf(a)
	if !ok || s.active.Members[k].Identity == a {
		return a
	}
	original := s.active.Members[k].Original
	return journal.H("quota", original[:])
}
