package net_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/wallet"
)

// walletName is that of every wallet here.
const walletName = "treasury"

// group is a wallet and the running nodes of its cosigners.
type group struct {
	t     testing.TB
	nodes []*node
}

// found holds the whole ceremony over the command lines of nodes that run.
func found(t testing.TB, threshold int, nodes ...*node) *group {
	t.Helper()
	g := &group{t: t, nodes: nodes}
	made := ask[api.WalletInvites](nodes[0], "wallet", "create", walletName,
		"--threshold", fmt.Sprint(threshold), "--cosigners", fmt.Sprint(len(nodes)))
	for i, invite := range made.Invites {
		read[api.WalletSummary](t, nodes[i+1].runWith(invite, "wallet", "join", "-", "--wait"))
	}
	words := g.agree("the words", func(w api.Wallet) any {
		if w.Words == nil {
			return nil
		}
		return *w.Words
	})
	for _, n := range nodes {
		ask[api.Ratified](n, "wallet", "ratify", walletName, "--words", words.(string))
	}
	g.agree("the wallet is active", func(w api.Wallet) any {
		if w.State != "active" || w.Descriptor == nil {
			return nil
		}
		return *w.Descriptor
	})
	return g
}

// agree waits until what is read of the wallet is not nil and the same
// everywhere, and returns it.
func (g *group) agree(what string, of func(api.Wallet) any) any {
	g.t.Helper()
	var first any
	for _, n := range g.nodes {
		eventually(g.t, n.name+": "+what, func() bool {
			v := of(n.wallet())
			if v == nil {
				return false
			}
			if first == nil {
				first = v
			}
			return v == first
		})
	}
	return first
}

func (n *node) wallet() api.Wallet {
	n.t.Helper()
	w, err := n.client.Wallet(context.Background(), walletName)
	if err != nil {
		n.t.Fatalf("%s: look at wallet: %v", n.name, err)
	}
	return w
}

// fund pays each amount to a fresh address and waits until every node may spend all of it.
func (g *group) fund(amounts ...int64) *group {
	g.t.Helper()
	before := g.nodes[0].wallet().Balance.Spendable
	for _, sat := range amounts {
		addr := ask[api.Address](g.nodes[0], "address", walletName)
		script, err := wallet.ParseAddress(addr.Address, wallet.Regtest)
		if err != nil {
			g.t.Fatal(err)
		}
		if _, err := world.bitcoin.Fund(script, sat); err != nil {
			g.t.Fatal(err)
		}
		before += sat
	}
	mine(g.t, 1)
	g.agree("the deposits are spendable", func(w api.Wallet) any {
		if w.Balance.Spendable != before {
			return nil
		}
		return w.Balance.Spendable
	})
	return g
}

// propose proposes a payment at a node.
func (n *node) propose(sat int64, more ...string) api.Proposed {
	n.t.Helper()
	return ask[api.Proposed](n.synced(), append([]string{
		"propose", walletName, "--to", fmt.Sprintf("%s=%dsat", outside(n.t), sat), "--fee-rate", "2",
	}, more...)...)
}

func (n *node) approve(proposal string) {
	n.t.Helper()
	n.synced().reaches(proposal, api.StatusPending)
	ask[api.Proposal](n, "approve", proposal)
}

// final waits until nodes hold the finished transaction.
func final(proposal string, nodes ...*node) {
	for _, n := range nodes {
		n.t.Helper()
		n.reaches(proposal, api.StatusFinal, api.StatusBroadcast, api.StatusConfirmed)
	}
}

// confirmed mines until all nodes see a proposal in a block, and holds their
// transactions to be the same.
func (g *group) confirmed(proposal string) {
	g.t.Helper()
	for _, n := range g.nodes {
		n.reaches(proposal, api.StatusBroadcast, api.StatusConfirmed)
	}
	mine(g.t, 1)
	var first api.Tx
	for i, n := range g.nodes {
		n.reaches(proposal, api.StatusConfirmed)
		tx := ask[api.Tx](n, "tx", proposal)
		if i == 0 {
			first = tx
		} else if tx != first {
			g.t.Fatalf("%s holds another transaction than %s", n.name, g.nodes[0].name)
		}
	}
}

// spend is a payment that the first node proposes and the second approves.
func (g *group) spend(sat int64) {
	g.t.Helper()
	p := g.nodes[0].propose(sat)
	g.nodes[1].approve(p.Proposal)
	g.confirmed(p.Proposal)
}

// equal waits until all nodes show the same proposals and coins, field by
// field, but for what each knows of the others, and would have its own user know.
func (g *group) equal() {
	g.t.Helper()
	diff := ""
	defer func() {
		if diff != "" {
			g.t.Errorf("nodes differ:\n%s", diff)
		}
	}()
	for _, args := range [][]string{{"proposals", walletName}, {"coins", walletName}} {
		eventually(g.t, "all nodes show the same "+args[0], func() bool {
			first := shared(g.t, g.nodes[0].run(args...))
			for _, n := range g.nodes[1:] {
				if diff = cmp.Diff(first, shared(g.t, n.run(args...))); diff != "" {
					return false
				}
			}
			return true
		})
	}
}

// held waits until every node knows that all others hold a proposal.
func (g *group) held(proposal string) {
	g.t.Helper()
	for _, n := range g.nodes {
		eventually(g.t, n.name+" knows that all hold the proposal", func() bool {
			p, err := n.client.Proposal(context.Background(), proposal)
			return err == nil && len(p.HeldBy) == len(g.nodes)
		})
	}
}

func shared(t testing.TB, a answer) any {
	t.Helper()
	a.ok(t)
	var v any
	if err := json.Unmarshal(a.out, &v); err != nil {
		t.Fatal(err)
	}
	drop(v)
	return v
}

func drop(v any) {
	switch x := v.(type) {
	case map[string]any:
		delete(x, "held_by")
		delete(x, "warnings")
		for _, y := range x {
			drop(y)
		}
	case []any:
		for _, y := range x {
			drop(y)
		}
	}
}
