package group

import (
	"bytes"
	"encoding/binary"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/quorate/quorate/coordinator/mapkey"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/journal/pmap"
)

type ReplacedFact struct {
	Ref  Ref                   `cbor:"1,keyasint"`
	Body *event.MemberReplaced `cbor:"2,keyasint"`
}

type replaceVote struct {
	Ref         Ref      `cbor:"1,keyasint"`
	Replacement [32]byte `cbor:"2,keyasint"`
}

// maxLine bounds how often one key's identity is followed from one to the next.
const maxLine = 64

// lines is who writes for each key now, worked out from the replacements.
// It is immutable.
type lines struct {
	// of has the identities of each key, from the roster's on; the last one is
	// the member, unless the key is contested.
	of [][]journal.Author
	// key is the key of each identity that a roster or a proven or approved
	// replacement names, whether it took effect or not.
	key map[journal.Author]int
	// sealing is the key that a replacement in effect gives an identity.
	sealing map[journal.Author][32]byte
	// member are the identities of all of of.
	member map[journal.Author]bool
	// ends are the cuts of identities that were replaced.
	ends map[journal.Author]map[uint8]uint64
	// contested has what stands against each other, by key.
	contested map[int][]ReplacedFact
	// rests lists entries that of rests on.
	rests []Ref
}

// maxRests is how many entries that state a replacement in effect, or of each
// key the replacements that contest it, are handed on where they lie past a fork.
// More of them change nothing but where the replaced one ends.
const maxRests = 16

// rest notes the first of some entries that the lines rest on.
func (l *lines) rest(fs []ReplacedFact) {
	for _, f := range fs[:min(len(fs), maxRests)] {
		l.rests = append(l.rests, f.Ref)
	}
}

// checkReplaced verifies what can be verified of a replacement with the roster
// alone, whoever carries it.
func (s State) CheckReplaced(b *event.MemberReplaced) bool {
	if int(b.Key) >= len(s.active.Members) {
		return false
	}
	if _, err := journal.SealSecret(journal.Epoch{Group: s.group}, b.Old, b.New, b.Sealing); err != nil {
		return false
	}
	id := b.ID(s.group)
	if journal.VerifyIdentity(b.New, event.ConsentTag, id[:], b.Consent) != nil {
		return false
	}
	m := s.active.Members[b.Key]
	if m.Hosted() {
		return false // it has no node to replace
	}
	if len(b.Proof) == 0 {
		return m.Proof != event.ProofOwn
	}
	return m.Key.VerifyHash(id, b.Proof) == nil
}

// foldReplaced keeps a replacement, and what it changes once the wallet is active.
func (s State) foldReplaced(f ReplacedFact) State {
	if s.active != nil && !s.CheckReplaced(f.Body) {
		return s.asInert(f.Ref, ruleReplacement)
	}
	s.replaced = s.replaced.Set(replacedKey(f.Ref), f)
	if s.active == nil {
		return s
	}
	s.relineDue = s.relineDue || s.mayCount(f)
	return s.newcomer(f.Body.New)
}

// newcomer takes in an identity that a valid replacement names: what it wrote is
// looked at, and is tainted until it is a member.
func (s State) newcomer(who journal.Author) State {
	if s.IsNewcomer(who) {
		return s
	}
	before := s
	s.newcomers = s.newcomers.Set(string(who[:]), struct{}{})
	for c := range s.chains.KeysOf(who) {
		s = s.retaint(c, before.TaintedFrom(c))
	}
	return s.authorKnown(who)
}

func (s State) IsNewcomer(who journal.Author) bool {
	_, ok := s.newcomers.Get(string(who[:]))
	return ok
}

// replacedKey puts the replacements that one identity carries in order.
func replacedKey(r Ref) string {
	return mapkey.Chain(r.Chain) + string(binary.BigEndian.AppendUint64(nil, r.Seq)) + mapkey.Of(r.ID)
}

// MaxCarried is how many of the replacements that one identity carries count,
// its first ones: a key can name any number of identities, and each entry would
// have all of them looked at again. A member carries one for each device that it lets in.
const MaxCarried = 64

// mayCount says whether a replacement is among the first that its carrier brought:
// another one changes nothing of who the members are.
func (s State) mayCount(f ReplacedFact) bool {
	n := 0
	for k := range pmap.Prefix(s.replaced, string(f.Ref.Chain.Author[:])) {
		if k == replacedKey(f.Ref) {
			return true
		}
		if n++; n == MaxCarried {
			break
		}
	}
	return false
}

// counting yields the replacements that count.
func (s State) CountingReplacements(yield func(ReplacedFact) bool) {
	for from := ""; ; {
		n, more := 0, false
		var who journal.Author
		for _, f := range s.replaced.From(from) {
			if n > 0 && f.Ref.Chain.Author != who {
				break
			}
			who, more = f.Ref.Chain.Author, true
			if n++; n > MaxCarried {
				break
			}
			if !yield(f) {
				return
			}
		}
		if !more {
			return
		}
		from = string(who[:]) + "\xff"
	}
}

// relined works out the members anew, where something that they rest on
// changed, and takes in what authors wrote who were not known to belong to a key
// before.
func (s State) relined() State {
	if !s.relineDue && len(s.retainted) == 0 || s.active == nil {
		return s
	}
	s.relineDue = false
	if s.replaced.Len() == 0 {
		return s
	}
	old := s.active.lines
	a := *s.active
	a.lines = nil
	s.active = &a
	// Approvals count by who is a member, which may itself rest on approvals:
	// a fixed number of rounds at most, so that all come to the same.
	for round := range 4 {
		before := a.lines
		a.lines = s.worked(round > 0)
		a.Members = slices.Clone(a.Members)
		for i, m := range a.Members {
			m.Identity, m.Sealing = m.Original, m.FirstSealing
			line := a.lines.of[i]
			if last := line[len(line)-1]; last != m.Original {
				m.Identity = last
				m.Sealing = a.lines.sealing[last]
			}
			if len(a.lines.contested[i]) > 0 {
				m.Identity = journal.Author{}
			}
			a.Members[i] = m
		}
		if round > 0 && reflect.DeepEqual(before.of, a.lines.of) && reflect.DeepEqual(before.ends, a.lines.ends) {
			break // a further round would say the same
		}
	}
	return s.retaintEnded(old)
}

// retaintEnded notes the chains of the identities that end elsewhere than before.
func (s State) retaintEnded(old *lines) State {
	now := s.active.lines
	who := map[journal.Author]bool{}
	for _, l := range []*lines{old, now} {
		if l == nil {
			continue
		}
		for a := range l.ends {
			who[a] = true
		}
		for a := range l.member {
			who[a] = true
		}
	}
	for _, a := range slices.SortedFunc(maps.Keys(who), func(a, b journal.Author) int { return bytes.Compare(a[:], b[:]) }) {
		for c := range s.chains.KeysOf(a) {
			was, is := s.endedFrom(old, c), s.endedFrom(now, c)
			if was == is {
				continue
			}
			others := s.taintedApartFromEnd(c)
			if before, from := lowerSeq(others, was), lowerSeq(others, is); before != from {
				s.retainted = append(s.retainted[:len(s.retainted):len(s.retainted)], retaint{c, from, before})
			}
		}
	}
	return s
}

// mayWrite says whether an identity is one that a proposal may be of: of the
// roster, or named by a replacement. Whether it counts is asked when it is used
// (see endedFrom).
func (s State) mayWrite(who journal.Author) bool {
	_, ok := s.active.original(who)
	return ok || s.IsNewcomer(who)
}

// worked follows each key from its roster identity to the one that holds now.
func (s State) worked(votes bool) *lines {
	l := &lines{
		of: make([][]journal.Author, len(s.active.Members)), key: map[journal.Author]int{},
		sealing: map[journal.Author][32]byte{}, member: map[journal.Author]bool{},
		ends: map[journal.Author]map[uint8]uint64{}, contested: map[int][]ReplacedFact{},
	}
	for i, m := range s.active.Members {
		if !m.Hosted() {
			l.key[m.Original], l.member[m.Original] = i, true
		}
	}
	// By key and old identity, and only what counts at all.
	at := map[replacing][]ReplacedFact{}
	var told Ballot
	if votes {
		told = s.Ballot()
	}
	for f := range s.CountingReplacements {
		if len(f.Body.Proof) > 0 || votes && len(told.Approvers(f.Body.ID(s.group))) >= s.ApprovalsNeeded() {
			p := replacing{int(f.Body.Key), f.Body.Old}
			at[p] = append(at[p], f)
		}
	}
	var others []ReplacedFact // that name no member
	for i, m := range s.active.Members {
		line := []journal.Author{m.Original}
		for len(line) < maxLine {
			old := line[len(line)-1]
			cands := slices.DeleteFunc(at[replacing{i, old}], func(f ReplacedFact) bool { return l.member[f.Body.New] })
			if len(cands) == 0 {
				break
			}
			others = append(others, cands...)
			rivals := distinct(cands)
			winners := rivals
			if len(rivals) > 1 {
				winners = slices.DeleteFunc(slices.Clone(rivals), func(f ReplacedFact) bool {
					return !votes || told.approvedAny(s.group, cands, f) < s.ApprovalsNeeded()
				})
			}
			if len(winners) != 1 {
				l.end(old, cands)
				l.contested[i] = rivals
				l.rest(rivals)
				break
			}
			won := winners[0]
			same := slices.DeleteFunc(cands, func(f ReplacedFact) bool { return !sameReplacement(f, won) })
			l.end(old, same)
			l.rest(same)
			l.key[won.Body.New], l.member[won.Body.New], l.sealing[won.Body.New] = i, true, won.Body.Sealing
			line = append(line, won.Body.New)
		}
		l.of[i] = line
	}
	l.know(others)
	return l
}

// replacing is what replacements are rivals for.
type replacing struct {
	key int
	old journal.Author
}

// MaxKnown is of how many identities that are no members, of those that one
// member carried for a key, entries are taken: their signatures count all the
// same. The other ones are heard once they are members.
const MaxKnown = 4

// know takes the identities for known that are no members, or not yet, and that
// members carried. Without a bound one key could fill every claim with its chains.
func (l *lines) know(others []ReplacedFact) {
	slices.SortFunc(others, func(a, b ReplacedFact) int { return strings.Compare(replacedKey(a.Ref), replacedKey(b.Ref)) })
	type by struct {
		carrier journal.Author
		key     uint32
	}
	n := map[by]int{}
	for _, f := range others {
		if _, known := l.key[f.Body.New]; known || !l.member[f.Ref.Chain.Author] {
			continue
		}
		at := by{f.Ref.Chain.Author, f.Body.Key}
		if n[at]++; n[at] <= MaxKnown {
			l.key[f.Body.New] = int(f.Body.Key)
		}
	}
}

// end says where an identity ends that was replaced: of several cuts the lowest counts.
func (l *lines) end(who journal.Author, fs []ReplacedFact) {
	var least map[uint8]uint64
	for _, f := range fs {
		cut := map[uint8]uint64{}
		for _, c := range f.Body.Cuts {
			cut[c.Incarnation] = c.Seq
			if least != nil {
				cut[c.Incarnation] = min(c.Seq, least[c.Incarnation])
			}
		}
		least = cut
	}
	l.ends[who] = least
}

// distinct returns one of each (new identity, sealing key), in order.
func distinct(fs []ReplacedFact) []ReplacedFact {
	out := slices.Clone(fs)
	slices.SortFunc(out, func(a, b ReplacedFact) int {
		if c := bytes.Compare(a.Body.New[:], b.Body.New[:]); c != 0 {
			return c
		}
		if c := bytes.Compare(a.Body.Sealing[:], b.Body.Sealing[:]); c != 0 {
			return c
		}
		return bytes.Compare(a.Ref.ID[:], b.Ref.ID[:])
	})
	return slices.CompactFunc(out, sameReplacement)
}

func sameReplacement(a, b ReplacedFact) bool {
	return a.Body.New == b.Body.New && a.Body.Sealing == b.Body.Sealing
}

// identities are those that wrote for a key, from the roster's on.
func (a *Active) Identities(k int) []journal.Author {
	if a.lines != nil {
		return a.lines.of[k]
	}
	return []journal.Author{a.Members[k].Original}
}

// keyOf returns the key that an identity writes or wrote for.
func (a *Active) KeyOf(who journal.Author) (int, bool) {
	if a.lines != nil {
		k, ok := a.lines.key[who]
		return k, ok
	}
	return a.Index(who)
}

// original says whether an identity is one of the roster, and of which key.
func (a *Active) original(who journal.Author) (int, bool) {
	for i, m := range a.Members {
		if m.Original == who && !m.Hosted() {
			return i, true
		}
	}
	return 0, false
}

// sameMember says whether two identities write, or wrote, for one key.
func (s State) SameMember(a, b journal.Author) bool {
	if a == b || s.active == nil {
		return a == b
	}
	x, okX := s.active.KeyOf(a)
	y, okY := s.active.KeyOf(b)
	return okX && okY && x == y
}

// endedFrom returns the seq from which on a chain lies past the end of an
// identity that was replaced, or is of one that was named and did not become a
// member; 0 if it does not.
func (s State) endedFrom(l *lines, c journal.ChainKey) uint64 {
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

// wasReplaced says whether this node's identity has ended.
func (s State) WasReplaced() bool {
	if s.active == nil || s.active.lines == nil {
		return false
	}
	_, ended := s.active.lines.ends[s.Me()]
	return ended
}

// ReplacementCount returns how many entries name a new device of a member.
func (s State) ReplacementCount() int { return s.replaced.Len() }

// Changed says whether anybody was named to take a member's place, and it counts.
func (a *Active) Changed() bool { return a.lines != nil }

// Contested returns the devices that claim a member's place against each other, by
// what states them; none where the member is not contested.
func (a *Active) Contested(k int) []ReplacedFact {
	if a.lines == nil {
		return nil
	}
	return a.lines.contested[k]
}
