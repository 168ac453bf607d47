package e2e_test

import (
	"testing"

	"github.com/quorate/quorate/api"
)

// saidOf is what a robot said of a proposal, as a node shows it.
func saidOf(n *node, robot, proposal string) api.Verdict {
	n.T.Helper()
	for _, v := range ask[api.Explanation](n, "policy", "explain", proposal).Robots {
		if v.Robot.Name == robot {
			return v
		}
	}
	return api.Verdict{}
}

// says waits until every node shows that a robot said something for a reason.
func says(t *testing.T, g *party, robot, proposal, outcome, code string) {
	t.Helper()
	for _, n := range g.Nodes {
		world.Eventually(t, n.Name+" shows that "+robot+" says "+outcome+", "+code, func() bool {
			v := saidOf(n, robot, proposal)
			return v.Outcome != nil && *v.Outcome == outcome && len(v.Reasons) == 1 && v.Reasons[0].Code == code
		})
	}
}

// A robot signs for nobody, and nothing before a policy is in force: it says so to everybody.
// Who runs it stops it and has it go on, over a crash; the others sign without it.
func TestARobotWithoutAPolicy(t *testing.T) {
	ana, boris, vault := newNode(t, "ana"), newNode(t, "boris"), newNode(t, "vault", "--robot")
	for _, n := range []*node{ana, boris, vault} {
		n.Start().Synced()
	}
	g := world.Found(t, 2, ana, boris, vault).Fund(1_000_000, 1_000_000)
	if r := ask[api.Robot](ana, "robot", "status"); r.Mode != "off" || r.Policy != nil || r.Silent != nil {
		t.Fatalf("the node of a person: %+v", r)
	}
	if r := ask[api.Robot](vault, "robot", "status"); r.Mode != "sign" || r.Paused || r.Policy != nil || r.Silent == nil || r.Silent.Code != "no_policy" {
		t.Fatalf("the robot: %+v", r)
	}
	refused(t, ana.Run("robot", "pause", walletName), 4, "no_robot")
	first := ask[api.Proposed](ana, pay(t, 100_000)...)
	says(t, g, "vault", first.Proposal, "deny", "no_policy")
	if v := saidOf(boris, "vault", first.Proposal); v.Text != "vault denies it: no policy is in force." || v.Policy != nil || v.Shadow {
		t.Errorf("boris reads %+v", v)
	}
	if p := ask[api.Proposal](boris, "proposal", "show", first.Proposal); len(p.Verdicts) != 1 || p.Verdicts[0].Outcome != "deny" || p.Signed != 1 {
		t.Errorf("boris is shown %+v", p.Verdicts)
	}
	refused(t, vault.Run("approve", first.Proposal, "--yes"), 4, "robot_signs")
	refused(t, vault.Run(pay(t, 50_000)...), 4, "robot_signs")

	ask[api.Robot](vault, "robot", "pause", walletName)
	second := ask[api.Proposed](boris, pay(t, 110_000)...)
	says(t, g, "vault", second.Proposal, "deny", "no_policy")
	vault.Kill()
	vault.Start().Synced()
	if r := ask[api.Robot](vault, "robot", "status"); !r.Paused || r.Silent == nil || r.Silent.Code != "paused" {
		t.Fatalf("after a crash: %+v", r)
	}
	world.Eventually(t, "the alarm stands", func() bool {
		for _, a := range vault.Health().Wallets[0].Alarms {
			if a.Code == "robot_paused" {
				return true
			}
		}
		return false
	})
	if r := ask[api.Robot](vault, "robot", "resume", walletName); r.Paused {
		t.Fatalf("resumed: %+v", r)
	}

	boris.Run("approve", first.Proposal, "--yes").OK(t)
	world.Confirmed(t, first.Proposal, g.Nodes...)
	noEquivocation(t, g.Nodes...)
}
