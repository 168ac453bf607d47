package group

import (
	"github.com/quorate/quorate/coordinator/ledger"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/journal/pmap"
)

// taken says of each receive index from one on whether an untainted entry took
// it. Of each other member it counts the first leases, up to most.
func (s proposalFacts) LeasedByOther(from uint32, most int) []bool {
	out := make([]bool, ledger.Watchable)
	count := map[journal.Author]int{}
	for i := range out {
		for _, l := range pmap.Prefix(s.leases, leasesOf(from+uint32(i))) {
			who := l.Ref.Chain.Author
			if s.tainted(l.Ref) || (count[who] == most && !s.SameMember(who, s.Me())) {
				continue
			}
			count[who]++
			out[i] = true
		}
	}
	return out
}
