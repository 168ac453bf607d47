package robot

import (
	"slices"

	"github.com/btcsuite/btcd/chainhash/v2"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/ledger"
	"github.com/quorate/quorate/policy"
)

// Reasons of verdicts that no policy gives.
const (
	ReasonNoPolicy   policy.Reason = "no_policy"         // none is in force
	ReasonUnreadable policy.Reason = "policy_unreadable" // the one in force is of a newer program
	ReasonBehind     policy.Reason = "policy_behind"     // the group went on, and it may have followed before it was restored
	ReasonNoRobot    policy.Reason = "not_a_robot"       // it names others as its robots
	ReasonTooMany    policy.Reason = "too_many_verdicts"
	ReasonTooLarge   policy.Reason = "facts_too_large"
	ReasonCharges    policy.Reason = "charges_unknown" // it signed what it does not hold any more
	// ReasonCeiling is all that a verdict says of a ceiling; ReasonCeilingUnread that it does not
	// fit the wallet.
	ReasonCeiling       policy.Reason = "ceiling"
	ReasonCeilingUnread policy.Reason = "ceiling_unreadable"
)

// Case is a proposal that a robot is to decide about, and what its node knows.
type Case struct {
	State    group.State
	View     ledger.View
	Proposal *group.Proposal
	Key      int   // the robot's
	Own      int64 // its own clock, Unix seconds
	Latest   int64 // the latest time that it ever went by, Unix seconds
	// Signed says whether this robot's key signed a transaction.
	Signed  func(chainhash.Hash) bool
	Refused []string // codes of the rules for every cosigner that refuse it, in order
	Unready string   // why the robot is silent whatever is proposed, in a code
	Heard   uint64   // other members that were heard since the start
}

// Said is a verdict, and what it rests on.
type Said struct {
	policy.Verdict
	Version event.PolicyVersion
	Now     int64  // the time that it goes by, Unix seconds
	Facts   []byte // canonical
	// Since is when all but the delay came to hold, Unix seconds; 0 where it does not.
	Since int64
	// Silent: it says nothing for now, whatever is proposed.
	Silent bool
}

// Word is the outcome as people read it.
func (v Said) Word() string { return Word(uint64(v.Outcome)) }

// Word is an outcome as people read it.
func Word(outcome uint64) string {
	switch policy.Outcome(outcome) {
	case policy.OutcomeSign:
		return "sign"
	case policy.OutcomeWait:
		return "wait"
	case policy.OutcomeAsk:
		return "ask"
	case policy.OutcomeDeny:
		return "deny"
	}
	return "unknown"
}

// Same says whether a verdict says what was said before.
func (v Said) Same(last group.Verdict, mode Mode) bool {
	return v.Version == last.Policy && last.Shadow == (mode == Shadow) && uint64(v.Outcome) == last.Outcome && v.Rule == last.Rule && v.Step == last.Step &&
		v.Since == last.Fulfilled && slices.Equal(v.codes(), last.Reasons)
}

func (v Said) codes() []string {
	var out []string
	for _, r := range v.Reasons {
		out = append(out, string(r))
	}
	return out
}

// Event is a verdict as it is written.
func (v Said) Event(p *group.Proposal, mode Mode) *event.RobotVerdict {
	return &event.RobotVerdict{
		Proposal: p.Ref.ID, TxID: p.TxID, Policy: v.Version, Outcome: uint64(v.Outcome), Rule: v.Rule, Reasons: v.codes(),
		Step: v.Step, Until: v.Until, Fulfilled: v.Since, Now: v.Now, Facts: v.Facts, Shadow: mode == Shadow,
	}
}
