package group

import (
	"encoding/binary"
	"iter"
	"slices"

	"github.com/quorate/quorate/coordinator/mapkey"

	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/journal/pmap"
)

// leaseFact is the first entry of a chain that took a receive index: where the
// first is tainted, all of them are.
type leaseFact struct {
	Ref   Ref    `cbor:"1,keyasint"`
	Index uint32 `cbor:"2,keyasint"`
}

// foldLease keeps one lease of each index and chain. So an author's allowance
// holds at most 32,768 of them, of 200 B: 6 MiB; and one index has at most as
// many as there are chains, 64 of each identity.
func (s proposalFacts) foldLease(ref Ref, index uint32) proposalFacts {
	k := leaseKey(index, ref.Chain)
	if old, ok := s.leases.Get(k); ok && !before(ref, old.Ref) {
		return s
	}
	s.leases = s.leases.Set(k, leaseFact{ref, index})
	s.leased = s.leased.Set(index, true)
	return s
}

// before says whether an entry of a chain comes before another one of it.
func before(a, b Ref) bool {
	if a.Seq != b.Seq {
		return a.Seq < b.Seq
	}
	return string(a.ID[:]) < string(b.ID[:]) // two sides of a fork
}

func leaseKey(index uint32, c journal.ChainKey) string {
	return leasesOf(index) + mapkey.Chain(c)
}

func leasesOf(index uint32) string {
	return string(binary.BigEndian.AppendUint32(make([]byte, 0, 4), index))
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

// tied returns the other members who handed out an address that this node
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
