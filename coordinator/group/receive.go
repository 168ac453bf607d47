package group

import (
	"cmp"
	"maps"
	"slices"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
)

// claim is what is held, of at most so many chains: those of members first, then
// those of the roster, then of low incarnations. Else whoever makes chains
// without end, all of its own key, would have those of the others cut off.
func (s memberFacts) ClaimHeld(most int) port.Claim {
	c := port.Claim{Frontier: s.chains.Frontier(), Forks: s.chains.Forks()}
	if len(c.Frontier) <= most || s.active == nil {
		return c
	}
	class := func(k journal.ChainKey) int {
		if _, member := s.active.Index(k.Author); member {
			return 0
		}
		if _, roster := s.active.original(k.Author); roster {
			return 1
		}
		return 2
	}
	chains := slices.SortedFunc(maps.Keys(c.Frontier), func(a, b journal.ChainKey) int {
		return cmp.Or(cmp.Compare(class(a), class(b)), cmp.Compare(a.Incarnation, b.Incarnation), a.Compare(b))
	})
	for _, k := range chains[most:] {
		delete(c.Frontier, k)
	}
	c.Forks = slices.DeleteFunc(c.Forks, func(f journal.Fork) bool {
		_, kept := c.Frontier[f.Chain]
		return !kept
	})
	return c
}
