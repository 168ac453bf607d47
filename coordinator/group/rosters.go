package group

import (
	"iter"
	"slices"

	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/journal/pmap"
)

// Roster returns the roster this node stands by: the pinned one once all revealed
// for it; else, where none is pinned, the one it revealed for, else the first valid
// one that the founder closed. Where it took a lost one's place, those with its key
// that all revealed for, and then ratified, go before.
func (s setupFacts) Roster() (*Roster, bool) {
	if s.active != nil {
		// Ratifications may still come in after this node counted them all: no
		// more than n exist, so the active roster is complete as it is.
		return &s.active.Roster, true
	}
	if s.pinned != ([32]byte{}) {
		return s.opened(s.pinned)
	}
	for _, hash := range s.setup.ours.All() {
		return s.opened(hash)
	}
	for _, some := range []iter.Seq[rosterFact]{s.myRosters, s.firstRosters} {
		for f := range some {
			if r, ok := s.roster(f); ok {
				return r, true
			}
		}
	}
	return nil, false
}

// ratifiedByAll says whether as many as the wallet has cosigners ratified what
// this node has pinned, whoever they are.
func (s setupFacts) ratifiedByAll() bool {
	n := 0
	for range pmap.Prefix(s.ratified, byRatifier(s.pinned[:])) {
		if n++; n >= s.genesis.Cosigners {
			return true
		}
	}
	return false
}

// FirstRosters yields the rosters that are looked at first, those that hold.
func (s setupFacts) FirstRosters(yield func(*Roster) bool) {
	for f := range s.firstRosters {
		if r, ok := s.roster(f); ok && !yield(r) {
			return
		}
	}
}

// RosterRecords yields the records that rosters name which this node's user may
// be asked about, those of its own first.
func (s setupFacts) RosterRecords(yield func(journal.EntryID) bool) {
	for _, some := range []iter.Seq[rosterFact]{s.myRosters, s.firstRosters} {
		for f := range some {
			for _, id := range f.Records {
				if !yield(id) {
					return
				}
			}
		}
	}
}

// Places lists the records that a roster closed now would name: of the founder
// and of everybody admitted their own, and of those hosted as many as places are
// left, by id. taken counts the places, those included whose record is not here.
func (s setupFacts) Places() (records []journal.EntryID, taken int) {
	var hosted []Record
	have, xpubs := map[journal.Author]bool{}, map[string]bool{}
	for r := range s.PlacedRecords {
		who := r.Ref.Chain.Author
		if _, admitted := s.admitted.Get(mapkey.Of(who)); !admitted && who != s.genesis.Founder {
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

// SameKeys returns the names of two members that brought one key, if any did:
// their roster can never be closed.
func (s setupFacts) SameKeys() (a, b string, same bool) {
	by := map[string]Record{}
	for r := range s.PlacedRecords {
		old, ok := by[r.Key.XPub]
		if ok && (old.Ref.Chain.Author != r.Ref.Chain.Author || old.Body.Hosted != r.Body.Hosted) {
			return old.Body.Name, r.Body.Name, true
		}
		by[r.Key.XPub] = r
	}
	return "", "", false
}

// Evidence lists the active roster with its admissions, records, reveals and
// ratifications, and the replacements that its members rest on.
func (s setupFacts) Evidence() []Ref {
	var out []Ref
	if f, ok := s.rosters.Get(mapkey.Of(s.active.ID)); ok {
		out = append(out, f.Ref)
	}
	for _, m := range s.active.Members {
		rec, ok := s.records.Get(mapkey.Of(m.Record))
		if !ok {
			continue
		}
		// Of an author whom nobody admitted nothing is taken.
		if r, ok := s.admitted.Get(mapkey.Of(m.author())); ok {
			out = append(out, r)
		}
		out = append(out, rec.Ref)
		if f, ok := s.revealed(m, s.active.ID); ok {
			out = append(out, f.Ref)
		}
		if f, ok := s.ratifiedBy(s.active.Hash, m); ok {
			out = append(out, f.Ref)
		}
	}
	if l := s.active.lines; l != nil {
		out = append(out, l.rests...)
	}
	return out
}
