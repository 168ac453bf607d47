package robot

import (
	"slices"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/policy"
)

// blockSeconds is how long a block takes, for delays by height.
const blockSeconds = 600

// Following is what a robot goes by when it looks which policy to follow.
type Following struct {
	State  group.State
	Key    int   // its own
	Now    int64 // Unix seconds
	Height int64
	Frozen bool // a freeze of the group lives
	Doubt  bool // Now is: see Clock
	Desk   Desk
	// Tighter says whether a policy lets nothing out that another one refuses.
	Tighter func(old, next *policy.Policy) bool
}

// Move is what a robot has to say next of a policy.
type Move struct {
	Version event.PolicyVersion
	Adopt   bool // it follows it from now on; else it anchors it
	Votes   []journal.EntryID
}

// read returns a version's policy, checked against the wallet.
func read(s group.State, v event.PolicyVersion) (*policy.Policy, error) {
	text, _, _ := s.PolicyText(v)
	p, err := policy.Decode(text)
	if err != nil {
		return nil, err
	}
	return p, p.Fits(len(s.Active().Members), s.Genesis().Threshold)
}

// Next returns what a robot says next of a policy, if anything, and the desk with what it
// noticed.
//
// A version is anchored when it has its votes. A tighter one is in force at once, another one
// when the delay of the one before has passed since the anchor, by height and by clock, with
// the votes of the anchor standing all the while, and no freeze.
func (f Following) Next() (next Move, ok bool, _ Desk) {
	cur, _, following := f.State.PolicyAdopted(f.Key)
	from := []event.PolicyVersion{cur}
	if last, torn := tornFrom(f.State, f.Key); torn {
		from = append(from, last)
	}
	if !following || len(from) > 1 {
		if v, settled := f.settledElsewhere(); settled && f.notBefore(v, from) {
			return Move{Version: v, Adopt: true}, true, f.Desk
		}
	}
	var ready []event.PolicyVersion
	for _, v := range f.candidates(from, following) {
		st := f.State.PolicyStanding(v)
		if !f.State.PolicyPassed(st) {
			if _, anchored := f.State.PolicyAnchor(f.Key, v); anchored {
				f.Desk = f.Desk.Fell(v)
			}
			continue
		}
		a, anchored := f.State.PolicyAnchor(f.Key, v)
		if !anchored || f.Desk.Fallen(v) || !stillIn(a.Votes, st.Votes) {
			if f.Doubt && !f.atOnce(from, following, v) {
				continue // no delay begins at a time that is not known
			}
			return Move{Version: v, Votes: st.Votes}, true, f.Desk.Stands(v)
		}
		if f.due(from, following, v, a) {
			ready = append(ready, v)
		}
	}
	if !following {
		ready = slices.DeleteFunc(ready, func(v event.PolicyVersion) bool { return !f.notBefore(v, from) })
	}
	if len(ready) == 0 || !following && len(ready) > 1 && f.parents(ready[0]) > 0 {
		return next, false, f.Desk // which of several lines is the group's is not a robot's to say
	}
	// A tightening never waits behind a loosening; then the lower hash, which comes first.
	if n := slices.IndexFunc(ready, func(v event.PolicyVersion) bool { return following && f.tighter(from, v) }); n > 0 {
		ready[0] = ready[n]
	}
	return Move{Version: ready[0], Adopt: true}, true, f.Desk
}

func (f Following) parents(v event.PolicyVersion) int {
	_, parents, _ := f.State.PolicyText(v)
	return len(parents)
}

// tornFrom returns the version that a robot's chain says last that it follows, where a fork
// taints that word. What the group never agreed on it did not follow: that was somebody else.
func tornFrom(s group.State, key int) (event.PolicyVersion, bool) {
	last, ok := s.PolicyAdoptedEver(key)
	v, _, following := s.PolicyAdopted(key)
	return last, ok && (!following || v != last) && s.PolicyApprovedOnce(last) >= s.Genesis().Threshold
}

// notBefore says whether a version is none that a robot went on from, as far as a fork of its
// chain shows.
func (f Following) notBefore(v event.PolicyVersion, from []event.PolicyVersion) bool {
	return len(from) == 1 || v == from[1] || follows(f.State, v, from[1])
}

// candidates are the versions that may come next: those that follow the one in force, or what
// the robot said that it follows; or, of one that never followed any, the last ones of the group.
func (f Following) candidates(from []event.PolicyVersion, following bool) (out []event.PolicyVersion) {
	if following {
		for n, cur := range from {
			for _, v := range f.State.PoliciesAfter(cur) {
				if n == 0 || !slices.Contains(out, v) {
					out = append(out, v)
				}
			}
		}
		return out
	}
	// What the group never agreed on leads nowhere, so that nobody has a robot look at a lot.
	left := f.left()
	seen := map[event.PolicyVersion]bool{}
	var heads []event.PolicyVersion
	for next := []event.PolicyVersion{{}}; len(next) > 0; next = next[1:] {
		for _, v := range f.State.PoliciesAfter(next[0]) {
			if seen[v] || !f.agreed(v) {
				continue
			}
			seen[v], next = true, append(next, v)
			if !left[v] && f.State.PolicyPassed(f.State.PolicyStanding(v)) && !wentOn(f.State, v) {
				heads = append(heads, v)
			}
		}
	}
	slices.SortFunc(heads, func(a, b event.PolicyVersion) int { return slices.Compare(a[:], b[:]) })
	return heads
}

// agreed says whether a version ever had the votes of the quorum, one after the other at least.
func (f Following) agreed(v event.PolicyVersion) bool {
	return f.State.PolicyApprovedOnce(v) >= f.State.Genesis().Threshold
}

// robotOf says whether a key is a robot's in a version, or in one that it follows: nobody else
// follows any.
func (f Following) robotOf(key int, v event.PolicyVersion) bool {
	_, parents, _ := f.State.PolicyText(v)
	return slices.ContainsFunc(append(parents[:len(parents):len(parents)], v), func(v event.PolicyVersion) bool {
		p, err := read(f.State, v)
		return err == nil && p.Robots.Has(policy.Key(key))
	})
}

// left are the versions that other robots left for what the group agreed on. It stays in force
// where its votes fall later, so that what was before it is not to be followed any more.
func (f Following) left() map[event.PolicyVersion]bool {
	out := map[event.PolicyVersion]bool{}
	for k := range f.State.Active().Members {
		v, _, ok := f.State.PolicyAdopted(k)
		if !ok || k == f.Key || !f.robotOf(k, v) {
			continue
		}
		for next := []event.PolicyVersion{v}; len(next) > 0; next = next[1:] {
			if !f.agreed(next[0]) {
				continue
			}
			_, parents, _ := f.State.PolicyText(next[0])
			for _, p := range parents {
				if !out[p] {
					out[p], next = true, append(next, p)
				}
			}
		}
	}
	return out
}

// wentOn says whether the group went on from a version: whether one that follows it has its
// votes.
func wentOn(s group.State, v event.PolicyVersion) bool {
	return slices.ContainsFunc(s.PoliciesAfter(v), func(w event.PolicyVersion) bool {
		return s.PolicyPassed(s.PolicyStanding(w))
	})
}

// settledElsewhere returns the version that so many other robots follow that one of them at
// least is honest.
func (f Following) settledElsewhere() (event.PolicyVersion, bool) {
	by := map[event.PolicyVersion]policy.Keys{}
	for k := range f.State.Active().Members {
		if v, _, ok := f.State.PolicyAdopted(k); ok && k != f.Key {
			by[v] |= policy.KeysOf(policy.Key(k))
		}
	}
	var out []event.PolicyVersion
	for v, keys := range by {
		if !f.agreed(v) {
			continue // whatever somebody says that it follows: how many are to say so stands in it
		}
		if p, err := read(f.State, v); err == nil && uint64((keys&p.Robots).Count()) > p.Tolerate && !wentOn(f.State, v) {
			out = append(out, v)
		}
	}
	if len(out) != 1 {
		return event.PolicyVersion{}, false
	}
	return out[0], true
}

// atOnce says whether a version is in force without a delay: the first of all, and what is
// tighter.
func (f Following) atOnce(from []event.PolicyVersion, following bool, v event.PolicyVersion) bool {
	if following {
		return f.tighter(from, v)
	}
	return f.parents(v) == 0
}

// due says whether an anchored version is in force now.
func (f Following) due(from []event.PolicyVersion, following bool, v event.PolicyVersion, a group.PolicyAnchor) bool {
	if f.atOnce(from, following, v) {
		return true
	}
	if !following {
		_, from, _ = f.State.PolicyText(v)
	}
	var delay int64
	for _, before := range from {
		if p, err := read(f.State, before); err == nil {
			delay = max(delay, p.ChangeDelay)
		} else {
			delay = policy.MaxChangeDelay
		}
	}
	return !f.Frozen && !f.Doubt && f.Now >= a.Time+delay && f.Height >= a.Height+(delay+blockSeconds-1)/blockSeconds
}

// tighter says whether a version lets nothing out that any of some others refuses.
func (f Following) tighter(from []event.PolicyVersion, v event.PolicyVersion) bool {
	b, err := read(f.State, v)
	if err != nil || f.Tighter == nil {
		return false
	}
	return !slices.ContainsFunc(from, func(cur event.PolicyVersion) bool {
		a, err := read(f.State, cur)
		return err != nil || !f.Tighter(a, b)
	})
}

// stillIn says whether all of some votes are among others.
func stillIn(a, b []journal.EntryID) bool {
	return !slices.ContainsFunc(a, func(id journal.EntryID) bool { return !slices.Contains(b, id) })
}
