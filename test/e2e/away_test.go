package e2e_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quorate/quorate/api"
)

// A cosigner that was away finds the same history, votes and transaction as
// the others when it comes back.
func TestSpendWithACosignerAway(t *testing.T) {
	g := newGroup(t, 2, 3).Fund(40_000_000, 60_000_000)
	a, b, c := g.Nodes[0], g.Nodes[1], g.Nodes[2]
	c.Stop()

	p := ask[api.Proposed](a, pay(t, 70_000_000, "--note", "rent of May")...)
	if p.Status != api.StatusPending {
		t.Errorf("one signature of two makes it %s", p.Status)
	}
	shown := ask[api.Proposal](a, "proposal", "show", p.Proposal)
	if len(shown.Approvals) != 1 || shown.Approvals[0].Cosigner.Name != "a" || shown.Approvals[0].Signatures != len(shown.Inputs) {
		t.Errorf("the proposer did not sign first: %+v", shown.Approvals)
	}
	b.Reaches(p.Proposal, api.StatusPending)
	ask[api.Proposal](b, "approve", p.Proposal)
	for _, n := range []*node{a, b} {
		ask[api.Proposal](n, "wait", p.Proposal, "--status", "final")
	}
	tx := world.Confirmed(t, p.Proposal, a, b)
	if tx.TxID != p.TxID {
		t.Errorf("transaction %s, proposed was %s", tx.TxID, p.TxID)
	}

	c.Start()
	c.Reaches(p.Proposal, api.StatusConfirmed)
	if got := ask[api.Tx](c, "tx", p.Proposal); got != tx {
		t.Errorf("c holds another transaction: %+v", got)
	}
	same(t, a, c, "proposal", "show", p.Proposal)
	same(t, a, c, "proposals", walletName)
	same(t, a, c, "coins", walletName)
	if w := c.Wallet(); w.Balance.Leased != 0 || w.Balance.Spendable != 30_000_000-p.Fee {
		t.Errorf("balance on c: %+v", w.Balance)
	}
	for _, n := range g.Nodes {
		n.Stop()
	}
}

// same waits until the answers of two nodes are equal field by field, but for
// held_by, which is what each knows of the others: a node may see a
// transaction mined a moment before it has pulled the last vote.
func same(t testing.TB, x, y *node, args ...string) {
	t.Helper()
	diff := ""
	defer func() {
		if diff != "" {
			t.Errorf("`quorate %v` differs between %s and %s:\n%s", args, x.Name, y.Name, diff)
		}
	}()
	world.Eventually(t, x.Name+" and "+y.Name+" show the same", func() bool {
		diff = cmp.Diff(withoutHolders(t, x.Run(args...)), withoutHolders(t, y.Run(args...)))
		return diff == ""
	})
}

func withoutHolders(t testing.TB, a answer) any {
	t.Helper()
	a.OK(t)
	var v any
	if err := json.Unmarshal(a.Out, &v); err != nil {
		t.Fatal(err)
	}
	drop(v)
	return v
}

func drop(v any) {
	switch x := v.(type) {
	case map[string]any:
		delete(x, "held_by")
		for _, y := range x {
			drop(y)
		}
	case []any:
		for _, y := range x {
			drop(y)
		}
	}
}
