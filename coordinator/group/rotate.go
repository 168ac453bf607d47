package group

import (
	"github.com/quorate/quorate/coordinator/mapkey"

	"github.com/quorate/quorate/journal"
)

// rotatedAt returns the earliest time that a member claims for its rotation to
// the present members (Unix milliseconds), now at the latest.
func (s epochFacts) RotatedAt(epoch journal.EpochID, now int64) int64 {
	for _, at := range s.obeying(epoch) {
		if f, ok := s.rotations.Get(mapkey.Of(epoch) + at[len(at)-32:]); ok {
			now = min(now, f.Ref.Time)
		}
	}
	return now
}

// EpochsOf returns how many epochs of an identity count for the present members,
// and how many of these others had to seal again; false where it made none.
func (s epochFacts) EpochsOf(who journal.Author) (made, spoiled int, ok bool) {
	c, ok := s.book.counts.Get(mapkey.Of(who))
	return len(c.counted), c.spoiled, ok
}
