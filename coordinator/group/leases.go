package group

import (
	"iter"
	"slices"

	"github.com/quorate/quorate/coordinator/ledger"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/journal/pmap"
)

// foldLease keeps one lease of each index and chain. So an author's allowance
// holds at most 32,768 of them, of 200 B: 6 MiB; and one index has at most as
// many as there are chains, 64 of each identity.
func (s proposalFacts) foldLease(ref Ref, index uint32) proposalFacts {
	k := leaseKey(index, ref.Chain)
	if old, ok := s.leases.Get(k); ok && !before(ref, old.Ref) {
		return s
	}
	s.leases = s.leases.Set(k, leaseFact{ref, index})
	s.leased = s.leased.Set(pmap.Num(uint64(index)), true)
	return s
}

// leasedAny says whether an untainted entry took an index.
func (s proposalFacts) leasedAny(index uint32) bool {
	for _, l := range pmap.Prefix(s.leases, leasesOf(index)) {
		if !s.tainted(l.Ref) {
			return true
		}
	}
	return false
}

// Tied returns the other members who handed out an address that this node
// handed out too, not having heard of each other, and when this node did.
func (s proposalFacts) Tied(index uint32) (others []journal.Author, when int64) {
	mine := false
	for _, l := range pmap.Prefix(s.leases, leasesOf(index)) {
		who := l.Ref.Chain.Author
		switch {
		case s.tainted(l.Ref):
		case s.SameMember(who, s.Me()):
			mine, when = true, l.Ref.Time
		case !slices.Contains(others, who):
			others = append(others, who)
		}
	}
	if !mine {
		return nil, 0
	}
	return others, when
}

// LeasedBy yields the authors of the entries that took an index, tainted or not.
func (s proposalFacts) LeasedBy(index uint32) iter.Seq[journal.Author] {
	return func(yield func(journal.Author) bool) {
		for _, l := range pmap.Prefix(s.leases, leasesOf(index)) {
			if !yield(l.Ref.Chain.Author) {
				return
			}
		}
	}
}

// LeasedWithin returns the part of a span from the first to the last index that
// an untainted entry took.
func (s proposalFacts) LeasedWithin(x ledger.Span) ledger.Span {
	var out ledger.Span
	for i := x.From; i < x.Until; i++ {
		if s.leasedAny(i) {
			out = out.Join(ledger.Span{From: i, Until: i + 1})
		}
	}
	return out
}

// LeasedByOther says of each receive index from one on whether an untainted entry took
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
