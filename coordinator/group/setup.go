package group

import (
	"bytes"
	"iter"

	"github.com/quorate/quorate/coordinator/mapkey"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/journal/pmap"
)

// MaxRosters is how many closed rosters a node looks at, the founder's first
// ones. An honest founder closes one.
const MaxRosters = 16

// MaxReveals is how many reveals of one identity are looked at, its first ones. An
// honest one reveals once for itself, and for each of those that it hosts.
const MaxReveals = 1 + event.MaxCosigners

// setupBook is what the facts of a forming group are found by: any of its members
// may bring 32,768 of each (see quota) before the wallet is active.
type setupBook struct {
	closed   pmap.Map[string, journal.EntryID] // by place: rosters
	rostered pmap.Map[string, struct{}]        // by record: those that some roster lists
	own      pmap.Map[string, journal.EntryID] // by author: of its records of itself that with the lowest id
	hosted   pmap.Map[string, struct{}]        // by author | record
	holders  pmap.Map[string, struct{}]        // by hash of a key | class of its proof (see holderKey) | author of a record
	revealed pmap.Map[string, journal.EntryID] // by author | place: the roster that a reveal names
	hashes   pmap.Map[string, struct{}]        // by author | hash that it ratified for itself
	openedBook
}

func (s State) foldRoster(f rosterFact) State {
	s.rosters = s.rosters.Set(mapkey.Of(f.Ref.ID), f)
	return s.indexRoster(f).awaitOpened(f)
}

func (s State) indexRoster(f rosterFact) State {
	s.setup.closed = s.setup.closed.Set(placeOf(f.Ref), f.Ref.ID)
	for _, id := range f.Records {
		s.setup.rostered = s.setup.rostered.Set(mapkey.Of(id), struct{}{})
	}
	return s
}

func (s State) foldRecord(r Record) State {
	s.records = s.records.Set(mapkey.Of(r.Ref.ID), r)
	return s.indexRecord(r).cameIn(lacksRecord(r.Ref.ID))
}

func (s State) indexRecord(r Record) State {
	who, id := r.Ref.Chain.Author, r.Ref.ID
	if r.Body.Hosted {
		s.setup.hosted = s.setup.hosted.Set(mapkey.Of2(who, id), struct{}{})
		return s
	}
	s.setup.holders = s.setup.holders.Set(holderKey(event.AccountHash(s.group, r.Body.Key), r.Body.How)+mapkey.Of(who), struct{}{})
	if old, ok := s.setup.own.Get(mapkey.Of(who)); !ok || string(id[:]) < string(old[:]) {
		s.setup.own = s.setup.own.Set(mapkey.Of(who), id)
	}
	return s
}

func (s State) indexReveal(f revealFact) State {
	s.setup.revealed = s.setup.revealed.Set(mapkey.Of(f.Ref.Chain.Author)+placeOf(f.Ref), f.Roster)
	return s
}

func (s State) indexRatified(f ratifiedFact) State {
	if f.Record == nil {
		s.setup.hashes = s.setup.hashes.Set(mapkey.Of2(f.Ref.Chain.Author, f.Hash), struct{}{})
	}
	return s
}

// firstRosters yields the rosters that this node looks at.
func (s State) firstRosters(yield func(rosterFact) bool) {
	n := 0
	for _, id := range s.setup.closed.All() {
		f, _ := s.rosters.Get(mapkey.Of(id))
		if n++; n > MaxRosters || !yield(f) {
			return
		}
	}
}

// myRosters yields those that this node revealed for: one, unless its own chain
// is forked. One that took a lost one's place never revealed: what its earlier
// identities revealed for stands in for that. A founder may close any number, and
// by a fork before the right one, so that this is not among its first; and so may a
// thief reveal. Once all revealed for it, it is found by its hash (see openedBook).
func (s State) myRosters(yield func(rosterFact) bool) {
	seen := map[journal.EntryID]bool{}
	for _, who := range append([]journal.Author{s.Me()}, s.formerSelves()...) {
		n := 0
		for _, id := range pmap.Prefix(s.setup.revealed, mapkey.Of(who)) {
			if n++; n > MaxReveals || len(seen) >= MaxRosters {
				break
			}
			f, ok := s.rosters.Get(mapkey.Of(id))
			if !ok || seen[id] {
				continue
			}
			seen[id] = true
			if !yield(f) {
				return
			}
		}
	}
}

// ownRecord returns the record that an identity wrote of itself; of several that
// with the lowest id.
func (s State) OwnRecord(who journal.Author) (Record, bool) {
	id, ok := s.setup.own.Get(mapkey.Of(who))
	if !ok {
		return Record{}, false
	}
	return s.records.Get(mapkey.Of(id))
}

// placed yields the records that can have a place: of each author its own, and
// of those it hosts as many as a wallet has members, by id.
func (s State) PlacedRecords(yield func(Record) bool) {
	for _, id := range s.setup.own.All() {
		if r, ok := s.records.Get(mapkey.Of(id)); ok && !yield(r) {
			return
		}
	}
	for _, k := range firstsByAuthor(s.setup.hosted, event.MaxCosigners) {
		if r, ok := s.records.Get(k[32:]); ok && !yield(r) {
			return
		}
	}
}

// revealed returns the reveal of a roster that opens a record's commitment.
func (s State) revealed(m Member, roster journal.EntryID) (revealFact, bool) {
	rec, ok := s.records.Get(mapkey.Of(m.Record))
	if !ok {
		return revealFact{}, false
	}
	return s.reveals.Get(mapkey.Of3(m.author(), roster, rec.Body.Commitment))
}

func compareEntryIDs(a, b journal.EntryID) int { return bytes.Compare(a[:], b[:]) }

// InPlaceOf returns the state of a node that takes a lost member's place: who let
// it in, the identity that the member had then, and the key that both hold.
func (s State) InPlaceOf(inviter, lost journal.Author, key string) State {
	s.inviter, s.lost = inviter, lostPlace{lost, event.AccountHash(s.group, key)}
	return s
}

// TakesPlace says whether this node takes a lost member's place.
func (s State) TakesPlace() bool { return s.lost != (lostPlace{}) }

// SetupFacts counts what is said of members and rosters. It never falls.
func (s State) SetupFacts() int {
	return s.records.Len() + s.rosters.Len() + s.reveals.Len() + s.ratified.Len()
}

// PinnedBefore returns the hash that the identities ratified whose place this node
// takes and whose records this node's own key proves, where they are of one mind.
func (s State) PinnedBefore() (hash [32]byte, ok bool) {
	holders := s.holders(event.ProofOwn)
	if len(holders) == maxHolders {
		return hash, false // there may be more: who stole the key made them
	}
	for _, who := range holders {
		for k := range pmap.Prefix(s.setup.hashes, mapkey.Of(who)) {
			h := [32]byte([]byte(k[32:]))
			if ok && hash != h {
				return hash, false
			}
			hash, ok = h, true
		}
	}
	return hash, ok && hash != ([32]byte{})
}

// Pin returns the state of a node whose user agreed to the roster of a hash.
func (s State) Pin(hash [32]byte) State { return s.WithPin(hash).Activated() }

// WithPin is Pin without the wallet becoming active yet.
func (s State) WithPin(hash [32]byte) State {
	s.pinned = hash
	return s
}

// Activated returns the state with the wallet active, where all has ratified the
// roster that is pinned.
func (s State) Activated() State { return s.activate().Derived() }

// Closed says whether a roster was closed: every place is taken.
func (s State) Closed() bool { return s.rosters.Len() > 0 }

// RosterOf returns the roster that an entry of a chain would close with these
// records; false where it cannot.
func (s State) RosterOf(chain journal.ChainKey, records []journal.EntryID) (*Roster, bool) {
	return s.roster(rosterFact{Ref: Ref{Chain: chain}, Records: records})
}

// FirstRosters yields the rosters that are looked at first, those that hold.
func (s State) FirstRosters(yield func(*Roster) bool) {
	for f := range s.firstRosters {
		if r, ok := s.roster(f); ok && !yield(r) {
			return
		}
	}
}

// RosterRecords yields the records that rosters name which this node's user may
// be asked about, those of its own first.
func (s State) RosterRecords(yield func(journal.EntryID) bool) {
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

// Revealed says whether an identity revealed its salt for any roster.
func (s State) Revealed(who journal.Author) bool { return mapkey.HasPrefix(s.reveals, string(who[:])) }

// Admitted says whether the founder admitted an identity.
func (s State) Admitted(who journal.Author) bool {
	_, ok := s.admitted.Get(string(who[:]))
	return ok
}

// Records yields the cosigners' own descriptions, by entry id.
func (s State) Records(yield func(Record) bool) {
	for _, r := range s.records.All() {
		if !yield(r) {
			return
		}
	}
}

// RecordCount returns how many records there are.
func (s State) RecordCount() int { return s.records.Len() }

// RecordOf returns the record of an entry.
func (s State) RecordOf(id journal.EntryID) (Record, bool) { return s.records.Get(mapkey.Of(id)) }

// HostedBy yields the records that an identity wrote for cosigners without a node.
func (s State) HostedBy(who journal.Author) iter.Seq[Record] {
	return func(yield func(Record) bool) {
		for k := range pmap.Prefix(s.setup.hosted, mapkey.Of(who)) {
			if r, ok := s.records.Get(k[32:]); ok && !yield(r) {
				return
			}
		}
	}
}
