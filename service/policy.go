package service

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/node"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/coordinator/robot"
)

// Policies lists the versions that members vote on.
func (n *Node) Policies(_ context.Context, ref string) ([]api.Policy, error) {
	a, err := n.actor(ref)
	if err != nil {
		return nil, err
	}
	m := a.Machine()
	var out []api.Policy
	for _, b := range robot.Ballots(m.State) {
		out = append(out, ballot(m, b))
	}
	return out, nil
}

// Policy shows one.
func (n *Node) Policy(_ context.Context, ref, version string) (api.Policy, error) {
	a, err := n.actor(ref)
	if err != nil {
		return api.Policy{}, err
	}
	v, err := versionOf(a.Machine(), version)
	if err != nil {
		return api.Policy{}, n.apiError(err)
	}
	return n.policy(a, v)
}

// ProposePolicy puts a policy to the vote.
func (n *Node) ProposePolicy(ctx context.Context, ref string, r api.ProposePolicy) (api.Policy, error) {
	a, err := n.actor(ref)
	if err != nil {
		return api.Policy{}, err
	}
	text, err := base64.StdEncoding.DecodeString(r.Canonical)
	if err != nil {
		return api.Policy{}, api.Misuse("bad_policy", "the canonical form is not in base64", "`quorate policy propose` reads a file of a policy")
	}
	cmd := coordinator.ProposePolicy{Bytes: text, Unapproved: r.Unapproved, Allow: r.Allow}
	for _, of := range r.Follows {
		v, err := versionOf(a.Machine(), of)
		if err != nil {
			return api.Policy{}, n.apiError(err)
		}
		cmd.Parents = append(cmd.Parents, v)
	}
	put, err := node.Do(ctx, a, cmd)
	if err != nil {
		return api.Policy{}, n.apiError(err)
	}
	return n.policy(a, put.Version)
}

// VotePolicy is this member's vote.
func (n *Node) VotePolicy(ctx context.Context, ref, version string, r api.VotePolicy) (api.Policy, error) {
	a, err := n.actor(ref)
	if err != nil {
		return api.Policy{}, err
	}
	v, err := versionOf(a.Machine(), version)
	if err == nil {
		_, err = node.Do(ctx, a, coordinator.VotePolicy{Version: v, Against: r.Against, Allow: r.Allow})
	}
	if err != nil {
		return api.Policy{}, n.apiError(err)
	}
	return n.policy(a, v)
}

// policy is a version with its canonical form.
func (n *Node) policy(a *node.Actor, v event.PolicyVersion) (api.Policy, error) {
	m := a.Machine()
	b, ok := robot.BallotOf(m.State, v)
	if !ok {
		return api.Policy{}, n.apiError(fmt.Errorf("%w: %x", refusal.ErrUnknownPolicy, v))
	}
	out, text := ballot(m, b), base64.StdEncoding.EncodeToString(b.Bytes)
	out.Canonical = &text
	return out, nil
}

// versionOf finds the one that begins so.
func versionOf(m *coordinator.Machine, prefix string) (event.PolicyVersion, error) {
	switch all := m.State.PoliciesNamed(prefix); len(all) {
	case 0:
		return event.PolicyVersion{}, fmt.Errorf("%w: %.64s", refusal.ErrUnknownPolicy, prefix)
	case 1:
		return all[0], nil
	}
	return event.PolicyVersion{}, api.Misuse("ambiguous_id", fmt.Sprintf("several versions of policies begin with %.64s", prefix), "give more of its characters")
}

func ballot(m *coordinator.Machine, b robot.Ballot) api.Policy {
	members, k := m.State.Active().Members, m.State.Genesis().Threshold
	out := api.Policy{
		Wallet: m.State.Group().String(), Version: hex.EncodeToString(b.Version[:]), Title: api.Text(b.Title),
		Needed: k, Most: len(members) - k, Passed: b.Passed, Counts: b.Counts,
	}
	if b.Problem != nil {
		out.Problem = api.Text(b.Problem.Error())
	}
	for _, v := range b.Parents {
		out.Follows = append(out.Follows, hex.EncodeToString(v[:]))
	}
	for _, ref := range b.Proposed {
		out.Proposed = append(out.Proposed, api.PolicyProposal{By: personOf(m, ref.Chain.Author), Time: api.Time(time.UnixMilli(ref.Time))})
	}
	for _, key := range b.Standing.For {
		out.For = append(out.For, person(members[key]))
	}
	for _, key := range b.Standing.Against {
		out.Against = append(out.Against, person(members[key]))
	}
	for _, r := range b.Robots {
		x := api.PolicyRobot{Robot: person(members[r.Key]), Follows: r.Follows}
		if r.Anchored {
			at := api.Time(time.Unix(r.Anchor.Time, 0))
			x.Height, x.Time = &r.Anchor.Height, &at
		}
		out.Robots = append(out.Robots, x)
	}
	return out
}
