package group

import (
	"github.com/quorate/quorate/coordinator/mapkey"

	"github.com/quorate/quorate/journal"
)

// toHand says whether this node has not sealed an epoch to a member yet, in a
// rotation for all or for that one.
func (s epochFacts) ToHand(ep journal.Epoch, who journal.Author) bool {
	_, given := s.book.given.Get(mapkey.Of3(ep.ID(), who, s.Me()))
	return !given
}

// Seats is a hash of who the members are and who holds which place.
func (s epochFacts) Seats() [32]byte { return s.book.seats }

// WroteUnder returns the first author and epoch that it wrote under, from a place
// on, and their place, "" at the end.
func (s epochFacts) WroteUnder(from string) (by journal.Author, epoch journal.EpochID, at string) {
	for k := range s.book.wrote.From(from) {
		return journal.Author([]byte(k[:32])), journal.EpochID([]byte(k[32:])), k
	}
	return by, epoch, ""
}
