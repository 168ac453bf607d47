package group

import (
	"bytes"
	"iter"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/journal/pmap"
)

// OwnRecord returns the record that an identity wrote of itself; of several that
// with the lowest id.
func (s setupFacts) OwnRecord(who journal.Author) (Record, bool) {
	id, ok := s.setup.own.Get(mapkey.Of(who))
	if !ok {
		return Record{}, false
	}
	return s.records.Get(mapkey.Of(id))
}

// PlacedRecords yields the records that can have a place: of each author its own, and
// of those it hosts as many as a wallet has members, by id.
func (s setupFacts) PlacedRecords(yield func(Record) bool) {
	for _, id := range s.setup.own.All() {
		if r, ok := s.records.Get(mapkey.Of(id)); ok && !yield(r) {
			return
		}
	}
	for _, k := range firstsByAuthor(s.setup.hosted, event.MaxCosigners) {
		if r, ok := s.records.Get(k.Rest()); ok && !yield(r) {
			return
		}
	}
}

// revealed returns the reveal of a roster that opens a record's commitment.
func (s setupFacts) revealed(m Member, roster journal.EntryID) (revealFact, bool) {
	rec, ok := s.records.Get(mapkey.Of(m.Record))
	if !ok {
		return revealFact{}, false
	}
	return s.reveals.Get(mapkey.Of3(m.author(), roster, rec.Body.Commitment))
}

func compareEntryIDs(a, b journal.EntryID) int { return bytes.Compare(a[:], b[:]) }

// TakesPlace says whether this node takes a lost member's place.
func (s setupFacts) TakesPlace() bool { return s.lost != (lostPlace{}) }

// SetupFacts counts what is said of members and rosters. It never falls.
func (s setupFacts) SetupFacts() int {
	return s.records.Len() + s.rosters.Len() + s.reveals.Len() + s.ratified.Len()
}

// Closed says whether a roster was closed: every place is taken.
func (s setupFacts) Closed() bool { return s.rosters.Len() > 0 }

// Revealed says whether an identity revealed its salt for any roster.
func (s setupFacts) Revealed(who journal.Author) bool {
	return mapkey.HasPrefix(s.reveals, mapkey.By3[journal.Author, journal.EntryID, [32]byte](who[:]))
}

// Admitted says whether the founder admitted an identity.
func (s setupFacts) Admitted(who journal.Author) bool {
	_, ok := s.admitted.Get(mapkey.Of(who))
	return ok
}

// Records yields the cosigners' own descriptions, by entry id.
func (s setupFacts) Records(yield func(Record) bool) {
	for _, r := range s.records.All() {
		if !yield(r) {
			return
		}
	}
}

// RecordCount returns how many records there are.
func (s setupFacts) RecordCount() int { return s.records.Len() }

// RecordOf returns the record of an entry.
func (s setupFacts) RecordOf(id journal.EntryID) (Record, bool) { return s.records.Get(mapkey.Of(id)) }

// HostedBy yields the records that an identity wrote for cosigners without a node.
func (s setupFacts) HostedBy(who journal.Author) iter.Seq[Record] {
	return func(yield func(Record) bool) {
		for k := range mapkey.Under(s.setup.hosted, who) {
			if r, ok := s.records.Get(k.Rest()); ok && !yield(r) {
				return
			}
		}
	}
}

// Name returns the wallet's name as its founder gave it first, or "".
func (s setupFacts) Name() string { return s.name }

// Renamed returns what the founder calls the wallet by now, or "".
func (s setupFacts) Renamed() string { return s.renamed }

// Pinned returns the hash of the roster that this node's user agreed to, or
// zero before that.
func (s setupFacts) Pinned() [32]byte { return s.pinned }

// Knows says whether entries of an author are taken: the founder, whoever the
// founder admitted, and this node; once the wallet is active, its members. Whoever
// let this node in is heard from the start: that it is a member may be written
// under an epoch that it alone hands on. What it writes counts as it would anyway.
func (s setupFacts) Knows(a journal.Author) bool {
	if a == s.inviter && a != (journal.Author{}) {
		return true
	}
	if s.active != nil {
		_, ok := s.active.KeyOf(a)
		return ok
	}
	if a == s.genesis.Founder || a == s.Me() {
		return true
	}
	_, ok := s.admitted.Get(mapkey.Of(a))
	return ok
}

// Members returns the identities that may connect: those that were admitted
// (maxAdmissions at most) before the wallet is active, then exactly its members.
func (s setupFacts) Members() []journal.Author {
	if s.active != nil {
		out := make([]journal.Author, 0, len(s.active.Members))
		for _, m := range s.active.Members {
			if m.Identity != (journal.Author{}) { // contested
				out = append(out, m.Identity)
			}
		}
		return out
	}
	seen := map[journal.Author]bool{s.genesis.Founder: true, s.Me(): true}
	out := []journal.Author{s.genesis.Founder}
	if s.Me() != s.genesis.Founder {
		out = append(out, s.Me())
	}
	for k := range s.admitted.All() {
		a := journal.Author([]byte(k))
		if len(out) >= event.MaxAdmissions {
			break
		}
		if !seen[a] {
			seen[a] = true
			out = append(out, a)
		}
	}
	return out
}

// Abandoned says whether the founder or a member gave the group up before it
// became active.
func (s setupFacts) Abandoned() bool { return s.active == nil && s.abandoned.Len() > 0 }

// Covers says whether everything is held that a member claimed to hold, as far
// as it can be: past another's fork nothing is linked.
func (s setupFacts) Covers(claims pmap.Map[mapkey.ByAuthor, journal.Frontier], who journal.Author) bool {
	f, ok := claims.Get(mapkey.Of(who))
	if !ok {
		return false
	}
	for chain, at := range f {
		if s.chains.Has(at.ID) || !s.Knows(chain.Author) {
			continue
		}
		if fork := s.chains.ForkedAt(chain); fork == 0 || fork > at.Seq || chain.Author == s.Me() {
			return false
		}
	}
	return true
}

func (s setupFacts) ratifiedBy(hash [32]byte, m Member) (ratifiedFact, bool) {
	var record *journal.EntryID
	if m.Hosted() {
		record = &m.Record
	}
	return s.ratified.Get(ratifiedKey(hash, m.author(), record))
}

// ratifiedKey names a ratification: by hash and author, and for a hosted
// cosigner by its record as well.
func ratifiedKey(hash [32]byte, by journal.Author, record *journal.EntryID) byRatifier {
	if record == nil {
		return byRatifier(mapkey.Of2(hash, by))
	}
	return byRatifier(mapkey.Of3(hash, by, *record))
}
