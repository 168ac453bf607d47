package robot

import (
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/policy"
)

// PoolHeldAfter is after how many seconds it is told that a robot neither uses nor releases what
// it was granted.
const PoolHeldAfter = 86400

// PoolHeld returns the robots, by key, that hold a part of a pool by the policy that they follow
// and did not sign by it, so long after the first of the others gave it leave, and since when the
// first of them does, Unix seconds. When leave was given is its author's word.
func PoolHeld(s group.State, now int64) (by []int, since int64) {
	for k := range s.Active().Members {
		first := heldBy(s, k, now)
		if first == 0 {
			continue
		}
		if by = append(by, k); since == 0 || first < since {
			since = first
		}
	}
	return by, since
}

// heldBy is since when a robot holds what it does not use; 0 where it does not. Of many it is the
// first that are looked at. A policy that the group never agreed on is nobody's.
func heldBy(s group.State, key int, now int64) (first int64) {
	v, _, ok := s.PolicyAdopted(key)
	if !ok || s.PolicyApprovedOnce(v) < s.Genesis().Threshold {
		return 0
	}
	p, err := read(s, v)
	if err != nil || !p.Robots.Has(policy.Key(key)) {
		return 0
	}
	looked := 0
	for r := range s.ReservedBy(key) {
		if q, held := s.Proposal(r.Proposal); r.Policy != v || held && s.Signed(q, key) {
			continue
		}
		if looked++; looked > maxReservations {
			break
		}
		for k := range s.Active().Members {
			at, granted := s.GrantedBy(k, r.Ref.ID, true)
			if t := at.Time / 1000; granted && k != key && p.Robots.Has(policy.Key(k)) && t <= now-PoolHeldAfter && (first == 0 || t < first) {
				first = t
			}
		}
	}
	return first
}
