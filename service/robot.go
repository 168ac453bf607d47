package service

import (
	"context"
	"encoding/hex"
	"slices"
	"time"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/node"
	"github.com/quorate/quorate/coordinator/reason"
	"github.com/quorate/quorate/coordinator/robot"
	"github.com/quorate/quorate/policy"
)

// Robot says how this node is as a robot of a wallet.
func (n *Node) Robot(_ context.Context, ref string) (api.Robot, error) {
	a, err := n.actor(ref)
	if err != nil {
		return api.Robot{}, err
	}
	return robotOf(a.Machine()), nil
}

// PauseRobot stops this robot in a wallet.
func (n *Node) PauseRobot(ctx context.Context, ref string) (api.Robot, error) {
	return n.pauseRobot(ctx, ref, true)
}

// ResumeRobot has it go on.
func (n *Node) ResumeRobot(ctx context.Context, ref string) (api.Robot, error) {
	return n.pauseRobot(ctx, ref, false)
}

func (n *Node) pauseRobot(ctx context.Context, ref string, paused bool) (api.Robot, error) {
	a, err := n.actor(ref)
	if err != nil {
		return api.Robot{}, err
	}
	if _, err := node.Do(ctx, a, coordinator.PauseRobot{Paused: paused}); err != nil {
		return api.Robot{}, n.apiError(err)
	}
	return robotOf(a.Machine()), nil
}

// robotOf is what is shown of a robot.
func robotOf(m *coordinator.Machine) api.Robot {
	out := api.Robot{Wallet: m.State.Group().String(), WalletName: m.Name(), Mode: "off"}
	s, ok := m.Robot()
	if !ok {
		return out
	}
	if out.Mode = "shadow"; s.Mode == robot.Signs {
		out.Mode = "sign"
	}
	out.Paused, out.Heard = s.Paused, s.Heard
	out.Waiting = s.Outstanding
	if s.Follows {
		out.Policy = refOf(s.Version, s.Policy)
	}
	if s.Policy != nil {
		out.Needed = s.Policy.StartQuorum
	}
	if code := s.Silent; code != "" {
		out.Silent = &api.RobotReason{Code: code, Message: reason.Says(code)}
	}
	of := membersByKey(m)
	for _, x := range s.Meters {
		use := api.MeterUse{Meter: x.Meter, Recipient: api.Text(x.Recipient), Taken: x.Used, Share: x.Share}
		i := slices.IndexFunc(s.Policy.Meters, func(y policy.Meter) bool { return y.Name == x.Meter })
		use.Limit, use.Window = s.Policy.Meters[i].Limit, s.Policy.Meters[i].Window
		if s.Policy.Meters[i].Per == policy.PerInitiator {
			who := person(of(x.Initiator))
			use.Initiator = &who
		}
		out.Meters = append(out.Meters, use)
	}
	return out
}

// membersByKey finds the member of a key.
func membersByKey(m *coordinator.Machine) func(policy.Key) group.Member {
	return func(k policy.Key) group.Member {
		if a := m.State.Active(); a != nil && int(k) < len(a.Members) {
			return a.Members[k]
		}
		return group.Member{}
	}
}

func refOf(v event.PolicyVersion, p *policy.Policy) *api.PolicyRef {
	if v == (event.PolicyVersion{}) {
		return nil
	}
	out := &api.PolicyRef{Version: hex.EncodeToString(v[:])}
	if p != nil {
		out.Title = api.Text(p.Title)
	}
	return out
}

func reasonsOf(codes []string) (out []api.RobotReason) {
	for _, c := range codes {
		out = append(out, api.RobotReason{Code: c, Message: reason.Says(c)})
	}
	return out
}

// verdictsInShort is what each robot said last of a proposal.
func verdictsInShort(m *coordinator.Machine, p *group.Proposal) (out []api.RobotSaid) {
	for _, v := range m.Verdicts(p) {
		out = append(out, api.RobotSaid{
			Robot: person(v.Member), Outcome: robot.Word(v.Verdict.Outcome), Shadow: v.Verdict.Shadow, Reasons: reasonsOf(v.Verdict.Reasons),
			Time: api.Time(time.UnixMilli(v.Verdict.Time)),
		})
	}
	return out
}

// Explain says what each robot of the wallet made of a proposal.
func (n *Node) Explain(_ context.Context, ref string) (api.Explanation, error) {
	a, p, err := n.proposal(ref, false)
	if err != nil {
		return api.Explanation{}, err
	}
	m := a.Machine()
	if now, ok := m.State.Proposal(p.ID()); ok {
		p = now
	}
	status := m.Status(p, time.Now())
	out := api.Explanation{Proposal: p.ID().String(), Wallet: m.State.Group().String(), WalletName: m.Name(), TxID: p.TxID.String(), Status: string(status)}
	said, of, robots := m.Verdicts(p), membersByKey(m), reason.Robots(m.State)
	for k := range policy.Key(policy.MaxKeys) {
		i := slices.IndexFunc(said, func(v coordinator.MemberVerdict) bool { return v.Member.Index == int(k) })
		if i < 0 && !robots.Has(k) {
			continue
		}
		who := of(k)
		if i < 0 {
			out.Robots = append(out.Robots, api.Verdict{Robot: person(who), Text: reason.Silent(who.Called())})
			continue
		}
		x := reason.Said{
			Robot: who.Called(), Verdict: said[i].Verdict, Names: func(k policy.Key) string { return of(k).Called() },
			Signed: m.State.Signed(p, int(k)), Over: status != group.StatusPending,
		}
		x.Policy, _ = reason.PolicyOf(m.State, x.Verdict.Policy)
		out.Robots = append(out.Robots, explained(person(who), x, of))
	}
	return out, nil
}

// explained is one robot's verdict.
func explained(who api.Person, x reason.Said, of func(policy.Key) group.Member) api.Verdict {
	v := x.Verdict
	word, at := robot.Word(v.Outcome), api.Time(time.UnixMilli(v.Time))
	out := api.Verdict{Robot: who, Outcome: &word, Shadow: v.Shadow, Text: x.Sentence(), Policy: refOf(v.Policy, x.Policy), Name: api.Text(x.RuleName()), Reasons: reasonsOf(v.Reasons), Time: &at}
	if v.Rule > 0 {
		out.Rule = &v.Rule
	}
	for _, k := range x.AskedKeys() {
		out.Asks = append(out.Asks, person(of(k)))
	}
	if v.Outcome == uint64(policy.OutcomeAsk) && v.Until > 0 {
		out.Until = api.Moment(time.Unix(v.Until, 0))
	}
	return out
}
