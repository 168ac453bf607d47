package nodes

import (
	"testing"

	"github.com/quorate/quorate/api"
)

// WalletName is that of the wallet of every Group.
const WalletName = "treasury"

// Group is a wallet and the running nodes of its cosigners.
type Group struct {
	T        testing.TB
	Nodes    []*Node
	ID       string
	Ratified []api.Ratified // what each was told when it ratified

	world *World
}

// Group is a wallet that was made otherwise, or that there is not yet.
func (w *World) Group(t testing.TB, nodes ...*Node) *Group {
	return &Group{T: t, Nodes: nodes, world: w}
}

// Found holds the whole ceremony over the command lines of nodes that run.
func (w *World) Found(t testing.TB, threshold int, nodes ...*Node) *Group {
	t.Helper()
	g := w.Group(t, nodes...)
	var all []Cosigner
	for _, n := range nodes {
		all = append(all, Cosigner{n.Name, n.Member()})
	}
	f := Ceremony(t, w.Patience, WalletName, threshold, all...)
	g.ID, g.Ratified = f.Wallet.Wallet, f.Ratified
	return g
}

// Agree waits until what is read of the wallet is not nil and the same
// everywhere, and returns it.
func (g *Group) Agree(what string, of func(api.Wallet) any) any {
	g.T.Helper()
	var first any
	for _, n := range g.Nodes {
		g.world.Eventually(g.T, n.Name+": "+what, func() bool {
			v := of(n.Wallet())
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

// Fund pays each amount to a fresh address and waits until every node may spend
// all of it.
func (g *Group) Fund(amounts ...int64) *Group {
	g.T.Helper()
	before := g.Nodes[0].Wallet().Balance.Spendable
	for _, sat := range amounts {
		g.world.PayTo(g.T, Ask[api.Address](g.Nodes[0], "address", WalletName).Address, sat)
		before += sat
	}
	g.world.Mine(g.T, 1)
	g.Agree("the deposits are spendable", func(w api.Wallet) any {
		if w.Balance.Spendable != before {
			return nil
		}
		return w.Balance.Spendable
	})
	return g
}

// Confirmed mines until nodes see a proposal in a block, and holds their
// transactions to be the same.
func (w *World) Confirmed(t testing.TB, proposal string, nodes ...*Node) api.Tx {
	t.Helper()
	for _, n := range nodes {
		n.Reaches(proposal, api.StatusBroadcast, api.StatusConfirmed)
	}
	w.Mine(t, 1)
	var first api.Tx
	for i, n := range nodes {
		n.Reaches(proposal, api.StatusConfirmed)
		tx := Ask[api.Tx](n, "tx", proposal)
		if i == 0 {
			first = tx
		} else if tx != first {
			t.Fatalf("%s holds another transaction than %s", n.Name, nodes[0].Name)
		}
	}
	return first
}
