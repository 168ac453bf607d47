package group

import (
	"cmp"
	"maps"
	"slices"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/coordinator/record"
	"github.com/quorate/quorate/journal"
)

// Active returns the wallet once its roster is ratified by all, or nil.
func (s memberFacts) Active() *Active { return s.active }

// TaintedFrom returns the lowest seq of a chain from which on entries keep only
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

// SameMember says whether two identities write, or wrote, for one key.
func (s memberFacts) SameMember(a, b journal.Author) bool {
	if a == b || s.active == nil {
		return a == b
	}
	x, okX := s.active.KeyOf(a)
	y, okY := s.active.KeyOf(b)
	return okX && okY && x == y
}

// Succeeded says whether this node's identity has ended.
func (s memberFacts) Succeeded() bool {
	if s.active == nil || s.active.lines == nil {
		return false
	}
	_, ended := s.active.lines.ends[s.Me()]
	return ended
}

func (s memberFacts) IsNewcomer(who journal.Author) bool {
	_, ok := s.newcomers.Get(mapkey.Of(who))
	return ok
}

// mayWrite says whether an identity is one that a proposal may be of: of the
// roster, or named by a succession. Whether it counts is asked when it is used
// (see endedFrom).
func (s memberFacts) mayWrite(who journal.Author) bool {
	_, ok := s.active.original(who)
	return ok || s.IsNewcomer(who)
}

// HostsMember says whether this node hosts a cosigner of the active wallet.
func (s memberFacts) HostsMember(m Member) bool {
	return m.Hosted() && s.SameMember(m.Host, s.Me())
}

// Payer is whose allowance an author's entries are charged to: a member's own,
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

// ClaimHeld is what is held, of at most so many chains: those of members first, then
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

// SuccessionCount returns how many entries name a new device of a member.
func (s memberFacts) SuccessionCount() int { return s.successions.Len() }

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
	k := byRule(r.Chain.Author[:]) + byRule(rule)
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

// FaultsBy counts the entries of each author that this program failed on.
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
		if n > 0 && !yield(FaultOf{journal.Author([]byte(k[:32])), string(k[32:])}, n) {
			return
		}
	}
}

// Superseded says whether a chain was cut by a later incarnation of its author.
func (s entryFacts) Superseded(c journal.ChainKey) bool {
	_, cut := s.cuts.Get(mapkey.Chain(c))
	return cut
}

// taintedApartFromEnd is TaintedFrom without what successions say.
func (s entryFacts) taintedApartFromEnd(c journal.ChainKey) uint64 {
	least := s.chains.ForkedAt(c)
	if cut, ok := s.cuts.Get(mapkey.Chain(c)); ok {
		least = lowerSeq(least, cut.Seq+1)
	}
	return least
}

type entryKept struct {
	Group   journal.GroupID        `cbor:"2,keyasint"`
	Chains  []byte                 `cbor:"4,keyasint"`
	Cuts    []record.Pair[cutFact] `cbor:"7,keyasint"`
	Inert   []record.Pair[Inert]   `cbor:"12,keyasint"`
	Unknown []record.Pair[Ref]     `cbor:"13,keyasint"`
}

func (s entryFacts) kept(chains []byte) entryKept {
	return entryKept{s.group, chains, record.Dump(s.cuts), record.Dump(s.inert), record.Dump(s.unknown)}
}

func (k entryKept) into(s *entryFacts) {
	record.Undump(&s.cuts, k.Cuts)
	record.Undump(&s.inert, k.Inert)
	record.Undump(&s.unknown, k.Unknown)
}

type memberKept struct {
	Replaced  []record.Pair[Succession]     `cbor:"28,keyasint"`
	Replacing []record.Pair[successionVote] `cbor:"29,keyasint"`
	Features  []record.Pair[featureFact]    `cbor:"60,keyasint"`
	pingKept
	policyKept
}

func (s memberFacts) kept() memberKept {
	return memberKept{record.Dump(s.successions), record.Dump(s.successionVotes), record.Dump(s.features), s.pings.kept(), s.policies.kept()}
}

func (k memberKept) into(s *memberFacts) {
	record.Undump(&s.successions, k.Replaced)
	record.Undump(&s.successionVotes, k.Replacing)
	record.Undump(&s.features, k.Features)
	k.pingKept.into(&s.pings)
	k.policyKept.into(&s.policies)
}
