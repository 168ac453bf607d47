package e2e_test

import (
	"strings"
	"testing"

	"github.com/quorate/quorate/api"
)

// A freeze of all spending at one node stops the others, survives kill -9, is overridden by
// name only, and ends once as many are for that as sign.
func TestGroupFreeze(t *testing.T) {
	g := newGroup(t, 2, 3).Fund(1_000_000, 1_000_000)
	a, b, c := g.Nodes[0], g.Nodes[1], g.Nodes[2]
	standing := func(n *node) []api.GroupFreeze {
		t.Helper()
		return ask[api.Wallet](n, "wallet", "show", walletName).Freezes
	}
	shows := func(n *node, want, lifts int) {
		t.Helper()
		world.Eventually(t, n.Name+" shows the freeze", func() bool {
			f := standing(n)
			return len(f) == want && (want == 0 || len(f[0].Lifts) == lifts)
		})
	}
	p := ask[api.Proposed](a, "propose", "--to", outside(t)+"=0.001", "--yes")
	b.Reaches(p.Proposal, api.StatusPending)
	world.Eventually(t, "all know of freezes", func() bool {
		return c.Run("freeze", walletName, "--reason", "my laptop is gone").Status == 0
	})
	for _, n := range g.Nodes {
		shows(n, 1, 0)
	}
	f := standing(b)[0]
	if f.By.Name != "c" || f.Reason != "my laptop is gone" || f.Needed != 2 || f.Rests != nil {
		t.Errorf("the freeze is shown as %+v", f)
	}
	if s := ask[api.Status](b, "status"); len(s.Wallets[0].Alarms) != 1 || s.Wallets[0].Alarms[0].Code != "group_frozen" {
		t.Errorf("alarms %+v", s.Wallets[0].Alarms)
	}
	b.Kill()
	b.Start()
	shows(b, 1, 0)
	world.Eventually(t, b.Name+" sees the chain", func() bool { return ask[api.Status](b, "status").Chain.Synced })
	before := snapshot(b)
	refused(t, b.Run("approve", p.Proposal, "--yes"), 4, "frozen")
	refused(t, b.Run("propose", "--to", outside(t)+"=0.001", "--yes"), 4, "frozen")
	refused(t, b.Run("psbt", "export", p.Proposal, "--for-signing", "--yes"), 4, "frozen")
	refused(t, b.Run("unfreeze", walletName, strings.Repeat("ab", 32)), 3, "no_such_freeze")
	unchanged(t, b, before)

	world.Eventually(t, "a knows that all know of freezes", func() bool { return a.Run("unfreeze", walletName).Status == 0 })
	a.Run("unfreeze", walletName).OK(t)
	shows(b, 1, 1)
	refused(t, b.Run("approve", p.Proposal, "--yes"), 4, "frozen")
	world.Eventually(t, "b knows that all know of freezes", func() bool { return b.Run("unfreeze", walletName, f.Freeze[:8]).Status == 0 })
	for _, n := range g.Nodes {
		shows(n, 0, 0)
	}
	b.Run("approve", p.Proposal, "--yes").OK(t)

	// Again right after it has no effect yet.
	c.Run("freeze", walletName, "--reason", "again").OK(t)
	shows(a, 1, 0)
	if f := standing(a)[0]; f.Rests == nil {
		t.Errorf("right after a lift it is shown as %+v", f)
	}
	ask[api.Proposed](a, "propose", "--to", outside(t)+"=0.001", "--yes")
	// Of another one it has, and a person goes on by name.
	a.Run("freeze", walletName).OK(t)
	shows(b, 2, 0)
	refused(t, b.Run("propose", "--to", outside(t)+"=0.002", "--yes"), 4, "frozen")
	ask[api.Proposed](b, "propose", "--to", outside(t)+"=0.002", "--allow", "frozen", "--yes")
	if x := b.Run("log", walletName).OK(t); !strings.Contains(string(x.Out), `froze all spending: \"my laptop is gone\"`) || !strings.Contains(string(x.Out), "was for lifting 1 freeze of all spending") {
		t.Errorf("the log says:\n%s", x.Out)
	}
}
