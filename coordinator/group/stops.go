package group

import (
	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/coordinator/record"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/journal/pmap"
)

const (
	// MaxFreezes is how many freezes one chain may state: its first ones count.
	MaxFreezes = 256
	// MaxStanding is how many freezes of one member count at once: its last ones.
	MaxStanding = 8
	// FreezeRest is for how many blocks the freezes of a member have no effect after one
	// of them was lifted: 24 hours.
	FreezeRest = 144
)

type (
	byStop string // author | latest first | entry id
	byLift string // freeze | author | incarnation
)

// stopFacts is which members froze all spending, and who is for lifting that. Coins
// that are frozen are another thing: see labelFacts.
//
// Bounds: MaxFreezes of each chain, of the size of their reasons; and of each freeze
// that is named one lift for each chain. A member names 500,000 at once at most: 64 in an
// entry of 4 KiB (see quota).
type stopFacts struct {
	labelFacts

	stops stopBook
	// stopsNews: something was said of freezes since Step last looked. It is bookkeeping
	// of one step, and no part of what State says.
	stopsNews bool
}

type stopBook struct {
	stated pmap.Map[byStop, stopFact]    // by author | latest first | entry id
	count  pmap.Map[mapkey.ByChain, int] // by chain: how many of stated
	lifts  pmap.Map[byLift, liftFact]    // by freeze | chain: the first of the chain that names it
}

type stopFact struct {
	Ref    Ref    `cbor:"1,keyasint"`
	Reason string `cbor:"2,keyasint"`
}

type liftFact struct {
	Ref    Ref    `cbor:"1,keyasint"`
	Height uint32 `cbor:"2,keyasint"`
}

func stopKey(r Ref) byStop {
	return byStop(r.Chain.Author[:]) + byStop(mapkey.NewestFirst(r.Chain.Incarnation, r.Seq)) + byStop(r.ID[:])
}

// stopsOfChain is the length of what the keys of a chain begin with.
const stopsOfChain = 33

// foldStop keeps the first freezes of a chain, in the order in which they are read.
func (s stopFacts) foldStop(ref Ref, b *event.GroupFrozen) stopFacts {
	k := stopKey(ref)
	if mapkey.Has(s.stops.stated, k) {
		return s
	}
	s.stopsNews = true
	s.stops.stated = s.stops.stated.Set(k, stopFact{ref, b.Reason})
	if n := s.FreezesStated(ref.Chain); n < MaxFreezes {
		s.stops.count = s.stops.count.Set(mapkey.Chain(ref.Chain), n+1)
		return s
	}
	for last := range pmap.Prefix(s.stops.stated, k[:stopsOfChain]) {
		s.stops.stated = s.stops.stated.Delete(last)
		break
	}
	return s
}

// foldLift keeps of what each chain says of a freeze the first. Where that is tainted,
// all of it is; and who says it again says nothing new.
func (s stopFacts) foldLift(ref Ref, b *event.FreezeLifted) stopFacts {
	for _, id := range b.Freezes {
		k := byLift(id[:]) + byLift(mapkey.Chain(ref.Chain))
		if old, ok := s.stops.lifts.Get(k); !ok || before(ref, old.Ref) {
			s.stops.lifts = s.stops.lifts.Set(k, liftFact{ref, b.Height})
			s.stopsNews = s.stopsNews || s.stops.stated.Len() > 0
		}
	}
	return s
}

// FreezesStated returns how many of the freezes that a chain states may count.
func (s stopFacts) FreezesStated(c journal.ChainKey) int {
	n, _ := s.stops.count.Get(mapkey.Chain(c))
	return n
}

// FreezesSaid says whether anything was said of freezes since the last call of TakeTouched,
// or anything counts, or does not any more, that was said before.
func (s stopFacts) FreezesSaid() bool { return s.stopsNews || len(s.reweighedOf) > 0 }

type stopKept struct {
	Stated []record.Pair[stopFact] `cbor:"80,keyasint"`
	Lifts  []record.Pair[liftFact] `cbor:"81,keyasint"`
}

func (s stopFacts) kept() stopKept {
	return stopKept{record.Dump(s.stops.stated), record.Dump(s.stops.lifts)}
}

func (k stopKept) into(s *stopFacts) {
	record.Undump(&s.stops.stated, k.Stated)
	record.Undump(&s.stops.lifts, k.Lifts)
	for _, f := range s.stops.stated.All() {
		s.stops.count = s.stops.count.Set(mapkey.Chain(f.Ref.Chain), s.FreezesStated(f.Ref.Chain)+1)
	}
}
