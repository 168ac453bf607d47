package group

import (
	"cmp"
	"maps"
	"slices"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/journal/pmap"
)

// memberFacts is who writes for which key, and which entries are tainted.
type memberFacts struct {
	entryFacts

	active       *Active
	replaced     pmap.Map[string, ReplacedFact] // by chain | seq | entry id
	newcomers    pmap.Map[string, struct{}]     // by identity: those that a valid replacement names, in effect or not
	replaceVotes pmap.Map[string, replaceVote]  // see voteKey

	// relineDue: who the members are has to be worked out anew; retainted lists
	// the chains that are tainted from elsewhere on since derived last looked.
	relineDue bool
	retainted []retaint
}

// Active returns the wallet once its roster is ratified by all, or nil.
func (s memberFacts) Active() *Active { return s.active }

// taintedFrom returns the lowest seq of a chain from which on entries keep only
// the effects that prove themselves, or 0 if there is none: its lowest fork, what
// lies past the cut of a later incarnation, or past the end of an identity that
// was replaced.
func (s memberFacts) TaintedFrom(c journal.ChainKey) uint64 {
	least := s.taintedApartFromEnd(c)
	if s.active != nil {
		least = lowerSeq(least, s.endedFrom(s.active.lines, c))
	}
	return least
}

// tainted says whether an entry keeps only the effects that prove themselves.
func (s memberFacts) tainted(r Ref) bool {
	from := s.TaintedFrom(r.Chain)
	return from != 0 && r.Seq >= from
}

// retaint notes that a chain may be tainted from elsewhere on than before, and
// what rests on it.
func (s memberFacts) retaint(c journal.ChainKey, before uint64) memberFacts {
	from := s.TaintedFrom(c)
	if from == before {
		return s
	}
	s.retainted = append(s.retainted[:len(s.retainted):len(s.retainted)], retaint{c, from, before})
	return s
}

// endedFrom returns the seq from which on a chain lies past the end of an
// identity that was replaced, or is of one that was named and did not become a
// member; 0 if it does not.
func (s memberFacts) endedFrom(l *lines, c journal.ChainKey) uint64 {
	if s.IsNewcomer(c.Author) && (l == nil || !l.member[c.Author]) {
		return 1
	}
	if l == nil {
		return 0
	}
	if cuts, ok := l.ends[c.Author]; ok {
		return cuts[c.Incarnation] + 1
	}
	return 0
}

// sameMember says whether two identities write, or wrote, for one key.
func (s memberFacts) SameMember(a, b journal.Author) bool {
	if a == b || s.active == nil {
		return a == b
	}
	x, okX := s.active.KeyOf(a)
	y, okY := s.active.KeyOf(b)
	return okX && okY && x == y
}

// wasReplaced says whether this node's identity has ended.
func (s memberFacts) WasReplaced() bool {
	if s.active == nil || s.active.lines == nil {
		return false
	}
	_, ended := s.active.lines.ends[s.Me()]
	return ended
}

func (s memberFacts) IsNewcomer(who journal.Author) bool {
	_, ok := s.newcomers.Get(string(who[:]))
	return ok
}

// mayWrite says whether an identity is one that a proposal may be of: of the
// roster, or named by a replacement. Whether it counts is asked when it is used
// (see endedFrom).
func (s memberFacts) mayWrite(who journal.Author) bool {
	_, ok := s.active.original(who)
	return ok || s.IsNewcomer(who)
}

// hosts says whether this node hosts a cosigner of the active wallet.
func (s memberFacts) HostsMember(m Member) bool {
	return m.Hosted() && s.SameMember(m.Host, s.Me())
}

// payer is whose allowance an author's entries are charged to: a member's own,
// and for those that a key named and that are no members (replaced, contested)
// one for all of them, since a key can name any number.
func (s memberFacts) Payer(a journal.Author) journal.Author {
	if s.active == nil {
		return a
	}
	k, ok := s.active.KeyOf(a)
	if !ok || s.active.Members[k].Identity == a {
		return a
	}
	original := s.active.Members[k].Original
	return journal.H("quota", original[:])
}

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

// selves yields the identities that write, or wrote, for this node's key.
func (s memberFacts) selves(yield func(journal.Author) bool) {
	me := s.Me()
	if !yield(me) || s.active == nil || s.active.lines == nil {
		return
	}
	at, ok := s.active.KeyOf(me)
	for who, k := range s.active.lines.key {
		if ok && k == at && who != me && !yield(who) {
			return
		}
	}
}

func (s memberFacts) foldIncarnation(ref Ref, b *event.IncarnationStarted) memberFacts {
	if ref.Seq != 1 || ref.Chain.Incarnation < 2 {
		s.entryFacts = s.entryFacts.asInert(ref, ruleIncarnation)
		return s
	}
	before := journal.ChainKey{Author: ref.Chain.Author, Incarnation: ref.Chain.Incarnation - 1}
	old, ok := s.cuts.Get(mapkey.Chain(before))
	if !ok || b.Seq < old.Seq || (b.Seq == old.Seq && string(ref.ID[:]) < string(old.Ref.ID[:])) {
		was := s.TaintedFrom(before)
		s.cuts = s.cuts.Set(mapkey.Chain(before), cutFact{b.Seq, ref})
		s = s.retaint(before, was)
	}
	return s
}

// ReplacementCount returns how many entries name a new device of a member.
func (s memberFacts) ReplacementCount() int { return s.replaced.Len() }
