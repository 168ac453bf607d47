package e2e_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"testing"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/wallet"
)

// walletName is that of every wallet here.
const walletName = "treasury"

// group is a wallet and the running nodes of its cosigners.
type group struct {
	t     testing.TB
	nodes []*node
	id    string
}

// newGroup makes nodes and holds the whole ceremony over their command lines.
func newGroup(t testing.TB, threshold, cosigners int) *group {
	t.Helper()
	var nodes []*node
	for i := range cosigners {
		nodes = append(nodes, newNode(t, string(rune('a'+i))).start())
	}
	return groupOf(t, threshold, nodes...)
}

// groupOf is newGroup with nodes that run already.
func groupOf(t testing.TB, threshold int, nodes ...*node) *group {
	t.Helper()
	g := &group{t: t, nodes: nodes}
	cosigners := len(nodes)
	made := ask[api.WalletInvites](g.nodes[0], "wallet", "create", walletName,
		"--threshold", fmt.Sprint(threshold), "--cosigners", fmt.Sprint(cosigners))
	g.id = made.Wallet
	if made.State != "forming" || len(made.Invites) != cosigners-1 {
		t.Fatalf("a new wallet: %+v", made)
	}
	for i, invite := range made.Invites {
		read[api.WalletSummary](t, g.nodes[i+1].runWith(invite, "wallet", "join", "-", "--wait"))
	}
	words := ""
	for _, n := range g.nodes {
		eventually(t, n.name+" shows the words", func() bool {
			w := n.wallet()
			if w.Descriptor != nil {
				t.Fatalf("%s shows a descriptor before all have ratified", n.name)
			}
			if w.Words == nil {
				return false
			}
			if words == "" {
				words = *w.Words
			}
			if words != *w.Words {
				t.Fatalf("%s shows other words", n.name)
			}
			return true
		})
	}
	for _, n := range g.nodes {
		r := ask[api.Ratified](n, "wallet", "ratify", walletName, "--words", words)
		if len(r.HeardFrom) != cosigners-1 {
			t.Errorf("%s ratified words heard from %v", n.name, r.HeardFrom)
		}
	}
	g.agree("the wallet is active", func(w api.Wallet) any {
		if w.State != "active" || w.Descriptor == nil {
			return nil
		}
		return *w.Descriptor
	})
	return g
}

// agree waits until what is read of the wallet is not nil and the same everywhere.
func (g *group) agree(what string, of func(api.Wallet) any) {
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
}

func (n *node) wallet() api.Wallet {
	n.t.Helper()
	w, err := n.client.Wallet(context.Background(), walletName)
	if err != nil {
		n.t.Fatalf("%s: look at wallet: %v", n.name, err)
	}
	return w
}

func (n *node) coins() []api.Coin {
	n.t.Helper()
	c, err := n.client.Coins(context.Background(), walletName)
	if err != nil {
		n.t.Fatalf("%s: list coins: %v", n.name, err)
	}
	return c
}

// fund pays each amount to a fresh address and waits until every node may spend all of it.
func (g *group) fund(amounts ...int64) *group {
	g.t.Helper()
	before := g.nodes[0].wallet().Balance.Spendable
	for _, sat := range amounts {
		addr := ask[api.Address](g.nodes[0], "address", walletName)
		payTo(g.t, addr.Address, sat)
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

// payTo pays an address of a wallet from outside.
func payTo(t testing.TB, address string, sat int64) {
	t.Helper()
	script, err := wallet.ParseAddress(address, wallet.Regtest)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := world.bitcoin.Fund(script, sat); err != nil {
		t.Fatal(err)
	}
}

func mine(t testing.TB, blocks int) {
	t.Helper()
	if _, err := world.bitcoin.Mine(blocks); err != nil {
		t.Fatal(err)
	}
}

// outside is an address that belongs to none of the wallets. Each is
// another one: a second payment to one is asked about.
func outside(t testing.TB) string {
	t.Helper()
	var script [32]byte
	_, _ = rand.Read(script[:]) // it never fails
	a, err := wallet.AddressOf(append([]byte{0, 32}, script[:]...), wallet.Regtest)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// pay is the start of a `propose` command line.
func pay(t testing.TB, sat int64, more ...string) []string {
	t.Helper()
	return append([]string{"propose", walletName, "--to", fmt.Sprintf("%s=%dsat", outside(t), sat), "--fee-rate", "2"}, more...)
}

// confirmed mines until nodes see a proposal in a block, and holds their
// transactions to be the same.
func confirmed(t testing.TB, proposal string, nodes ...*node) api.Tx {
	t.Helper()
	for _, n := range nodes {
		n.reaches(proposal, api.StatusBroadcast, api.StatusConfirmed)
	}
	mine(t, 1)
	var first api.Tx
	for i, n := range nodes {
		n.reaches(proposal, api.StatusConfirmed)
		tx := ask[api.Tx](n, "tx", proposal)
		if i == 0 {
			first = tx
		} else if tx != first {
			t.Fatalf("%s holds another transaction than %s", n.name, nodes[0].name)
		}
	}
	return first
}
