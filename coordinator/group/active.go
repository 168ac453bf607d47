package group

import (
	"slices"
	"strings"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/journal"
)

// Active is a wallet whose roster every member ratified.
type Active struct {
	Roster
	lines *lines // nil while nobody was replaced
}

func (a *Active) Index(id journal.Author) (int, bool) {
	if id == (journal.Author{}) {
		return 0, false // contested and hosted members have none
	}
	for i, m := range a.Members {
		if m.Identity == id {
			return i, true
		}
	}
	return 0, false
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

// rest notes the first of some entries that the lines rest on.
func (l *lines) rest(fs []ReplacedFact) {
	for _, f := range fs[:min(len(fs), maxRests)] {
		l.rests = append(l.rests, f.Ref)
	}
}

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
		if n[at]++; n[at] <= maxKnown {
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

type ReplacedFact struct {
	Ref  Ref                   `cbor:"1,keyasint"`
	Body *event.MemberReplaced `cbor:"2,keyasint"`
}

// maxLine bounds how often one key's identity is followed from one to the next.
const maxLine = 64

// maxRests is how many entries that state a replacement in effect, or of each
// key the replacements that contest it, are handed on where they lie past a fork.
// More of them change nothing but where the replaced one ends.
const maxRests = 16

// maxKnown is of how many identities that are no members, of those that one
// member carried for a key, entries are taken: their signatures count all the
// same. The other ones are heard once they are members.
const maxKnown = 4

// Has says whether an identity is one of the roster's members.
func (r *Roster) Has(id journal.Author) bool {
	_, in := (&Active{Roster: *r}).Index(id)
	return in
}
