package coordinator

import (
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/quorate/quorate/coordinator/frozen"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/coordinator/refusal"
)

// proposalRule is what may refuse a proposal or a signature on it. Which of them may be
// overridden by name, and with which code, its refusal says.
type proposalRule struct {
	name string
	at   stage
	ask  func(*Machine, asked) error
}

// rules lists the rules, in the order in which the first that refuses is told.
func rules() []proposalRule {
	return []proposalRule{
		{"the wallet is in use", approving, func(m *Machine, _ asked) error { return m.notArchived() }},
		{"this node's human may sign", approving | signing, (*Machine).robotOnly},
		{"this node has a key", approving, (*Machine).askSeat},
		{"it may still be approved", approving, (*Machine).askActs},
		{"the proposal is not withdrawn", approving, (*Machine).askWithdrawn},
		{"its time is not over", proposing | approving, (*Machine).askExpired},
		{"this node sees the chain", proposing | approving | signing, (*Machine).checkFresh},
		{"nobody froze the wallet", approving | signing, func(m *Machine, x asked) error { return frozen.Check(m.State, m.View.Tip().Height, x.allow) }},
		{"it is a transaction as this node sees it", proposing | approving, func(m *Machine, x asked) error {
			return checkTransaction(m.State, m.View, x.now, x.p, x.allow)
		}},
		{"nobody froze its coins", proposing | approving, func(m *Machine, x asked) error { return checkFrozen(m.State, x.p, x.allow) }},
		{"it pays for what it replaces", proposing | approving, func(m *Machine, x asked) error { return m.checkReplacement(x) }},
		{"the Bitcoin node takes its fee", proposing, (*Machine).checkFeeFloor},
		{"the Bitcoin node takes what it rests on", proposing, (*Machine).checkChain},
		{"it pays nobody twice", proposing | approving, func(m *Machine, x asked) error { return m.checkDoublePayment(x.p, x.allow) }},
		{"this node knows what it signed", approving | signing, func(m *Machine, x asked) error { return m.checkRestored(x.p, x.allow) }},
		{"it signed nothing else over the coins", approving | signing, func(m *Machine, x asked) error {
			_, err := m.Guard.check(m.State, m.View, x.p)
			return err
		}},
	}
}

// refusals yields what each rule of a stage that refuses says, in order.
func (m *Machine) refusals(x asked) iter.Seq[error] {
	return func(yield func(error) bool) {
		for _, r := range rules() {
			if r.at&x.stage == 0 {
				continue
			}
			if err := r.ask(m, x); err != nil && !yield(err) {
				return
			}
		}
	}
}

// ask returns what the first rule of a stage that refuses says, or nil.
func (m *Machine) ask(x asked) error {
	for err := range m.refusals(x) {
		return err
	}
	return nil
}

// ask asks the rules of a stage as of this step.
func (s *step) ask(p *group.Proposal, allow []string, at stage) error {
	return s.m.ask(asked{p: p, now: s.now(), allow: allow, stage: at, chainAge: s.in.ChainAge, policy: s.in.Policy})
}

// Warn returns what an approver is told before signing: what each rule that stands
// before it refuses, without changing anything. Of a proposal that is decided there
// is nothing to say, but that it may not get through the network.
func (m *Machine) Warn(p *group.Proposal, now time.Time, chainAge time.Duration, policy port.Policy) []*refusal.Refusal {
	if m.State.Active() == nil || !m.Status(p, now).Live() {
		return nil
	}
	var out []*refusal.Refusal
	if r := m.longChain(p); r != nil {
		out = append(out, r)
	}
	if m.Status(p, now) != group.StatusPending {
		return out
	}
	for err := range m.refusals(asked{p: p, now: now, stage: approving, chainAge: chainAge, policy: policy}) {
		var r *refusal.Refusal
		if errors.As(err, &r) {
			out = append(out, r)
		}
	}
	return out
}

func (m *Machine) askSeat(asked) error {
	if _, ok := m.State.Active().Index(m.State.Me()); !ok {
		return refusal.New(refusal.NoKey, "this node holds no key of the wallet")
	}
	return nil
}

// A final proposal still takes signatures, but neither of these stops being true.
func (m *Machine) askWithdrawn(x asked) error {
	if m.State.Withdrawn(x.p) {
		return refusedAct(refusal.Withdrawn)
	}
	return nil
}

func (m *Machine) askExpired(x asked) error {
	switch {
	case !group.Expired(x.p, m.View, x.now):
		return nil
	case x.stage == proposing:
		return fmt.Errorf("%w: the expiry is in the past", refusal.ErrBadRequest)
	}
	return refusedAct(refusal.Expired)
}
