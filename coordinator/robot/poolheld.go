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
		v, _, ok := s.PolicyAdopted(k)
		if !ok {
			continue
		}
		var first int64
		for r := range s.ReservedBy(k) {
			p, held := s.Proposal(r.Proposal)
			if r.Policy != v || held && s.Signed(p, k) {
				continue
			}
			if at, granted := grantedFirst(s, k, r); granted && at <= now-PoolHeldAfter && (first == 0 || at < first) {
				first = at
			}
		}
		if first != 0 {
			by = append(by, k)
			if since == 0 || first < since {
				since = first
			}
		}
	}
	return by, since
}

// grantedFirst is when the first of the other robots gave leave, Unix seconds.
func grantedFirst(s group.State, key int, r group.Reservation) (first int64, ok bool) {
	p, err := read(s, r.Policy)
	if err != nil {
		return 0, false
	}
	for k := range s.Active().Members {
		if at, granted := s.GrantedBy(k, r.Ref.ID, true); granted && k != key && p.Robots.Has(policy.Key(k)) && (!ok || at.Time/1000 < first) {
			first, ok = at.Time/1000, true
		}
	}
	return first, ok
}
