package group

import (
	"cmp"
	"slices"

	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/journal/pmap"
)

// A member has 64 chains for each of its identities, and may state a fact in each
// of them, of any number of transactions. So of the first entries of each chain
// one of each member decides. Which one is seen at once unless chains are tainted;
// those are gone through, and what is gone through is counted.

// Inquiry is what was asked about one transaction, of one State. All proposals of
// it spend the same coins, and have in common what follows from that.
type Inquiry struct {
	Asked    int   // entries and inputs that were gone through
	dead     *bool // whether it can never confirm
	replaced *bool // whether a final replacement is there
}

// once asks what was not asked before.
func once(known **bool, ask func() bool) bool {
	if *known == nil {
		is := ask()
		*known = &is
	}
	return **known
}

// AskedEach is how many entries or inputs are gone through for what one status
// costs that is derived, about 6 µs.
const AskedEach = 8

// Cost is what an inquiry cost, in statuses derived.
func (q *Inquiry) Cost(derived int) int { return max(1, derived+q.Asked/AskedEach) }

// decider is the entry of a member that decides: an untainted one before others,
// then one of an earlier identity, then of an earlier chain.
type decider struct {
	ref     Ref
	tainted bool
	place   int // of the identity in its line, past the last one if it is in none
}

func (d decider) compare(x decider) int {
	if d.tainted != x.tainted {
		if d.tainted {
			return 1
		}
		return -1
	}
	return cmp.Or(cmp.Compare(d.place, x.place), d.ref.Chain.Compare(x.ref.Chain))
}

// byLine returns, of proposals of which the first of each chain is kept, those
// that decide: one of each member, and one of all identities that are of none. It
// is untainted, or else lives by the signatures of others; there may be none.
func byLine[K ~string](s proposalFacts, m pmap.Map[K, Ref], fact K, q *Inquiry) []Ref {
	best := map[int]decider{}
	for from, more := fact, true; more; {
		more = false
		for k := range pmap.PrefixFrom(m, fact, from) {
			of := k[:len(fact)+32]
			if d, ok := decides(s, m, of, q); ok {
				line := s.inLine(&d)
				if old, ok := best[line]; !ok || d.compare(old) < 0 {
					best[line] = d
				}
			}
			from, more = mapkey.After(of), true
			break
		}
	}
	out := make([]Ref, 0, len(best))
	for _, d := range best {
		out = append(out, d.ref)
	}
	return out
}

// decides returns what decides of the entries of one identity: its first untainted
// one, or else the first one that lives.
func decides[K ~string](s proposalFacts, m pmap.Map[K, Ref], of K, q *Inquiry) (d decider, ok bool) {
	for _, r := range pmap.Prefix(m, of) {
		q.Asked++
		if !s.tainted(r) {
			return decider{ref: r}, true
		}
		if ok {
			continue
		}
		if p, known := s.Proposal(r.ID); known && s.Alive(p) {
			d, ok = decider{ref: r, tainted: true}, true
		}
	}
	return d, ok
}

// inLine says which line an entry is of, -1 for none, and notes its place there.
func (s proposalFacts) inLine(d *decider) int {
	k, ok := s.active.KeyOf(d.ref.Chain.Author)
	if !ok {
		return -1
	}
	line := s.active.Identities(k)
	if d.place = slices.Index(line, d.ref.Chain.Author); d.place < 0 {
		d.place = len(line)
	}
	return k
}

// statedBy says whether an untainted entry by whoever writes or wrote for the same
// key states a fact of which each chain's first statement is kept. An identity that
// is in no line has no untainted one.
func statedBy[K ~string](s proposalFacts, m pmap.Map[K, Ref], fact K, who journal.Author, q *Inquiry) bool {
	same := []journal.Author{who}
	if s.active != nil {
		if k, ok := s.active.KeyOf(who); ok {
			same = s.active.Identities(k)
		}
	}
	for _, a := range same {
		for _, r := range pmap.Prefix(m, fact+K(a[:])) {
			if q.Asked++; !s.tainted(r) {
				return true
			}
		}
	}
	return false
}
