package robot

import (
	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/policy"
)

// BehindAfter is after how many seconds a robot that still follows an older policy than
// another one has parted from it: its node may have been away.
const BehindAfter = 3600

// Parted says whether robots follow different policies of which none follows the other, or
// one has long been behind, and since when, Unix seconds, as the last of them claims. Robots
// that the other's policy does not name do not count.
func Parted(s group.State, now int64) (since int64, parted bool) {
	type follower struct {
		key policy.Key
		of  event.PolicyVersion
		at  int64
		p   *policy.Policy
	}
	var all []follower
	for k := range s.Active().Members {
		v, at, ok := s.PolicyAdopted(k)
		if !ok {
			continue
		}
		if p, err := read(s, v); err == nil && p.Robots.Has(policy.Key(k)) {
			all = append(all, follower{policy.Key(k), v, at.Time / 1000, p})
		}
	}
	for i, a := range all {
		for _, b := range all[:i] {
			if a.of == b.of || !a.p.Robots.Has(b.key) && !b.p.Robots.Has(a.key) {
				continue
			}
			at := max(a.at, b.at)
			if forked := !follows(s, a.of, b.of) && !follows(s, b.of, a.of); forked || now-at > BehindAfter {
				since, parted = max(since, at), true
			}
		}
	}
	return since, parted
}

// follows says whether a version comes after another one, in however many steps.
func follows(s group.State, v, after event.PolicyVersion) bool {
	seen := map[event.PolicyVersion]bool{v: true}
	for next := []event.PolicyVersion{v}; len(next) > 0; next = next[1:] {
		_, parents, _ := s.PolicyText(next[0])
		for _, p := range parents {
			if p == after {
				return true
			}
			if !seen[p] {
				seen[p], next = true, append(next, p)
			}
		}
	}
	return false
}
