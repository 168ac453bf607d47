package group

import (
	"encoding/hex"
	"slices"
	"strings"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/journal/pmap"
)

// PoliciesSaid lists what members said of policies since the last call of TakeTouched.
func (s proposalFacts) PoliciesSaid() []PolicySaid { return s.policiesSaid.all() }

// PolicyApprovers are the members, by key index, whose last word on a version is for it,
// whatever else they were for since: what once was in force was so by their votes.
func (s memberFacts) PolicyApprovers(v event.PolicyVersion) (out []int) {
	if s.active == nil {
		return nil
	}
	for k := range s.active.Members {
		if x, ok := s.policyVote(k, v); ok && !x.Against {
			out = append(out, k)
		}
	}
	return out
}

// PoliciesNamed returns the versions whose hexadecimal form begins so, at most two.
func (s memberFacts) PoliciesNamed(prefix string) (out []event.PolicyVersion) {
	whole, err := hex.DecodeString(prefix[:len(prefix)/2*2])
	if err != nil {
		return nil
	}
	for at := range pmap.Prefix(s.policies.texts, mapkey.By[event.PolicyVersion](whole)) {
		v := event.PolicyVersion([]byte(at))
		if !strings.HasPrefix(hex.EncodeToString(v[:]), prefix) {
			continue
		}
		if out = append(out, v); len(out) == 2 {
			break
		}
	}
	return out
}

// PoliciesBy returns the versions that a member proposed last, the newest first. It is of
// what was said, tainted or not, so that nobody's forks hide what is voted on.
func (s memberFacts) PoliciesBy(key, most int) (out []event.PolicyVersion) {
	ids := slices.Clone(s.active.Identities(key))
	slices.Reverse(ids)
	for _, who := range ids {
		for _, v := range pmap.Prefix(s.policies.proposers, byFollowed(who[:])) {
			if len(out) == most {
				return out
			}
			if !slices.Contains(out, v) {
				out = append(out, v)
			}
		}
	}
	return out
}
