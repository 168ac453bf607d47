package coordinator

import (
	"fmt"
	"slices"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/coordinator/robot"
)

// This file is how this member votes on what robots sign by themselves. A robot's node votes
// at its user's command, as any other.

// ProposePolicy puts a policy to the vote, and is for it. The reply is a PolicyPut. What is
// proposed already is not proposed again.
type ProposePolicy struct {
	Bytes []byte // the canonical form
	// Parents are the versions that it takes the place of: what robots follow now where it
	// is nil.
	Parents []event.PolicyVersion
	// Unapproved: this member is not for it yet.
	Unapproved bool
	Allow      []string
}

// PolicyPut is the version that is voted on.
type PolicyPut struct{ Version event.PolicyVersion }

// VotePolicy is this member's vote on a version, in the place of what it said of it before.
type VotePolicy struct {
	Version event.PolicyVersion
	Against bool
	Allow   []string
}

// mayVote returns the key that this node votes for.
func (s *step) mayVote(kind event.Kind, allow []string) (int, error) {
	me, err := s.seat()
	if err == nil {
		err = s.m.notArchived()
	}
	if err == nil {
		err = s.m.known(kind, allow)
	}
	return me, err
}

func (s *step) proposePolicy(x ProposePolicy) error {
	if _, err := s.mayVote(event.KindPolicyProposed, x.Allow); err != nil {
		return err
	}
	if _, err := robot.Votable(s.m.State, x.Bytes); err != nil {
		return fmt.Errorf("%w: %w", refusal.ErrBadPolicy, err)
	}
	b := &event.PolicyProposed{Bytes: x.Bytes, Parents: x.Parents}
	if b.Parents == nil {
		b.Parents = robot.Followed(s.m.State)
	}
	for _, v := range b.Parents {
		if _, _, ok := s.m.State.PolicyText(v); !ok {
			return fmt.Errorf("%w: it is to follow %x", refusal.ErrUnknownPolicy, v)
		}
	}
	v := b.Version(s.m.State.Group())
	if !robot.VotesCount(s.m.State, v) { // whoever proposed it first
		if _, err := s.write(b); err != nil {
			return err
		}
	}
	if !robot.VotesCount(s.m.State, v) {
		return refusal.New(refusal.Policies, "this node proposed %d policies in the place of the same one: the others count no more of one", group.MaxRivalPolicies).
			WithHint("another cosigner can propose it")
	}
	if !x.Unapproved {
		if err := s.vote(VotePolicy{Version: v, Allow: x.Allow}); err != nil {
			return err
		}
	}
	answer(s, x, PolicyPut{v})
	return nil
}

func (s *step) votePolicy(x VotePolicy) error {
	if err := s.vote(x); err != nil {
		return err
	}
	answer(s, x, Done{})
	return nil
}

// vote writes a vote that is not so yet.
func (s *step) vote(x VotePolicy) error {
	body := event.Body(&event.PolicyApproved{Version: x.Version})
	if x.Against {
		body = &event.PolicyObjected{Version: x.Version}
	}
	me, err := s.mayVote(body.Kind(), x.Allow)
	if err != nil {
		return err
	}
	text, _, ok := s.m.State.PolicyText(x.Version)
	if !ok {
		return fmt.Errorf("%w: %x", refusal.ErrUnknownPolicy, x.Version)
	}
	if _, err := robot.Votable(s.m.State, text); err != nil && !x.Against {
		return fmt.Errorf("%w: %w", refusal.ErrBadPolicy, err)
	}
	if !robot.VotesCount(s.m.State, x.Version) {
		return refusal.New(refusal.Policies, "a vote on it does not count: its author proposed more than %d in the place of the same one", group.MaxRivalPolicies).
			WithHint("propose it yourself: `quorate policy propose`")
	}
	st := s.m.State.PolicyStanding(x.Version)
	if slices.Contains(st.For, me) && !x.Against || slices.Contains(st.Against, me) && x.Against {
		return nil
	}
	_, err = s.write(body)
	return err
}
