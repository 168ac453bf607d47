package ops

import (
	"context"
	"io"
	"log/slog"
	"slices"
	"sync"
	"testing"

	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/app"
	"github.com/quorate/quorate/coordinator/node"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/wallet"
)

// newGroup is a group of whole nodes with an active wallet, on a chain of its own.
func newGroup(t *testing.T, threshold, cosigners int) (*demo, api.Wallet) {
	t.Helper()
	d := &demo{opts: DemoOptions{Cosigners: cosigners, Threshold: threshold, Spends: 1, Out: io.Discard, Log: slog.New(slog.DiscardHandler)}}
	t.Cleanup(func() {
		if err := d.close(); err != nil {
			t.Error(err)
		}
	})
	if err := d.start(t.Context()); err != nil {
		t.Fatal(err)
	}
	w, err := d.ceremony(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return d, w
}

// Nodes that are asked for addresses at the same moment hand out different ones.
func TestNodesNeverHandOutOneAddressTwice(t *testing.T) {
	d, w := newGroup(t, 2, 3)
	const each = 6
	got := make([]api.Address, each*len(d.nodes))
	var all sync.WaitGroup
	for i, n := range d.nodes {
		all.Go(func() {
			for k := range each {
				a, err := n.NewAddress(t.Context(), w.Wallet, api.NewAddress{})
				if err != nil {
					t.Error(err)
				}
				got[i*each+k] = a
			}
		})
	}
	all.Wait()
	seen := map[string]bool{}
	for _, a := range got {
		if seen[a.Address] || a.Index >= 20 {
			t.Errorf("address %d", a.Index)
		}
		seen[a.Address] = true
	}
}

// A whole wallet through a spend that was proposed, a theft, and a reorg deeper
// than what is kept: history and balance are those of the chain.
func TestHistoryAndBalanceAreThoseOfTheChain(t *testing.T) {
	d, w := newGroup(t, 2, 3)
	ctx := t.Context()
	if err := d.fund(ctx, w.Wallet); err != nil {
		t.Fatal(err)
	}
	s, err := d.spend(ctx, w.Wallet, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range d.nodes {
		first, err := n.History(ctx, w.Wallet, api.HistoryQuery{Limit: 2})
		if err != nil || len(first.Items) != 2 || first.Next == "" {
			t.Fatalf("%+v, %v", first, err)
		}
		x := first.Items[0]
		if x.TxID != s.TxID || x.Proposal == "" || x.Fee == nil || x.Amount != -10_000_000-*x.Fee || x.Height == nil || x.Time == nil {
			t.Errorf("the spend: %+v", x)
		}
		second, err := n.History(ctx, w.Wallet, api.HistoryQuery{Limit: 2, Cursor: string(first.Next)})
		if err != nil || len(second.Items) != 1 || second.Next != "" {
			t.Fatalf("%+v, %v", second, err)
		}
		sum := int64(0)
		for _, x := range append(slices.Clone(first.Items), second.Items...) {
			sum += x.Amount
		}
		if got, err := n.Wallet(ctx, w.Wallet); err != nil || got.Balance.Confirmed != sum {
			t.Errorf("the history sums up to %d, the balance is %+v, %v", sum, got.Balance, err)
		}
	}
	theft := d.steal(t, w).TxHash().String()
	if _, err := d.chain.Mine(300, d.chain.FaucetScript()); err != nil {
		t.Fatal(err)
	}
	d.wait(t, "the theft to be buried", func(n *app.Node) (bool, error) {
		got, err := n.Wallet(ctx, w.Wallet)
		return got.Balance.Confirmed < 90_000_000, err
	})
	tip, err := d.chain.Tip(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.chain.Reorg(300); err != nil {
		t.Fatal(err)
	}
	d.wait(t, "the other chain", func(n *app.Node) (bool, error) {
		st, err := n.Status(ctx)
		return st.Chain.Synced && st.Chain.Height != nil && *st.Chain.Height > tip.Height, err
	})
	// What came before the fork is confirmed, the theft only in the mempool again.
	d.wait(t, "the history of the other chain", func(n *app.Node) (bool, error) {
		h, err := n.History(ctx, w.Wallet, api.HistoryQuery{})
		confirmed := slices.DeleteFunc(slices.Clone(h.Items), func(x api.HistoryItem) bool { return x.Height == nil })
		return len(h.Items) == 4 && len(confirmed) == 3 && h.Items[0].TxID == theft && h.Items[0].Proposal == "", err
	})
}

func (d *demo) wait(t *testing.T, what string, ok func(n *app.Node) (bool, error)) {
	t.Helper()
	if err := d.until(t.Context(), what, ok); err != nil {
		t.Fatal(err)
	}
}

// actor is the wallet of a node that has an id.
func actor(t *testing.T, n *app.Node, id string) *node.Actor {
	t.Helper()
	var group journal.GroupID
	if err := group.UnmarshalText([]byte(id)); err != nil {
		t.Fatal(err)
	}
	a, ok := n.Coordinator().Wallet(group)
	if !ok {
		t.Fatal("no such wallet")
	}
	return a
}

// steal spends a coin with the keys of the first nodes, which nobody proposed.
func (d *demo) steal(t *testing.T, w api.Wallet) *wire.MsgTx {
	t.Helper()
	ctx := context.Background()
	m := actor(t, d.nodes[0], w.Wallet).Machine()
	desc := m.State.Active().Descriptor
	coins, err := d.nodes[0].Coins(ctx, w.Wallet)
	if err != nil {
		t.Fatal(err)
	}
	in := wallet.Input{Amount: coins[0].Amount}
	op, err := wire.NewOutPointFromString(coins[0].OutPoint)
	if err != nil {
		t.Fatal(err)
	}
	in.OutPoint = *op
	for in.Index = 0; ; in.Index++ {
		for in.Branch = 0; in.Branch < 2; in.Branch++ {
			if addr, err := desc.Address(in.Branch, in.Index); err != nil || in.Index > 100 {
				t.Fatalf("no place of %s: %v", coins[0].Address, err)
			} else if addr == coins[0].Address {
				return d.sign(t, desc, in)
			}
		}
	}
}

func (d *demo) sign(t *testing.T, desc *wallet.Descriptor, in wallet.Input) *wire.MsgTx {
	t.Helper()
	spend, err := wallet.NewSpend(desc, []wallet.Input{in}, []wallet.Output{{PkScript: d.chain.FaucetScript(), Amount: in.Amount - 10_000}}, 0)
	if err != nil {
		t.Fatal(err)
	}
	var sigs []wallet.Signature
	for _, p := range d.parts[:d.opts.Threshold] {
		account, err := wallet.DeriveAccount(p.Secrets.Seed, wallet.Regtest, wallet.ScriptWSH, 0)
		if err != nil {
			t.Fatal(err)
		}
		s, err := spend.Sign(account)
		if err != nil {
			t.Fatal(err)
		}
		sigs = append(sigs, s...)
	}
	tx, err := spend.Finalize(sigs, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.chain.Broadcast(t.Context(), tx); err != nil {
		t.Fatal(err)
	}
	return tx
}
