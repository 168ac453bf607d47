package coordinator

import (
	"errors"
	"fmt"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/frozen"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/coordinator/robot"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/policy"
	"github.com/quorate/quorate/wallet"
	"github.com/quorate/quorate/wallet/coinselect"
)

// This file is what a robot's node does by itself about proposals: it says what its group's
// policy makes of each, and signs what that lets it sign.

// maxVerdicts is how many verdicts a robot writes on one proposal: the last of them denies.
const maxVerdicts = robot.MaxVerdicts

// dueVerdicts lists the proposals about which the robot has something new to say, or to
// sign: of all that it looks at, or of those of which something changed.
func (m *Machine) dueVerdicts(in Input, all bool) (next Machine, due []journal.EntryID) {
	next = *m
	if m.State.Active() == nil {
		return next, nil
	}
	var of []journal.Author
	for k := range m.State.Active().Members {
		of = append(of, m.State.Active().Identities(k)...)
	}
	ids, desk := m.desk.Take(all, of)
	if next.desk = desk; all || len(ids) > 0 {
		next.desk = desk.Prepared(m.preparing())
	}
	if all {
		next.desk = next.desk.Unread(m.State.UnreadBy(), m.ticks)
		next.desk = next.desk.Quiet(next.desk.Silent(m.unready(), m.heardMembers()), m.ticks)
	}
	for _, id := range ids {
		p, ok := next.State.Proposal(id)
		if !ok {
			continue
		}
		v, err := next.verdict(p, in)
		if err == nil && (next.signs(v) || next.news(p, &v) || next.reserves(p, v)) {
			due = append(due, id)
		}
	}
	return next, due
}

// preparing is what the desk is prepared with.
func (m *Machine) preparing() robot.Wallet {
	me, _ := m.State.Active().Index(m.State.Me())
	return robot.Wallet{State: m.State, View: m.View, Key: me, Mine: m.ownChain(), Guarded: m.Guard.ever}
}

// chargeLate charges what this robot's key signed in another life of its node, and what others'
// signed in the time of older policies, of which it hears now.
func (s *step) chargeLate(p *group.Proposal) {
	if s.m.desk.Mode == robot.Off || s.m.State.Active() == nil {
		return
	}
	s.m.desk = s.m.desk.Late(s.m.State, s.m.View, p)
	if me, ok := s.m.State.Active().Index(s.m.State.Me()); ok && s.m.State.Signed(p, me) {
		s.m.desk = s.m.desk.Signed(s.m.State, s.m.View, p, s.now().Unix())
	}
}

// relayable says why no node would pass a proposal on, in codes.
func (m *Machine) relayable(x asked) (refused []string) {
	for _, o := range x.p.Body.Outputs {
		if o.Change == nil && o.Amount < coinselect.DustLimit(o.PkScript, 0) {
			refused = append(refused, refusal.Dust)
			break
		}
	}
	if err := m.checkFeeFloor(x); err != nil {
		refused = append(refused, refusalCode(err))
	}
	return refused
}

// signs says whether a verdict has this node sign.
func (m *Machine) signs(v robot.Said) bool {
	return v.Outcome == policy.OutcomeSign && m.desk.Mode == robot.Signs
}

// errNoVerdict says that a robot has nothing to say of a proposal now.
var errNoVerdict = errors.New("nothing is to be said of it")

// verdict is what the robot makes of a proposal now.
func (m *Machine) verdict(p *group.Proposal, in Input) (robot.Said, error) {
	me, ok := m.State.Active().Index(m.State.Me())
	switch {
	case !ok || m.External() || m.desk.Mode == robot.Off || m.local.Archived:
		return robot.Said{}, errNoVerdict
	case !m.State.Idle():
		return robot.Said{}, errNoVerdict
	case !m.State.Alive(p) || m.State.Signed(p, me):
		return robot.Said{}, errNoVerdict
	case group.Derive(m.State, m.View, in.Now, p) != group.StatusPending:
		return robot.Said{}, errNoVerdict
	}
	x := robot.Case{
		State: m.State, View: m.View, Proposal: p, Key: me, Own: in.Now.Unix(), Latest: m.unaskedAt,
		Signed: m.Guard.ever, Unready: m.unready(), Heard: m.heardMembers(),
	}
	rule := asked{p: p, now: in.Now, stage: approving, chainAge: in.ChainAge, policy: in.Policy, robot: true}
	for err := range m.refusals(rule) {
		x.Refused = append(x.Refused, refusalCode(err))
	}
	x.Refused = append(x.Refused, m.relayable(rule)...)
	return m.desk.Decide(x), nil
}

// refusalCode is the code of what a rule says.
func refusalCode(err error) string {
	var r *refusal.Refusal
	if errors.As(err, &r) {
		return r.Rule
	}
	return robot.RefusedElse
}

// unready says why a robot is silent whatever is proposed, in a code.
func (m *Machine) unready() string {
	switch {
	case m.desk.Paused:
		return robot.UnreadyPaused
	case m.restored != nil:
		return refusal.Restored
	case m.superseded() || m.State.TaintedFrom(m.ownChain()) != 0:
		return refusal.OwnChain
	case m.awaited():
		return robot.UnreadyEntries
	}
	return ""
}

// heardMembers counts the other members that said since this node started what they hold,
// what this one held of its own when it started among it, and of whom all of it is held here.
func (m *Machine) heardMembers() uint64 {
	heard, _ := m.heardWith(m.ownChain(), m.ownAtStart)
	return uint64(heard)
}

// news says whether a verdict differs from what this robot said of the proposal last, and may
// be written. The last verdict that is written of one denies. That it is silent for now a
// robot does not write: each start would use up what it may say, and begin a delay anew.
func (m *Machine) news(p *group.Proposal, v *robot.Said) bool {
	last, n, ok := m.State.VerdictBy(m.State.Me(), p.Ref.ID)
	switch {
	case v.Silent || ok && v.Same(last, m.desk.Mode) || n >= maxVerdicts:
		return false
	case n == maxVerdicts-1 && v.Outcome != policy.OutcomeDeny && !m.signs(*v):
		v.Verdict = policy.Verdict{Outcome: policy.OutcomeDeny, Reasons: []policy.Reason{robot.ReasonTooMany}}
	}
	return true
}

func (m *Machine) ownChain() journal.ChainKey {
	return journal.ChainKey{Author: m.State.Me(), Incarnation: m.local.Incarnation}
}

// robotDue says whether a robot looks at anything now.
func (m *Machine) robotDue(tick bool) bool {
	return m.desk.Mode != robot.Off && m.State.Active() != nil && (tick || m.desk.Due())
}

// reserves says whether the robot is to ask the others for leave to sign a proposal.
func (m *Machine) reserves(p *group.Proposal, v robot.Said) bool {
	if m.desk.Mode != robot.Signs || len(v.Reserve) == 0 || !m.heardRobots() {
		return false
	}
	_, outgrown := m.desk.Outgrown(m.preparing(), p, v.Reserve)
	return outgrown || m.desk.MayReserve(m.preparing(), p, v.Reserve)
}

// heardRobots says whether all other robots of the policy in force were heard since the start.
func (m *Machine) heardRobots() bool {
	return m.desk.Robots(func(key int) bool {
		who := m.State.NodeOf(m.State.Active().Members[key])
		f, ok := m.claims.Get(mapkey.Of(who))
		return who == m.State.Me() || ok && f[m.ownChain()].Seq >= m.ownAtStart && m.State.Covers(m.claims, who)
	})
}

// budgets has a robot say what it has to say of the pools: a few things at once.
func (s *step) budgets() error {
	if s.m.desk.Mode != robot.Signs || s.m.State.BudgetEntries() == 0 {
		return nil
	}
	s.m.desk = s.m.desk.Counted(s.m.State.BudgetEntries())
	if s.m.unready() != "" || !s.m.heardRobots() {
		return nil
	}
	for range budgetsEach {
		s.m.desk = s.m.desk.Prepared(s.m.preparing())
		move, ok := s.m.desk.Budget(s.m.preparing(), func(p *group.Proposal) bool {
			return s.m.State.Alive(p) && group.Derive(s.m.State, s.m.View, s.now(), p).Live()
		})
		if !ok {
			return nil
		}
		body := event.Body(&event.BudgetGranted{Reservation: move.Grant})
		if move.Releases {
			body = &event.BudgetReleased{Reservation: move.Release}
		}
		if _, err := s.write(body); err != nil {
			return err
		}
		if move.Grants {
			s.m.desk = s.m.desk.Granted(move.To)
		}
		s.m.desk = s.m.desk.Spoke().Again()
	}
	return nil
}

// budgetsEach is how many grants and releases a robot writes in one step at most.
const budgetsEach = 16

func (s *step) judge(x Judge) error {
	p, ok := s.m.State.Proposal(x.Proposal)
	if !ok {
		return fmt.Errorf("proposal %s: %w", x.Proposal, refusal.ErrUnknownProposal)
	}
	s.m.desk = s.m.desk.Prepared(s.m.preparing())
	v, err := s.m.verdict(p, s.in)
	if err != nil {
		return err
	}
	if _, n, _ := s.m.State.VerdictBy(s.m.State.Me(), p.Ref.ID); !s.m.signs(v) || n >= maxVerdicts {
		return s.say(p, v)
	}
	return s.askToSign(p, Signed{Cmd: x})
}

// signed writes the verdict and the signatures together: it is made again, since a signer may
// be slow. What no longer passes is not let out.
func (x Judge) signed(s *step, got Signed) error {
	p, ok := s.m.State.Proposal(x.Proposal)
	if !ok {
		return fmt.Errorf("proposal %s: %w", x.Proposal, refusal.ErrUnknownProposal)
	}
	s.m.desk = s.m.desk.Prepared(s.m.preparing())
	v, err := s.m.verdict(p, s.in)
	if err != nil {
		return err
	}
	if err := s.say(p, v); err != nil || !s.m.signs(v) {
		return err
	}
	if err := s.releaseIn(event.ProposalApproved{Proposal: p.Ref.ID}, p, got.Signatures); err != nil {
		return err
	}
	s.do(Tell{port.Notice{Type: "signed_by_policy", Group: s.m.State.Group(), Proposal: p.Ref.ID, TxID: p.TxID}})
	return nil
}

// heldBack says that the operator's ceiling, which a signer in another process keeps to, does
// not let out what the policy does. The signer is not asked again for a while.
func (x Judge) heldBack(s *step) error {
	p, ok := s.m.State.Proposal(x.Proposal)
	if !ok {
		return fmt.Errorf("proposal %s: %w", x.Proposal, refusal.ErrUnknownProposal)
	}
	s.m.desk = s.m.desk.Prepared(s.m.preparing()).HeldBack(p.TxID, s.now().Unix())
	v, err := s.m.verdict(p, s.in)
	if err != nil {
		return err
	}
	return s.say(p, v)
}

// say writes a verdict, where it is news, and asks the other robots for leave, where that is
// what it waits for.
func (s *step) say(p *group.Proposal, v robot.Said) error {
	if s.m.news(p, &v) {
		if err := s.writeVerdict(p, v); err != nil {
			return err
		}
	}
	if !s.m.reserves(p, v) {
		return nil
	}
	if old, outgrown := s.m.desk.Outgrown(s.m.preparing(), p, v.Reserve); outgrown {
		if _, err := s.write(&event.BudgetReleased{Reservation: old}); err != nil {
			return err
		}
		s.m.desk = s.m.desk.Spoke().Again() // it asks anew when that is said
		return nil
	}
	if _, err := s.write(&event.BudgetReserved{Proposal: p.Ref.ID, TxID: p.TxID, Policy: v.Version, Meters: v.Reserve}); err != nil {
		return err
	}
	s.m.desk = s.m.desk.Spoke().Again()
	return nil
}

func (s *step) writeVerdict(p *group.Proposal, v robot.Said) error {
	if !s.m.signs(v) {
		desk, may := s.m.desk.MaySay(p.Author(), v.Now, v.Outcome == policy.OutcomeDeny)
		if s.m.desk = desk; !may {
			return nil
		}
	}
	if v.Now > s.m.unaskedAt {
		s.m.unaskedAt = v.Now
		if err := s.put(recUnasked, unaskedRecord{v.Now}); err != nil {
			return err
		}
	}
	if _, err := s.write(v.Event(p, s.m.desk.Mode)); err != nil {
		return err
	}
	if v.Outcome == policy.OutcomeAsk || v.Outcome == policy.OutcomeDeny {
		s.do(Tell{port.Notice{Type: "robot_verdict", Group: s.m.State.Group(), Proposal: p.Ref.ID, TxID: p.TxID, Status: v.Word(), Detail: joined(v.Reasons)}})
	}
	return nil
}

func joined(reasons []policy.Reason) string {
	out := ""
	for n, r := range reasons {
		if n > 0 {
			out += ", "
		}
		out += string(r)
	}
	return out
}

func (m *Machine) following(in Input) (robot.Following, bool) {
	if m.desk.Mode == robot.Off || m.State.Active() == nil || !m.State.AnyPolicy() || m.restored != nil {
		return robot.Following{}, false
	}
	me, ok := m.State.Active().Index(m.State.Me())
	now, doubt := robot.Clock(in.Now.Unix(), m.View.Tip().MedianTime, m.State.Genesis().Network == string(wallet.Regtest), m.unaskedAt)
	return robot.Following{State: m.State, Key: me, Now: now, Height: int64(m.View.Tip().Height), Doubt: doubt, Desk: m.desk, Tighter: tighter,
		Frozen: len(frozen.InEffect(m.State, m.View.Tip().Height)) > 0}, ok
}

func (s *step) followPolicy() error {
	if err := s.budgets(); err != nil {
		return err
	}
	f, ok := s.m.following(s.in)
	if !ok {
		return nil
	}
	next, ok, desk := f.Next()
	s.m.desk = desk
	if !ok {
		return nil
	}
	body := event.Body(&event.PolicyAnchored{Version: next.Version, Votes: next.Votes, Height: f.Height, Time: f.Now})
	if next.Adopt {
		body = &event.PolicyAdopted{Version: next.Version, Median: max(0, s.m.View.Tip().MedianTime)}
	}
	if _, err := s.write(body); err != nil {
		return err
	}
	if next.Adopt {
		s.m.desk = s.m.desk.Again()
		s.do(Tell{port.Notice{Type: "policy", Group: s.m.State.Group(), Status: "in_force", Detail: next.Version.String()}})
	}
	return nil
}

func (s *step) pauseRobot(x PauseRobot) error {
	if s.m.desk.Mode == robot.Off {
		return refusal.New(refusal.NoRobot, "this node is no robot")
	}
	if s.m.desk.Paused = x.Paused; x.Paused {
		s.batch.Puts[recPaused] = []byte{1}
	} else {
		s.batch.Deletes = append(s.batch.Deletes, recPaused)
	}
	s.m.desk = s.m.desk.Again()
	answer(s, x, Done{})
	return nil
}

// tighter says whether a policy lets nothing out that another one does not.
func tighter(old, next *policy.Policy) bool {
	yes, _ := policy.Tighter(old, next, func(policy.Key) string { return "" })
	return yes
}
