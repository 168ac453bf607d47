package reason

import (
	"strings"

	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/coordinator/robot"
	"github.com/quorate/quorate/policy"
)

// row is a code, and what it says.
type row struct {
	code policy.Reason
	says string
}

// table has what is said of the codes that verdicts alone have. Those of refusals say what
// they say everywhere: see Says.
func table() []row {
	return []row{
		{policy.ReasonStart, "too few of the other members were heard since it started"},
		{policy.ReasonNoInitiator, "nobody is answerable for the proposal, since its author's history is forked there"},
		{policy.ReasonFalseKind, "it is something else than its proposal says"},
		{policy.ReasonOwnVote, "the robot's operator rejected it"},
		{policy.ReasonFrozen, "the group is frozen"},
		{policy.ReasonLevel, "it spends by a way that is not for what it is"},
		{policy.ReasonNoRule, "no rule of the policy is for it"},
		{policy.ReasonRule, "the rule says so"},
		{policy.ReasonFacts, "something that the rule asks for is not known"},

		{policy.ReasonAmountMin, "it pays less than the rule lets be paid"},
		{policy.ReasonAmountMax, "it pays more than the rule lets be paid"},
		{policy.ReasonFee, "its fee is above what the rule lets be paid"},
		{policy.ReasonFeeRate, "its fee rate is above what the rule lets be paid"},
		{policy.ReasonInputs, "it spends more coins than the rule lets be spent"},
		{policy.ReasonOutputs, "it has more outputs than the rule allows"},
		{policy.ReasonLockTime, "it has a lock time, and the rule lets it have none"},
		{policy.ReasonChange, "too much of what it spends comes back to the wallet"},
		{policy.ReasonMeterMax, "it takes more than a meter of the rule ever lets through"},
		{policy.ReasonRejected, "somebody whom the rule asks for is against it"},
		{policy.ReasonAnswers, "whoever was asked did not answer in time"},

		{policy.ReasonConfirmations, "a coin of it has too few confirmations"},
		{policy.ReasonAge, "a coin of it is too young"},
		{policy.ReasonApprovals, "approvals that the rule asks for are missing: of members who signed this very proposal"},
		{policy.ReasonHours, "the hours of the rule have not come"},
		{policy.ReasonDelay, "the delay of the rule runs"},
		{policy.ReasonClock, "the robot's clock and the chain's disagree, so that hours and delays do not come"},
		{policy.ReasonMeterFull, "a meter of the rule is full: what was signed counts until it is mined and its window has passed"},
		{policy.ReasonGrants, "it exceeds the robot's own share of a meter, and the other robots have not given leave"},

		{robot.ReasonNoPolicy, "no policy is in force"},
		{robot.ReasonUnreadable, "the policy in force is one that this version of the program cannot read"},
		{robot.ReasonBehind, "the robot does not follow the policy that the group went on to"},
		{robot.ReasonCeiling, "what its operator lays over it does not let it sign that"},
		{robot.ReasonCeilingUnread, "what its operator lays over it does not fit the wallet"},
		{robot.ReasonNoRobot, "the policy in force names others as its robots"},
		{robot.ReasonTooMany, "the robot changed its mind about it too often, and stays with this"},
		{robot.ReasonTooLarge, "what it would be judged by does not fit into a verdict"},
		{robot.ReasonCharges, "the robot signed what it does not hold any more, and does not know what it has used"},

		{robot.UnreadyPaused, "its operator has paused the robot"},
		{robot.UnreadyEntries, "the robot holds entries that it cannot read yet"},
		{robot.RefusedElse, "a check of the robot's node failed"},
	}
}

// Says returns what a code says, as a clause that follows "because". What no program of this
// version writes is shown as it is.
func Says(code string) string {
	for _, r := range table() {
		if string(r.code) == code {
			return r.says
		}
	}
	for _, g := range refusal.Codes() {
		for _, c := range g.Codes {
			if c.Name == code {
				return c.When
			}
		}
	}
	return "reason " + code + ", which this version of the program does not know"
}

// All joins what several codes say.
func All(codes []string) string {
	var out []string
	for _, c := range codes {
		out = append(out, Says(c))
	}
	return strings.Join(out, "; ")
}
