package apitest

import (
	"context"
	"strings"

	"github.com/quorate/quorate/api"
)

func tooMuch() []api.RobotReason {
	return []api.RobotReason{{Code: "amount_max", Message: "it pays more than the rule lets be paid"}}
}

func policyRef() *api.PolicyRef {
	return &api.PolicyRef{Version: strings.Repeat("70", 32), Title: "Operations"}
}

// Robot implements api.Backend: this node is one.
func (b *Backend) Robot(_ context.Context, ref string) (api.Robot, error) {
	return robot(nil), b.wallet("Robot", ref, nil)
}

// PauseRobot implements api.Backend.
func (b *Backend) PauseRobot(_ context.Context, ref string) (api.Robot, error) {
	return robot(&api.RobotReason{Code: "paused", Message: "its operator has paused the robot"}), b.wallet("PauseRobot", ref, nil)
}

// ResumeRobot implements api.Backend.
func (b *Backend) ResumeRobot(_ context.Context, ref string) (api.Robot, error) {
	return robot(nil), b.wallet("ResumeRobot", ref, nil)
}

func robot(silent *api.RobotReason) api.Robot {
	bob := Person("bob")
	return api.Robot{
		Wallet: WalletID, WalletName: "family", Mode: "sign", Paused: silent != nil, Policy: policyRef(), Silent: silent, Heard: 2, Needed: 1,
		Meters: []api.MeterUse{
			{Meter: "daily", Taken: 1_000_000, Share: 5_000_000, Limit: 5_000_000, Window: 86400},
			{Meter: "person", Initiator: &bob, Share: 2_000_000, Limit: 2_000_000, Window: 86400},
		},
		Waiting: 1,
	}
}

// Explain implements api.Backend: one robot denies, and one said nothing.
func (b *Backend) Explain(_ context.Context, ref string) (api.Explanation, error) {
	p, err := b.proposal("Explain", ref, nil)
	if err != nil {
		return api.Explanation{}, err
	}
	deny, rule, at := "deny", uint64(1), Now()
	return api.Explanation{
		Proposal: p.Proposal, Wallet: p.Wallet, WalletName: p.WalletName, TxID: p.TxID, Status: p.Status,
		Robots: []api.Verdict{
			{Robot: Person("carol"), Outcome: &deny, Text: `carol denies it: it pays more than the rule lets be paid (rule 1, "suppliers").`, Policy: policyRef(), Rule: &rule, Name: "suppliers", Reasons: tooMuch(), Time: &at},
			{Robot: Person("bob"), Text: "bob has said nothing of it."},
		},
	}, nil
}
