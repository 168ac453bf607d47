package e2e_test

import (
	"strings"
	"testing"

	"github.com/quorate/quorate/api"
)

// Every node's log has a line for the proposal, for who signed or rejected, and for each
// status up to the confirmation; the metrics and the check say the same of a node that
// is well.
func TestTheLogTellsOfAPayment(t *testing.T) {
	g := newGroup(t, 2, 2).Fund(1_000_000)
	a, b := g.Nodes[0], g.Nodes[1]
	p := ask[api.Proposed](a, pay(t, 123_457)...).Proposal
	b.Reaches(p, "pending")
	ask[api.Proposal](b, "approve", p)
	for _, n := range g.Nodes {
		n.Reaches(p, "broadcast")
	}
	world.Mine(t, 1)
	for _, n := range g.Nodes {
		n.Reaches(p, "confirmed")
		for _, want := range []string{"msg=proposed", "msg=approved", `msg="proposal is final"`, `msg="proposal is confirmed"`} {
			world.Eventually(t, n.Name+" logs "+want, func() bool {
				for line := range strings.Lines(n.Log.String()) {
					if strings.Contains(line, "level=INFO "+want) && strings.Contains(line, "wallet="+walletName) && strings.Contains(line, p) {
						return true
					}
				}
				return false
			})
		}
		for line := range strings.Lines(n.Log.String()) {
			if strings.Contains(line, "level=INFO") && (strings.Contains(line, "123457") || strings.Contains(line, "bcrt1")) {
				t.Errorf("%s logs an amount or an address: %s", n.Name, line)
			}
		}
		if by := strings.Count(n.Log.String(), "level=INFO msg=approved"); by != 2 {
			t.Errorf("%s: %d lines of signatures, not 2:\n%s", n.Name, by, n.Log.String())
		}
		if v := n.Run("status", "--check"); v.Status != 0 || !strings.Contains(string(v.Out), `"ok":true,"reasons":[]`) {
			t.Errorf("%s: the check of a node that is well: %d %s%s", n.Name, v.Status, v.Out, v.Err)
		}
	}
}
