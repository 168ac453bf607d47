package group

import (
	"slices"

	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/journal/pmap"
)

// GroupFreeze is a freeze of all spending that stands: not enough members are for lifting it.
type GroupFreeze struct {
	Ref    Ref
	Key    int    // of the member who stated it
	Reason string // the member's words, which nothing verifies
	For    []int  // the keys of the members who are for lifting it, ascending
	// Rests is the height of the chain from which on it has effect, where it has none yet
	// since another one of the same member was lifted; else 0.
	Rests int32
}

// LiftsNeeded is how many members lift a freeze: as many as sign, and no more than there
// are with a node, since a member without one says nothing for itself.
func (s memberFacts) LiftsNeeded() int {
	nodes := 0
	for _, m := range s.active.Members {
		if !m.Hosted() {
			nodes++
		}
	}
	return min(s.genesis.Threshold, nodes)
}

// GroupFreezes returns the freezes that stand where the chain has a height, those of a
// member together, the latest first. A lift counts from the height on that it states, so
// that who states one that is to come gains what keeping the entry back gives.
func (s stopFacts) GroupFreezes(tip int32) (out []GroupFreeze) {
	if s.active == nil || s.stops.stated.Len() == 0 {
		return nil
	}
	for k := range s.active.Members {
		from, rest := len(out), int32(-1)
		for _, f := range s.lastStops(k) {
			lifts, lifted := s.liftsOf(f.Ref.ID, k, tip)
			if !lifted.ok {
				out = append(out, GroupFreeze{Ref: f.Ref, Key: k, Reason: f.Reason, For: lifts})
			}
		}
		if from < len(out) {
			rest = s.restsUntil(k, tip)
		}
		for i := range out[from:] {
			if tip < rest {
				out[from+i].Rests = rest
			}
		}
	}
	return out
}

// lastStops returns the last freezes of a member that may count, the latest first. What an
// identity that was replaced wrote past its end is the thief's; else one counts though its
// author's chain is forked.
func (s stopFacts) lastStops(key int) (out []stopFact) {
	for f := range s.stopsOf(key) {
		if out = append(out, f); len(out) == MaxStanding {
			return out
		}
	}
	return out
}

func (s stopFacts) stopsOf(key int) func(yield func(stopFact) bool) {
	return func(yield func(stopFact) bool) {
		line := s.active.Identities(key)
		for i := len(line) - 1; i >= 0; i-- { // the latest one first
			who := line[i]
			if who == (journal.Author{}) {
				continue // hosted
			}
			for _, f := range pmap.Prefix(s.stops.stated, byStop(who[:])) {
				if s.active.ended(who) && s.tainted(f.Ref) {
					continue
				}
				if !yield(f) {
					return
				}
			}
		}
	}
}

// ended says whether another identity took the place of one.
func (a *Active) ended(who journal.Author) bool {
	if a.lines == nil {
		return false
	}
	_, ended := a.lines.ends[who]
	return ended
}

// restsUntil returns the height below which the freezes of a member have no effect.
func (s stopFacts) restsUntil(key int, tip int32) int32 {
	rest := int32(-1)
	for f := range s.stopsOf(key) {
		if _, lifted := s.liftsOf(f.Ref.ID, key, tip); lifted.ok {
			rest = max(rest, lifted.at+FreezeRest)
		}
	}
	return rest
}

// liftedAt is since which height a freeze is lifted, where it is.
type liftedAt struct {
	at int32
	ok bool
}

// liftsOf returns the keys of the members who are for lifting a freeze of a member, and
// since which height it is lifted: the one at which the last of as many as it takes was for
// it. Its author's own word, which may claim to be older than it is, does not make that
// earlier: where it is needed the freeze counts as lifted since the last of the others, or
// later; where it is not, it is left out.
func (s stopFacts) liftsOf(freeze journal.EntryID, author int, tip int32) (keys []int, lifted liftedAt) {
	var others []int32
	own, self := int32(0), false
	for k := range s.active.Members {
		at, ok := s.liftBy(freeze, k, tip)
		if !ok {
			continue
		}
		keys = append(keys, k)
		if k == author {
			own, self = at, true
			continue
		}
		others = append(others, at)
	}
	slices.Sort(others)
	need := s.LiftsNeeded()
	switch {
	case len(others) >= need:
		return keys, liftedAt{others[need-1], true}
	case self && len(keys) >= need:
		for _, at := range others {
			own = max(own, at)
		}
		return keys, liftedAt{own, true}
	}
	return keys, liftedAt{}
}

// liftBy returns since which height a member is for lifting a freeze.
func (s stopFacts) liftBy(freeze journal.EntryID, key int, tip int32) (at int32, ok bool) {
	for _, who := range s.active.Identities(key) {
		if who == (journal.Author{}) {
			continue
		}
		for _, f := range pmap.Prefix(s.stops.lifts, byLift(freeze[:])+byLift(who[:])) {
			if h := int32(f.Height); h <= tip && !s.tainted(f.Ref) && (!ok || h < at) {
				at, ok = h, true
			}
		}
	}
	return at, ok
}
