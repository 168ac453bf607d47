package robot

import (
	"fmt"
	"slices"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/policy"
	"github.com/quorate/quorate/wallet"
)

// MaxParents is how many versions one takes the place of at most.
const MaxParents = 4

// Votable returns the policy of a canonical form where robots could follow it: what a quorum
// agrees on and no robot can read makes them deny all.
func Votable(s group.State, text []byte) (*policy.Policy, error) {
	p, err := policy.Decode(text)
	if err != nil {
		return nil, err
	}
	if err := p.Fits(len(s.Active().Members), s.Genesis().Threshold); err != nil {
		return nil, err
	}
	return p, derivable(p, wallet.Network(s.Genesis().Network))
}

// derivable adds up what Compile would derive of a policy's recipients, without doing it.
func derivable(p *policy.Policy, net wallet.Network) error {
	keys := 0
	for _, r := range p.Recipients {
		for _, a := range r.Addresses {
			if _, err := wallet.ParseAddress(a, net); err != nil {
				return fmt.Errorf("recipient %q: %w", r.Name, err)
			}
		}
		for _, text := range r.Descriptors {
			d, err := wallet.ParseRecipient(text, net)
			if err != nil {
				return fmt.Errorf("recipient %q: %w", r.Name, err)
			}
			indexes := 1
			if d.Ranged() {
				indexes = int(lookahead(r))
			}
			if keys += indexes * d.Keys(); keys > maxDerived {
				return fmt.Errorf("recipient %q: %w", r.Name, ErrTooMany)
			}
		}
	}
	return nil
}

// Followed returns the versions that robots follow now, ascending: what a new one takes the
// place of. A member's word that it follows something counts where that makes it a robot, and
// where a quorum was for it, or more of its robots say so than may be bad: else one member
// could have the next policy follow what no robot knows.
func Followed(s group.State) (out []event.PolicyVersion) {
	if s.Active() == nil {
		return nil
	}
	by := map[event.PolicyVersion]policy.Keys{}
	for k := range s.Active().Members {
		if v, _, ok := s.PolicyAdopted(k); ok {
			by[v] |= policy.KeysOf(policy.Key(k))
		}
	}
	var doubtful []event.PolicyVersion
	for v, keys := range by {
		p, err := read(s, v)
		if err != nil {
			continue
		}
		switch of := keys & p.Robots; {
		case of == 0:
		case len(s.PolicyApprovers(v)) >= s.Genesis().Threshold || uint64(of.Count()) > p.Tolerate:
			out = append(out, v)
		default:
			doubtful = append(doubtful, v)
		}
	}
	if len(out) == 0 { // members were against it once it was in force, which it stays
		out = doubtful
	}
	slices.SortFunc(out, func(a, b event.PolicyVersion) int { return slices.Compare(a[:], b[:]) })
	return out[:min(len(out), MaxParents)]
}
