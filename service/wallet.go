package service

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/node"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/wallet"
)

// Wallets lists all wallets.
func (n *Node) Wallets(context.Context) ([]api.WalletItem, error) {
	var out []api.WalletItem
	for _, a := range n.co.Wallets() {
		w := api.WalletItem{WalletSummary: api.WalletSummary{Wallet: a.Group().String(), State: stateFailed}}
		a.Read(func(m *coordinator.Machine) { w = item(a, m) })
		out = append(out, w)
	}
	for _, f := range n.co.Failed() {
		out = append(out, api.WalletItem{WalletSummary: failedSummary(f)})
	}
	return out, nil
}

// Wallet shows one.
func (n *Node) Wallet(_ context.Context, ref string) (api.Wallet, error) {
	a, err := n.actor(ref)
	if err != nil {
		return api.Wallet{}, err
	}
	return n.wallet(a), nil
}

func (n *Node) wallet(a *node.Actor) api.Wallet {
	m := a.Machine()
	w := api.Wallet{WalletItem: item(a, m), IssuedInvites: issued(m)}
	online := map[journal.Author]bool{m.State.Me(): true}
	for _, p := range n.net.Peers() {
		online[p.Peer] = online[p.Peer] || p.Connected
	}
	for _, c := range m.Cosigners() {
		var hostedBy *api.Person
		if c.Hosted() {
			host := personOf(m, c.Host)
			hostedBy = &host
		}
		w.Cosigners = append(w.Cosigners, api.Cosigner{
			Person: person(c.Member), HostedBy: hostedBy, Replaced: c.Replaced,
			Path: keyPath(c.Key.Path), XPub: c.Key.XPub, OriginWarning: originWarning(m, c.Key), Online: online[c.Identity], Ratified: c.Ratified, Proof: c.Proof.String(),
		})
	}
	if r, ok := m.State.Roster(); ok && r.Complete() {
		words := r.Words()
		w.Words = &words
	}
	if act := m.State.Active(); act != nil {
		d := act.Descriptor.String()
		w.Descriptor = &d
		w.Replacements = replacements(m)
	}
	return w
}

func item(a *node.Actor, m *coordinator.Machine) api.WalletItem {
	w := api.WalletItem{WalletSummary: summaryOf(a, m)}
	if m.State.Active() != nil {
		b := coordinator.Sum(coordinator.Coins(m.State, m.View, time.Now()))
		w.Balance = api.Balance{Confirmed: b.Confirmed, Unconfirmed: b.Unconfirmed, Leased: b.Leased, Frozen: b.Frozen, Spendable: b.Spendable}
	}
	return w
}

// issued are the invites of a forming wallet, and who took them.
func issued(m *coordinator.Machine) []api.IssuedInvite {
	var out []api.IssuedInvite
	for _, inv := range m.IssuedInvites() {
		x := api.IssuedInvite{Invite: inv.ID, Expires: api.Time(inv.Expires)}
		if inv.TakenBy != (journal.Author{}) {
			who := personOf(m, inv.TakenBy)
			x.TakenBy = &who
		}
		out = append(out, x)
	}
	return out
}

// originWarning says why a key is not where its origin says, or in a new wallet not
// where such keys belong. What an existing wallet has is not held to BIP48.
func originWarning(m *coordinator.Machine, key wallet.Key) *string {
	g := m.State.Genesis()
	err := key.FitsOrigin()
	if err == nil && g.Descriptor == "" {
		err = key.CheckOrigin(wallet.Network(g.Network), wallet.ScriptType(g.Script))
	}
	if err == nil {
		return nil
	}
	text := err.Error()
	return &text
}

func keyPath(path []uint32) string {
	parts := make([]string, len(path))
	for i, p := range path {
		if p >= 1<<31 {
			parts[i] = fmt.Sprintf("%dh", p-(1<<31))
		} else {
			parts[i] = fmt.Sprint(p)
		}
	}
	return strings.Join(parts, "/")
}

// RekeyWallet makes a new epoch now.
func (n *Node) RekeyWallet(ctx context.Context, ref string) (api.WalletSummary, error) {
	a, err := n.actor(ref)
	if err != nil {
		return api.WalletSummary{}, err
	}
	if _, err := node.Do(ctx, a, coordinator.Rekey{}); err != nil {
		return api.WalletSummary{}, n.apiError(err)
	}
	return summary(a), nil
}

// ArchiveWallet puts a wallet aside on this node, or takes it up again.
func (n *Node) ArchiveWallet(ctx context.Context, ref string, r api.ArchiveWallet) (api.WalletSummary, error) {
	a, err := n.actor(ref)
	if err != nil {
		return api.WalletSummary{}, err
	}
	n.twins.Lock()
	defer n.twins.Unlock()
	if d := descriptorOf(a.Machine()); d != nil && r.Undo && a.Machine().Archived() && !a.Machine().State.Abandoned() {
		if err := n.checkTwin(ctx, a, d); err != nil {
			return api.WalletSummary{}, err
		}
	}
	if _, err := node.Do(ctx, a, coordinator.Archive{Undo: r.Undo, Allow: r.Allow}); err != nil {
		return api.WalletSummary{}, n.apiError(err)
	}
	return summary(a), nil
}

// RenameWallet changes what this node calls a wallet.
func (n *Node) RenameWallet(ctx context.Context, ref string, r api.RenameWallet) (api.WalletSummary, error) {
	a, err := n.actor(ref)
	if err != nil {
		return api.WalletSummary{}, err
	}
	if err := n.co.Rename(ctx, a, r.Name); err != nil {
		return api.WalletSummary{}, n.apiError(err)
	}
	return summary(a), nil
}
