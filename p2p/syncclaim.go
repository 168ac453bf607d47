package p2p

import (
	"maps"
	"slices"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
)

// claimFrame makes the hello or claim of a group. A claim over the limits is
// cut: what is cut off is not synced from here, and nobody is told a lie.
func claimFrame(kind uint64, id journal.GroupID, c port.Claim, records [][]byte) *frame {
	f := &frame{Kind: kind, Group: id[:], Records: records[:min(len(records), maxRecords)]}
	chains := slices.SortedFunc(maps.Keys(c.Frontier), journal.ChainKey.Compare)
	for _, k := range chains[:min(len(chains), maxChains)] {
		p := c.Frontier[k]
		f.Frontier = append(f.Frontier, wirePosition{
			Author: k.Author[:], Incarnation: uint64(k.Incarnation), Seq: p.Seq, ID: p.ID[:],
		})
	}
	forks := slices.SortedFunc(slices.Values(c.Forks), func(a, b journal.Fork) int { return a.Chain.Compare(b.Chain) })
	for _, k := range forks[:min(len(forks), maxChains)] {
		f.Forks = append(f.Forks, wireFork{
			Author: k.Chain.Author[:], Incarnation: uint64(k.Chain.Incarnation), Seq: k.Seq, A: k.A[:], B: k.B[:],
		})
	}
	return f
}

// claim returns the claim in a hello or claim frame that parse accepted.
func (f *frame) claim() port.Claim {
	c := port.Claim{Frontier: make(journal.Frontier, len(f.Frontier))}
	for _, p := range f.Frontier {
		k, _ := chainKey(p.Author, p.Incarnation)
		c.Frontier[k] = journal.Position{Seq: p.Seq, ID: journal.EntryID(p.ID)}
	}
	for _, p := range f.Forks {
		k, _ := chainKey(p.Author, p.Incarnation)
		c.Forks = append(c.Forks, journal.Fork{
			Chain: k, Seq: p.Seq, A: journal.EntryID(p.A), B: journal.EntryID(p.B),
		})
	}
	return c
}

func forkOf(c port.Claim) map[journal.ChainKey]uint64 {
	m := make(map[journal.ChainKey]uint64, len(c.Forks))
	for _, f := range c.Forks {
		if s, ok := m[f.Chain]; !ok || f.Seq < s {
			m[f.Chain] = f.Seq
		}
	}
	return m
}
