package replay

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/robot"
	"github.com/quorate/quorate/policy"
)

var errTooMany = errors.New("it followed more policies than are worked out at once")

// differs notes a field that is not as it should be.
func (f *Found) differs(field string, said, should any) {
	f.Differs = append(f.Differs, Difference{field, text(said), text(should)})
}

// same compares a field.
func same[T comparable](f *Found, field string, said, should T) {
	if said != should {
		f.differs(field, said, should)
	}
}

func (f *Found) open(field, why string) { f.Open = append(f.Open, Open{field, why}) }

// text is a value as it is told.
func text(v any) string {
	switch x := v.(type) {
	case []string:
		return strings.Join(x, ", ")
	case event.PolicyVersion:
		return x.String()
	}
	return fmt.Sprint(v)
}

// judge makes a verdict again.
func (w *walk) judge(f *Found) {
	b := &f.Verdict
	same(f, "policy", b.Policy, w.followed)
	if b.Now < w.latest {
		f.differs("now", b.Now, fmt.Sprintf("%d or later", w.latest))
	}
	if len(b.Facts) == 0 {
		w.judgeBare(f)
		return
	}
	facts, err := policy.DecodeFacts(b.Facts)
	if err != nil {
		f.differs("facts", "unreadable", "facts in canonical form")
		return
	}
	same(f, "facts.robot", int(facts.Robot), w.key)
	same(f, "facts.now", facts.Now, b.Now)
	v := w.version(b.Policy)
	if v.err != nil {
		f.open("policy", v.err.Error())
		return
	}
	w.decide(f, v.compiled.Policy, facts)
	w.compareFacts(f, v, facts)
}

// judgeBare looks at a verdict without facts: one that no policy gives.
func (w *walk) judgeBare(f *Found) {
	b := &f.Verdict
	if b.Outcome != uint64(policy.OutcomeDeny) || len(b.Reasons) != 1 || b.Rule != 0 || b.Step != 0 || b.Until != 0 || b.Fulfilled != 0 {
		f.differs("facts", "none", "a verdict has facts")
		return
	}
	switch v := w.version(b.Policy); policy.Reason(b.Reasons[0]) {
	case robot.ReasonNoPolicy:
		if w.followed != (event.PolicyVersion{}) {
			f.differs("reasons", b.Reasons, "it follows one")
		}
	case robot.ReasonNoRobot:
		switch {
		case v.err != nil:
			f.open("policy", v.err.Error())
		case v.compiled.Policy.Robots.Has(policy.Key(w.key)):
			f.differs("reasons", b.Reasons, "it is one of the policy's robots")
		}
	case robot.ReasonBehind, robot.ReasonUnreadable, robot.ReasonCharges, robot.ReasonTooLarge:
		f.open("reasons", "that it was so is the robot's word")
	default:
		f.differs("facts", "none", "a verdict has facts")
	}
}

// decide compares a verdict with what is decided of its facts, and these with what the robot
// said before.
func (w *walk) decide(f *Found, p *policy.Policy, facts *policy.Facts) {
	b, before := &f.Verdict, w.said[f.Verdict.Proposal]
	var last robot.Last
	if before.count > 0 && before.last.Policy == b.Policy {
		last = robot.LastOf(p, before.last)
	}
	same(f, "facts.fulfilled", facts.Fulfilled, last.Fulfilled)
	same(f, "facts.step", facts.Step, last.Step)
	same(f, "facts.asked", facts.Asked, last.Asked)
	v := policy.Decide(p, facts)
	if before.count == robot.MaxVerdicts-1 && v.Outcome != policy.OutcomeDeny && !(v.Outcome == policy.OutcomeSign && !b.Shadow) {
		v = policy.Verdict{Outcome: policy.OutcomeDeny, Reasons: []policy.Reason{robot.ReasonTooMany}, Fulfilled: v.Fulfilled}
	}
	said := robot.Said{Verdict: v}
	same(f, "outcome", robot.Word(b.Outcome), said.Word())
	same(f, "rule", b.Rule, v.Rule)
	var reasons []string
	for _, x := range v.Reasons {
		reasons = append(reasons, string(x))
	}
	if !slices.Equal(b.Reasons, reasons) {
		f.differs("reasons", b.Reasons, reasons)
	}
	same(f, "step", b.Step, v.Step)
	same(f, "until", b.Until, v.Until)
	var since int64
	if v.Fulfilled {
		if since = facts.Fulfilled; since == 0 {
			since = facts.Now
		}
	}
	same(f, "fulfilled", b.Fulfilled, since)
}

// proposalOf finds the proposal that a verdict is about.
func (w *walk) proposalOf(f *Found) (*group.Proposal, bool) {
	p, ok := w.r.State.Proposal(f.Verdict.Proposal)
	if !ok || !p.Sound {
		f.open("proposal", errNotHeld.Error())
		return nil, false
	}
	same(f, "txid", f.Verdict.TxID, p.TxID)
	return p, true
}
