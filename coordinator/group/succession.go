package group

import (
	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/journal/pmap"
)

// CheckSuccession verifies what can be verified of a succession with the roster
// alone, whoever carries it.
func (s memberFacts) CheckSuccession(b *event.MemberReplaced) bool {
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

// successionKey puts the successions that one identity carries in order.
func successionKey(r Ref) mapkey.ByPlace { return mapkey.Place(r.Chain, r.Seq, r.ID) }

// MaxCarried is how many of the successions that one identity carries count,
// its first ones: a key can name any number of identities, and each entry would
// have all of them looked at again. A member carries one for each device that it lets in.
const MaxCarried = 64

// mayCount says whether a succession is among the first that its carrier brought:
// another one changes nothing of who the members are.
func (s memberFacts) mayCount(f Succession) bool {
	n := 0
	for k := range pmap.Prefix(s.successions, mapkey.Places(f.Ref.Chain.Author)) {
		if k == successionKey(f.Ref) {
			return true
		}
		if n++; n == MaxCarried {
			break
		}
	}
	return false
}

// CountingSuccessions yields the successions that count.
func (s memberFacts) CountingSuccessions(yield func(Succession) bool) {
	for from := mapkey.ByPlace(""); ; {
		n, more := 0, false
		var who journal.Author
		for _, f := range s.successions.From(from) {
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
		from = mapkey.Places(who) + "\xff"
	}
}
