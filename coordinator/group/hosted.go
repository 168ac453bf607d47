package group

import (
	"fmt"
	"slices"

	"github.com/quorate/quorate/coordinator/mapkey"

	"github.com/quorate/quorate/journal"
)

// Hosted says whether the member has no node of its own.
func (m Member) Hosted() bool { return m.Host != (journal.Author{}) }

// author is the identity that wrote the member's record, reveal and ratification.
func (m Member) author() journal.Author {
	if m.Hosted() {
		return m.Host
	}
	return m.Original
}

// ratifiedKey names a ratification: by hash and author, and for a hosted
// cosigner by its record as well.
func ratifiedKey(hash [32]byte, by journal.Author, record *journal.EntryID) string {
	if record == nil {
		return mapkey.Of2(hash, by)
	}
	return mapkey.Of3(hash, by, *record)
}

func (s setupFacts) ratifiedBy(hash [32]byte, m Member) (ratifiedFact, bool) {
	var record *journal.EntryID
	if m.Hosted() {
		record = &m.Record
	}
	return s.ratified.Get(ratifiedKey(hash, m.author(), record))
}

// places lists the records that a roster closed now would name: of the founder
// and of everybody admitted their own, and of those hosted as many as places are
// left, by id. taken counts the places, those included whose record is not here.
func (s setupFacts) Places() (records []journal.EntryID, taken int) {
	var hosted []Record
	have, xpubs := map[journal.Author]bool{}, map[string]bool{}
	for r := range s.PlacedRecords {
		who := r.Ref.Chain.Author
		if _, admitted := s.admitted.Get(string(who[:])); !admitted && who != s.genesis.Founder {
			continue
		}
		if r.Body.Hosted {
			hosted = append(hosted, r)
			continue
		}
		if !have[who] {
			have[who], xpubs[r.Key.XPub] = true, true
			records = append(records, r.Ref.ID)
		}
	}
	slices.SortFunc(records, compareEntryIDs)
	slices.SortFunc(hosted, func(a, b Record) int { return compareEntryIDs(a.Ref.ID, b.Ref.ID) })
	taken = 1 + s.admitted.Len()
	for _, r := range hosted {
		if taken < s.genesis.Cosigners && have[r.Ref.Chain.Author] && !xpubs[r.Key.XPub] {
			xpubs[r.Key.XPub] = true
			taken++
			records = append(records, r.Ref.ID)
		}
	}
	return records, taken
}

// hosts says whether this node hosts a cosigner of the active wallet.
func (s memberFacts) HostsMember(m Member) bool {
	return m.Hosted() && s.SameMember(m.Host, s.Me())
}

// hosted returns the names of the cosigners that others host, with their hosts'.
func (r *Roster) HostedNames(me journal.Author) []string {
	names := map[journal.Author]string{}
	for _, m := range r.Members {
		names[m.Original] = m.Called()
	}
	var out []string
	for _, m := range r.Members {
		if m.Hosted() && m.Host != me {
			out = append(out, fmt.Sprintf("%s (by %s)", m.Called(), names[m.Host]))
		}
	}
	return out
}
