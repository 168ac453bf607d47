package net_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/test/nodes"
)

const walletName = nodes.WalletName

// group is a wallet and the running nodes of its cosigners.
type group struct {
	*nodes.Group
	nodes []*node
}

// found holds the whole ceremony over the command lines of nodes that run.
func found(t testing.TB, threshold int, members ...*node) *group {
	t.Helper()
	var all []*nodes.Node
	for _, n := range members {
		all = append(all, n.Node)
	}
	return &group{world.Found(t, threshold, all...), members}
}

// fund pays each amount to a fresh address and waits until every node may spend all of it.
func (g *group) fund(amounts ...int64) *group {
	g.T.Helper()
	g.Fund(amounts...)
	return g
}

// final waits until nodes hold the finished transaction.
func final(proposal string, all ...*node) {
	for _, n := range all {
		n.T.Helper()
		n.Reaches(proposal, api.StatusFinal, api.StatusBroadcast, api.StatusConfirmed)
	}
}

// confirmed mines until all nodes see a proposal in a block, and holds their
// transactions to be the same.
func (g *group) confirmed(proposal string) {
	g.T.Helper()
	world.Confirmed(g.T, proposal, g.Nodes...)
}

// spend is a payment that the first node proposes and the second approves.
func (g *group) spend(sat int64) {
	g.T.Helper()
	p := g.nodes[0].propose(sat)
	g.nodes[1].approve(p.Proposal)
	g.confirmed(p.Proposal)
}

// equal waits until all nodes show the same proposals and coins, field by
// field, but for what each knows of the others, and would have its own user know.
func (g *group) equal() {
	g.T.Helper()
	diff := ""
	defer func() {
		if diff != "" {
			g.T.Errorf("nodes differ:\n%s", diff)
		}
	}()
	for _, args := range [][]string{{"proposals", walletName}, {"coins", walletName}} {
		world.Eventually(g.T, "all nodes show the same "+args[0], func() bool {
			first := shared(g.T, g.nodes[0].Run(args...))
			for _, n := range g.nodes[1:] {
				if diff = cmp.Diff(first, shared(g.T, n.Run(args...))); diff != "" {
					return false
				}
			}
			return true
		})
	}
}

// held waits until every node knows that all others hold a proposal.
func (g *group) held(proposal string) {
	g.T.Helper()
	for _, n := range g.nodes {
		world.Eventually(g.T, n.Name+" knows that all hold the proposal", func() bool {
			p, err := n.Client.Proposal(context.Background(), proposal)
			return err == nil && len(p.HeldBy) == len(g.nodes)
		})
	}
}

func shared(t testing.TB, a nodes.Answer) any {
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
