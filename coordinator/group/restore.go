package group

import (
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/journal/pmap"
)

// covers says whether everything is held that a member claimed to hold, as far
// as it can be: past another's fork nothing is linked.
func (s setupFacts) Covers(claims pmap.Map[string, journal.Frontier], who journal.Author) bool {
	f, ok := claims.Get(string(who[:]))
	if !ok {
		return false
	}
	for chain, at := range f {
		if s.chains.Has(at.ID) || !s.Knows(chain.Author) {
			continue
		}
		if fork := s.chains.ForkedAt(chain); fork == 0 || fork > at.Seq || chain.Author == s.Me() {
			return false
		}
	}
	return true
}
