package e2e_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/quorate/quorate/api"
)

// Of a payment that is stuck the fee is raised while a cosigner is away: who agreed to it
// beforehand is not asked again, and its node signs.
func TestABumpThatWasAgreedToBefore(t *testing.T) {
	g := newGroup(t, 2, 4).Fund(40_000_000, 60_000_000)
	a, b, c, d := g.Nodes[0], g.Nodes[1], g.Nodes[2], g.Nodes[3]
	p := ask[api.Proposed](a, pay(t, 30_000_000)...)
	b.Reaches(p.Proposal, api.StatusPending)
	ask[api.Proposal](b, "approve", p.Proposal, "--bump-to", "20000sat", "--until", "2d")
	a.Reaches(p.Proposal, api.StatusBroadcast)
	d.Reaches(p.Proposal, api.StatusBroadcast)
	c.Stop()

	// More than was agreed to is asked about.
	much := ask[api.Proposed](a, "bump", p.Proposal, "--fee-rate", "150", "--unsigned", "--yes")
	q := ask[api.Proposed](a, "bump", p.Proposal, "--fee-rate", "12", "--yes")
	if q.Fee > 20_000 || q.FeeRate < 12 || q.Fee <= p.Fee {
		t.Errorf("the bump pays %d, %.2f sat/vB", q.Fee, q.FeeRate)
	}
	for _, n := range []*node{a, b, d} {
		n.Reaches(q.Proposal, api.StatusBroadcast)
	}
	shown := ask[api.Proposal](d, "proposal", "show", q.Proposal)
	unasked := 0
	for _, x := range shown.Approvals {
		if x.Unasked && x.Cosigner.Name == "b" && x.BumpTo == nil {
			unasked++
		}
	}
	if unasked != 1 || len(shown.Approvals) != 2 {
		t.Errorf("approvals: %+v", shown.Approvals)
	}
	if got := ask[api.Proposal](b, "proposal", "show", much.Proposal); len(got.Approvals) != 0 {
		t.Errorf("a fee of %d was signed: %+v", much.Fee, got.Approvals)
	}
	world.Confirmed(t, q.Proposal, a, b, d)
	c.Start()
	c.Reaches(q.Proposal, api.StatusConfirmed)
	for _, n := range g.Nodes {
		if got := ask[api.Proposal](n, "proposal", "show", p.Proposal); got.Status != api.StatusReplaced {
			t.Errorf("%s: what was bumped is %s", n.Name, got.Status)
		}
	}
}

// A payment that is out is cancelled, another one is helped by a child, and everybody is
// paid by a list.
func TestCancelChildAndList(t *testing.T) {
	g := newGroup(t, 2, 3).Fund(40_000_000)
	a, b, c := g.Nodes[0], g.Nodes[1], g.Nodes[2]
	approved := func(by *node, p api.Proposed, n ...*node) {
		t.Helper()
		by.Reaches(p.Proposal, api.StatusPending)
		ask[api.Proposal](by, "approve", p.Proposal, "--yes")
		for _, x := range n {
			x.Reaches(p.Proposal, api.StatusBroadcast)
		}
	}
	p := ask[api.Proposed](a, pay(t, 30_000_000)...)
	approved(b, p, a, b, c)
	x := ask[api.Proposed](c, "cancel", p.Proposal, "--yes")
	approved(a, x, a, b, c)
	world.Confirmed(t, x.Proposal, a, b, c)
	for _, n := range g.Nodes {
		if got := ask[api.Proposal](n, "proposal", "show", p.Proposal); got.Status != api.StatusReplaced {
			t.Errorf("%s: what was cancelled is %s", n.Name, got.Status)
		}
		if w := n.Wallet(); w.Balance.Spendable != 40_000_000-x.Fee {
			t.Errorf("%s has %+v", n.Name, w.Balance)
		}
	}
	if a := a.Run("cancel", p.Proposal, "--yes"); a.Status == 0 {
		t.Errorf("what is over was cancelled: %s", a.Out)
	}

	p = ask[api.Proposed](a, pay(t, 10_000_000, "--fee-rate", "1")...)
	approved(b, p, a, b, c)
	child := ask[api.Proposed](b, "cpfp", p.TxID, "--fee-rate", "10", "--yes")
	approved(c, child, a, b, c)
	world.Confirmed(t, child.Proposal, a, b, c)
	a.Reaches(p.Proposal, api.StatusConfirmed)

	// 300 payees: addresses of the wallet itself are as good as any.
	var list strings.Builder
	list.WriteString("address,amount_sat,label\n")
	for i := range 300 {
		fmt.Fprintf(&list, "%s,%d,payee %d\n", outside(t), 10_000+i, i)
	}
	file := filepath.Join(t.TempDir(), "payees.csv")
	if err := os.WriteFile(file, []byte(list.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	all := ask[api.Proposed](a, "propose", walletName, "--csv", file, "--fee-rate", "2", "--yes")
	if again := ask[api.Proposed](a, "propose", walletName, "--csv", file, "--fee-rate", "2", "--yes"); again.Proposal != all.Proposal {
		t.Errorf("the list was proposed twice: %s and %s", all.Proposal, again.Proposal)
	}
	approved(b, all, a, b, c)
	world.Confirmed(t, all.Proposal, a, b, c)
	if got := ask[api.Proposal](c, "proposal", "show", all.Proposal); len(got.Outputs) != 301 {
		t.Errorf("%d outputs", len(got.Outputs))
	}
	if err := os.WriteFile(file, []byte("address,amount_sat\nnonsense,1\n"+outside(t)+",0\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	before := len(ask[api.Page[api.Proposal]](a, "proposals", walletName).Items)
	if got := a.Run("propose", walletName, "--csv", file, "--yes"); got.Status != 2 || !strings.Contains(got.Err, "line 2, column 1") || !strings.Contains(got.Err, "line 3, column") {
		t.Errorf("%d: %s", got.Status, got.Err)
	}
	if after := len(ask[api.Page[api.Proposal]](a, "proposals", walletName).Items); after != before {
		t.Errorf("%d proposals after a bad list, %d before", after, before)
	}
}
