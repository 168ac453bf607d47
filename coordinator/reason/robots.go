package reason

import (
	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/policy"
)

// PolicyOf returns a policy that was proposed, and whether this program can read it.
func PolicyOf(s group.State, v event.PolicyVersion) (*policy.Policy, bool) {
	text, _, ok := s.PolicyText(v)
	if !ok {
		return nil, false
	}
	p, err := policy.Decode(text)
	return p, err == nil
}

// Robots are the keys of the robots of an active wallet: those that a policy names which one
// of them follows.
func Robots(s group.State) (keys policy.Keys) {
	for k := range s.Active().Members {
		if v, _, ok := s.PolicyAdopted(k); ok {
			if of, ok := PolicyOf(s, v); ok {
				keys |= of.Robots
			}
		}
	}
	return keys
}
