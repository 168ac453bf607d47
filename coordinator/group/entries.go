package group

import (
	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/journal/pmap"
)

// entryFacts is which entries are held, and which of them are without effect. It
// is what everything rests on.
type entryFacts struct {
	self    *Self
	group   journal.GroupID
	genesis event.Genesis

	chains  journal.Chains
	cuts    pmap.Map[string, cutFact] // by chain
	inert   pmap.Map[string, Inert]   // by entry id
	bugs    pmap.Map[string, Ref]     // by entry id: those of inert that this program failed on
	unknown pmap.Map[string, Ref]     // by entry id: needs a newer version
	// faults counts, by author | rule, the entries without effect and those that
	// need a newer version.
	faults pmap.Map[string, uint64]
}

type cutFact struct {
	Seq uint64 `cbor:"1,keyasint"`
	Ref Ref    `cbor:"2,keyasint"`
}

// Inert is an entry without effect, and the rule it breaks. It counts against its author.
type Inert struct {
	Ref  Ref    `cbor:"1,keyasint"`
	Rule string `cbor:"2,keyasint"`
}

// FaultOf is an author, and a rule that entries of it break.
type FaultOf struct {
	Author journal.Author
	Rule   string
}

// Group returns the group's id.
func (s entryFacts) Group() journal.GroupID { return s.group }

// Genesis returns the group's genesis.
func (s entryFacts) Genesis() event.Genesis { return s.genesis }

// Chains returns the entries held, as positions.
func (s entryFacts) Chains() journal.Chains { return s.chains }

// Self returns what this node knows of itself.
func (s entryFacts) Self() *Self { return s.self }

// Me returns this node's identity.
func (s entryFacts) Me() journal.Author { return s.self.Identity.Author() }

// Inert returns the entries without effect, by the rule they break.
func (s entryFacts) Inert() []Inert {
	var out []Inert
	for _, i := range s.inert.All() {
		out = append(out, i)
	}
	return out
}

// Entries returns how many entries the frontier covers.
func (s entryFacts) Entries() int {
	n := 0
	for _, head := range s.chains.Frontier() {
		n += int(head.Seq)
	}
	return n
}

// Unknown returns how many entries need a newer version.
func (s entryFacts) Unknown() int { return s.unknown.Len() }

func (s entryFacts) asInert(r Ref, rule string) entryFacts {
	if old, ok := s.inert.Get(mapkey.Of(r.ID)); ok {
		s = s.fault(r, old.Rule, -1)
	}
	s.inert = s.inert.Set(mapkey.Of(r.ID), Inert{r, rule})
	return s.fault(r, rule, 1)
}

func (s entryFacts) asUnknown(r Ref) entryFacts {
	if _, ok := s.unknown.Get(mapkey.Of(r.ID)); ok {
		return s
	}
	s.unknown = s.unknown.Set(mapkey.Of(r.ID), r)
	return s.fault(r, faultNewer, 1)
}

// faultNewer is what entries of a kind that this version does not know count as.
const faultNewer = "needs_newer_version"

// fault counts what has no effect, by author and rule: what shows them need not
// go through all.
func (s entryFacts) fault(r Ref, rule string, by int) entryFacts {
	k := mapkey.Of(r.Chain.Author) + rule
	n, _ := s.faults.Get(k)
	s.faults = s.faults.Set(k, n+uint64(by))
	return s
}

// asFault keeps an entry without effect because this program failed on it.
func (s entryFacts) asFault(r Ref) entryFacts {
	s.bugs = s.bugs.Set(mapkey.Of(r.ID), r)
	return s.asInert(r, ruleReader)
}

// FaultCount returns how many entries this program failed on.
func (s entryFacts) FaultCount() int { return s.bugs.Len() }

// faultsBy counts the entries of each author that this program failed on.
func (s entryFacts) FaultsBy() map[journal.Author]int {
	out := map[journal.Author]int{}
	for _, r := range s.bugs.All() {
		out[r.Chain.Author]++
	}
	return out
}

// FaultsOf yields how many entries of an author have no effect, by the rule.
func (s entryFacts) FaultsOf(yield func(by FaultOf, n uint64) bool) {
	for k, n := range s.faults.All() {
		if n > 0 && !yield(FaultOf{journal.Author([]byte(k[:32])), k[32:]}, n) {
			return
		}
	}
}

// Superseded says whether a chain was cut by a later incarnation of its author.
func (s entryFacts) Superseded(c journal.ChainKey) bool {
	_, cut := s.cuts.Get(mapkey.Chain(c))
	return cut
}

// taintedApartFromEnd is taintedFrom without what replacements say.
func (s entryFacts) taintedApartFromEnd(c journal.ChainKey) uint64 {
	least := s.chains.ForkedAt(c)
	if cut, ok := s.cuts.Get(mapkey.Chain(c)); ok {
		least = lowerSeq(least, cut.Seq+1)
	}
	return least
}
