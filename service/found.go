package service

import (
	"context"
	"time"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/node"
	"github.com/quorate/quorate/coordinator/port"
)

// CreateWallet founds a wallet.
func (n *Node) CreateWallet(ctx context.Context, r api.CreateWallet) (api.WalletInvites, error) {
	f, warnings, err := n.founding(ctx, r)
	if err != nil {
		return api.WalletInvites{}, err
	}
	a, invites, err := n.co.Create(ctx, f)
	if err != nil {
		return api.WalletInvites{}, n.apiError(err)
	}
	if r.External != "" && r.Unproven {
		if _, err := n.enter(ctx, a, coordinator.Prove{How: event.ProofNone}); err != nil {
			return api.WalletInvites{}, err
		}
	}
	out := api.WalletInvites{WalletSummary: entered(a), Warnings: warnings}
	for _, inv := range invites {
		out.Invites = append(out.Invites, inv.String())
		out.Issued = append(out.Issued, issuedInvite(inv))
	}
	return out, nil
}

func issuedInvite(inv port.Invite) api.IssuedInvite {
	return api.IssuedInvite{Invite: inv.ID(), Expires: api.Time(inv.Expires)}
}

// RatifyWallet ratifies the roster whose words the user heard.
func (n *Node) RatifyWallet(ctx context.Context, ref string, r api.RatifyWallet) (api.Ratified, error) {
	a, err := n.actor(ref)
	if err != nil {
		return api.Ratified{}, err
	}
	n.twins.Lock()
	defer n.twins.Unlock()
	if d := descriptorOf(a.Machine()); d != nil {
		if err := n.checkTwin(ctx, a, d); err != nil {
			return api.Ratified{}, err
		}
	}
	if _, err := node.Do(ctx, a, coordinator.Ratify{Words: r.Words, AcceptUnproven: r.AcceptUnproven, AcceptHosted: r.AcceptHosted, For: r.For}); err != nil {
		return api.Ratified{}, n.apiError(err)
	}
	out := api.Ratified{WalletSummary: summary(a)}
	m := a.Machine()
	if roster, ok := m.State.Roster(); ok {
		out.Words = roster.Words()
	}
	for _, c := range m.Cosigners() {
		self := c.Identity == m.State.Me()
		if r.For != "" {
			self = c.Name == r.For && c.Host == m.State.Me()
		}
		if !self {
			out.HeardFrom = append(out.HeardFrom, person(c.Member))
		}
	}
	return out, nil
}

// InviteToWallet issues a fresh invite.
func (n *Node) InviteToWallet(ctx context.Context, ref string, r api.InviteToWallet) (api.WalletInvites, error) {
	a, err := n.actor(ref)
	if err != nil {
		return api.WalletInvites{}, err
	}
	cmd := coordinator.NewInvite{Addresses: n.inviteAddresses(), Expires: time.Now().Add(coordinator.InviteLife), Allow: r.Allow}
	if r.Replace != "" {
		if cmd.Replace, err = findMember(a.Machine(), r.Replace); err != nil {
			return api.WalletInvites{}, err
		}
		for _, p := range n.net.Peers() {
			cmd.Online = cmd.Online || p.Peer == *cmd.Replace && p.Connected
		}
	}
	inv, err := node.Do(ctx, a, cmd)
	if err != nil {
		return api.WalletInvites{}, n.apiError(err)
	}
	return api.WalletInvites{WalletSummary: summary(a), Invites: []string{inv.String()}, Issued: []api.IssuedInvite{issuedInvite(inv)}}, nil
}

// AbandonWallet gives a wallet up that is not active yet.
func (n *Node) AbandonWallet(ctx context.Context, ref string) (api.WalletSummary, error) {
	a, err := n.actor(ref)
	if err != nil {
		return api.WalletSummary{}, err
	}
	if _, err := node.Do(ctx, a, coordinator.Abandon{}); err != nil {
		return api.WalletSummary{}, n.apiError(err)
	}
	return summary(a), nil
}
