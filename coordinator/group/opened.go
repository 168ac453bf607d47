package group

import (
	"encoding/binary"
	"slices"
	"strings"

	"github.com/tyler-smith/go-bip39/wordlists"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/journal/pmap"
)

func lacksRecord(id journal.EntryID) byLack { return "r" + byLack(id[:]) }

func lacksReveal(who journal.Author, roster journal.EntryID, commitment [32]byte) byLack {
	return "o" + byLack(mapkey.Of3(who, roster, commitment))
}

// unopened returns what a roster waits for, or "": its first record that is not held;
// or else the first reveal.
func (s setupFacts) unopened(f rosterFact) byLack {
	for _, id := range f.Records {
		if _, ok := s.records.Get(mapkey.Of(id)); !ok {
			return lacksRecord(id)
		}
	}
	for _, id := range f.Records {
		r, _ := s.records.Get(mapkey.Of(id))
		who := r.Ref.Chain.Author
		if _, ok := s.reveals.Get(mapkey.Of3(who, f.Ref.ID, r.Body.Commitment)); !ok {
			return lacksReveal(who, f.Ref.ID, r.Body.Commitment)
		}
	}
	return ""
}

// awaitOpened lets a roster wait for what it lacks, or takes in its hash.
func (s setupFacts) awaitOpened(f rosterFact) setupFacts {
	if len(f.Records) != s.genesis.Cosigners {
		return s
	}
	if lack := s.unopened(f); lack != "" {
		s.setup.waiting = s.setup.waiting.Set(lack+byLack(f.Ref.ID[:]), f.Ref.ID)
		return s
	}
	r, ok := s.roster(f)
	if !ok || !r.Complete() {
		return s
	}
	if old, ok := s.setup.opened.Get(mapkey.Of(r.Hash)); ok {
		if was, _ := s.rosters.Get(mapkey.Of(old)); placeOf(was.Ref) <= placeOf(f.Ref) {
			return s
		}
	}
	s.setup.opened = s.setup.opened.Set(mapkey.Of(r.Hash), r.ID)
	return s.rankOpened(r)
}

// cameIn looks again at the rosters that waited for a record or a reveal.
func (s setupFacts) cameIn(what byLack) setupFacts {
	for k, id := range pmap.Prefix(s.setup.waiting, what) {
		s.setup.waiting = s.setup.waiting.Delete(k)
		f, _ := s.rosters.Get(mapkey.Of(id))
		s = s.awaitOpened(f)
	}
	return s
}

// Ranks of the rosters that hold a new device's key, the best first. An honest
// member reveals for one roster, so that one with it is the right one; the lost
// device may be a thief's, but not all of the others'.
const (
	rankInviter = 2 * iota
	rankLost
	rankOther
)

// rankOpened takes in a roster that all revealed for, where it holds the key of the place
// that this node took. One that all ratified goes before another.
func (s setupFacts) rankOpened(r *Roster) setupFacts {
	if s.lost == (lostPlace{}) || !slices.ContainsFunc(r.Members, func(m Member) bool { return event.AccountHash(s.group, m.Key.String()) == s.lost.account }) {
		return s
	}
	rank := byte(rankOther)
	a := &Active{Roster: *r}
	if _, in := a.Index(s.inviter); in {
		rank = rankInviter
	} else if _, in := a.Index(s.lost.who); in {
		rank = rankLost
	}
	pending := byRank([]byte{rank + 1}) + byRank(r.Hash[:])
	if len(r.Ratified) < len(r.Members) {
		s.setup.ours = s.setup.ours.Set(pending, r.Hash)
		return s
	}
	s.setup.ours = s.setup.ours.Delete(pending).Set(byRank([]byte{rank})+byRank(r.Hash[:]), r.Hash)
	return s
}

// ratifiedOne takes in that somebody ratified a hash.
func (s setupFacts) ratifiedOne(hash [32]byte) setupFacts {
	if s.lost == (lostPlace{}) || s.active != nil {
		return s
	}
	if r, ok := s.opened(hash); ok {
		return s.rankOpened(r)
	}
	return s
}

// opened returns the roster of a hash, once all revealed for it.
func (s setupFacts) opened(hash [32]byte) (*Roster, bool) {
	id, ok := s.setup.opened.Get(mapkey.Of(hash))
	if !ok {
		return nil, false
	}
	f, _ := s.rosters.Get(mapkey.Of(id))
	return s.roster(f)
}

// Worded returns the roster of six words, for a node that took a lost one's place
// and has none pinned: what it sees may be another one, but the words are the user's.
func (s setupFacts) Worded(words string) (*Roster, bool) {
	prefix, ok := hashPrefix(words)
	if !ok || s.lost == (lostPlace{}) || s.pinned != ([32]byte{}) || s.active != nil {
		return nil, false
	}
	for k := range pmap.Prefix(s.setup.opened, prefix) {
		hash := [32]byte([]byte(k))
		if sixWords(hash) != words {
			continue
		}
		if r, ok := s.opened(hash); ok {
			return r, true
		}
	}
	return nil, false
}

// hashPrefix returns the first 64 of the 66 bits that six words stand for.
func hashPrefix(words string) (mapkey.By[[32]byte], bool) {
	list := strings.Fields(words)
	if len(list) != 6 {
		return "", false
	}
	var bits uint64
	for i, w := range list {
		n, ok := slices.BinarySearch(wordlists.English, w)
		if !ok {
			return "", false
		}
		if i < 5 {
			bits = bits<<11 | uint64(n)
		} else {
			bits = bits<<9 | uint64(n>>2)
		}
	}
	return mapkey.By[[32]byte](binary.BigEndian.AppendUint64(nil, bits)), true
}
