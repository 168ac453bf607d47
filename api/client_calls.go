package api

import (
	"context"
	"net/url"
	"strconv"
	"time"
)

// Status implements Backend.
func (c *Client) Status(ctx context.Context) (Status, error) {
	return fetch[Status](ctx, c, path("status"), nil)
}

// Peers implements Backend.
func (c *Client) Peers(ctx context.Context) ([]Peer, error) {
	return whole[Peer](ctx, c, path("peers"))
}

// PendingPeers implements Backend.
func (c *Client) PendingPeers(ctx context.Context) ([]Peer, error) {
	return whole[Peer](ctx, c, path("peers", "pending"))
}

// AddPeer implements Backend.
func (c *Client) AddPeer(ctx context.Context, r AddPeer) (Peer, error) {
	return send[Peer](ctx, c, path("peers"), r)
}

// Wallets implements Backend.
func (c *Client) Wallets(ctx context.Context) ([]WalletItem, error) {
	return whole[WalletItem](ctx, c, path("wallets"))
}

// CreateWallet implements Backend.
func (c *Client) CreateWallet(ctx context.Context, r CreateWallet) (WalletInvites, error) {
	return send[WalletInvites](ctx, c, path("wallets"), r)
}

// JoinWallet implements Backend.
func (c *Client) JoinWallet(ctx context.Context, r JoinWallet) (WalletSummary, error) {
	return send[WalletSummary](ctx, c, path("wallets", "join"), r)
}

// Wallet implements Backend.
func (c *Client) Wallet(ctx context.Context, wallet string) (Wallet, error) {
	return onWallet(wallet, func() (Wallet, error) {
		return fetch[Wallet](ctx, c, path("wallets", wallet), nil)
	})
}

// RatifyWallet implements Backend.
func (c *Client) RatifyWallet(ctx context.Context, wallet string, r RatifyWallet) (Ratified, error) {
	return onWallet(wallet, func() (Ratified, error) {
		return send[Ratified](ctx, c, path("wallets", wallet, "ratify"), r)
	})
}

// InviteToWallet implements Backend.
func (c *Client) InviteToWallet(ctx context.Context, wallet string, r InviteToWallet) (WalletInvites, error) {
	return onWallet(wallet, func() (WalletInvites, error) {
		return send[WalletInvites](ctx, c, path("wallets", wallet, "invites"), r)
	})
}

// ApproveReplacement implements Backend.
func (c *Client) ApproveReplacement(ctx context.Context, wallet string, r ApproveReplacement) (WalletSummary, error) {
	return onWallet(wallet, func() (WalletSummary, error) {
		return send[WalletSummary](ctx, c, path("wallets", wallet, "replacements"), r)
	})
}

// AbandonWallet implements Backend.
func (c *Client) AbandonWallet(ctx context.Context, wallet string) (WalletSummary, error) {
	return onWallet(wallet, func() (WalletSummary, error) {
		return send[WalletSummary](ctx, c, path("wallets", wallet, "abandon"), nil)
	})
}

// RekeyWallet implements Backend.
func (c *Client) RekeyWallet(ctx context.Context, wallet string) (WalletSummary, error) {
	return onWallet(wallet, func() (WalletSummary, error) {
		return send[WalletSummary](ctx, c, path("wallets", wallet, "rekey"), nil)
	})
}

// ArchiveWallet implements Backend.
func (c *Client) ArchiveWallet(ctx context.Context, wallet string, r ArchiveWallet) (WalletSummary, error) {
	return onWallet(wallet, func() (WalletSummary, error) {
		return send[WalletSummary](ctx, c, path("wallets", wallet, "archive"), r)
	})
}

// RescanWallet implements Backend.
func (c *Client) RescanWallet(ctx context.Context, wallet string, r RescanWallet) (WalletSummary, error) {
	return onWallet(wallet, func() (WalletSummary, error) {
		return send[WalletSummary](ctx, c, path("wallets", wallet, "rescan"), r)
	})
}

// RenameWallet implements Backend.
func (c *Client) RenameWallet(ctx context.Context, wallet string, r RenameWallet) (WalletSummary, error) {
	return onWallet(wallet, func() (WalletSummary, error) {
		return send[WalletSummary](ctx, c, path("wallets", wallet, "rename"), r)
	})
}

// NewAddress implements Backend.
func (c *Client) NewAddress(ctx context.Context, wallet string, r NewAddress) (Address, error) {
	return onWallet(wallet, func() (Address, error) {
		return send[Address](ctx, c, path("wallets", wallet, "addresses"), r)
	})
}

// Coins implements Backend.
func (c *Client) Coins(ctx context.Context, wallet string) ([]Coin, error) {
	return onWallet(wallet, func() ([]Coin, error) {
		return whole[Coin](ctx, c, path("wallets", wallet, "coins"))
	})
}

// History implements Backend.
func (c *Client) History(ctx context.Context, wallet string, q HistoryQuery) (Page[HistoryItem], error) {
	return onWallet(wallet, func() (Page[HistoryItem], error) {
		v := page(url.Values{}, q.Cursor, q.Limit)
		for name, t := range map[string]time.Time{"since": q.Since, "until": q.Until} {
			if !t.IsZero() {
				v.Set(name, t.UTC().Format(time.RFC3339))
			}
		}
		return fetch[Page[HistoryItem]](ctx, c, path("wallets", wallet, "history"), v)
	})
}

// page adds which page is asked for.
func page(v url.Values, cursor string, limit int) url.Values {
	if cursor != "" {
		v.Set("cursor", cursor)
	}
	if limit > 0 {
		v.Set("limit", strconv.Itoa(limit))
	}
	return v
}

// Propose implements Backend.
func (c *Client) Propose(ctx context.Context, wallet string, r Propose) (Proposed, error) {
	return onWallet(wallet, func() (Proposed, error) {
		return send[Proposed](ctx, c, path("wallets", wallet, "proposals"), r)
	})
}

// Proposals implements Backend.
func (c *Client) Proposals(ctx context.Context, wallet string, q ProposalQuery) (Page[Proposal], error) {
	v := url.Values{}
	if q.Status != "" {
		v.Set("status", q.Status)
	}
	return onWallet(wallet, func() (Page[Proposal], error) {
		return fetch[Page[Proposal]](ctx, c, path("wallets", wallet, "proposals"), page(v, q.Cursor, q.Limit))
	})
}

// Proposal implements Backend.
func (c *Client) Proposal(ctx context.Context, proposal string) (Proposal, error) {
	return onProposal(proposal, false, func() (Proposal, error) {
		return fetch[Proposal](ctx, c, path("proposals", proposal), nil)
	})
}

// Approve implements Backend.
func (c *Client) Approve(ctx context.Context, proposal string, r Approve) (Proposal, error) {
	return onProposal(proposal, true, func() (Proposal, error) {
		return send[Proposal](ctx, c, path("proposals", proposal, "approve"), r)
	})
}

// Reject implements Backend.
func (c *Client) Reject(ctx context.Context, proposal string, r Reject) (Proposal, error) {
	return onProposal(proposal, true, func() (Proposal, error) {
		return send[Proposal](ctx, c, path("proposals", proposal, "reject"), r)
	})
}

// Comment implements Backend.
func (c *Client) Comment(ctx context.Context, proposal string, r Comment) (Proposal, error) {
	return onProposal(proposal, true, func() (Proposal, error) {
		return send[Proposal](ctx, c, path("proposals", proposal, "comments"), r)
	})
}

// Withdraw implements Backend.
func (c *Client) Withdraw(ctx context.Context, proposal string) (Proposal, error) {
	return onProposal(proposal, true, func() (Proposal, error) {
		return send[Proposal](ctx, c, path("proposals", proposal, "withdraw"), nil)
	})
}

// Tx implements Backend.
func (c *Client) Tx(ctx context.Context, proposal string) (Tx, error) {
	return onProposal(proposal, false, func() (Tx, error) {
		return fetch[Tx](ctx, c, path("proposals", proposal, "tx"), nil)
	})
}

// Wait returns the proposal when its status is the one asked for (final,
// broadcast or confirmed) or beyond. It returns a Denied error at once when
// the proposal has ended otherwise, and a Timeout one after the timeout.
func (c *Client) Wait(ctx context.Context, proposal, status string, timeout time.Duration) (Proposal, error) {
	v := url.Values{}
	v.Set("status", status)
	v.Set("timeout", strconv.FormatFloat(timeout.Seconds(), 'f', -1, 64))
	return onProposal(proposal, false, func() (Proposal, error) {
		return fetch[Proposal](ctx, c, path("proposals", proposal, "wait"), v)
	})
}

// Doctor implements Backend.
func (c *Client) Doctor(ctx context.Context) (Examination, error) {
	return fetch[Examination](ctx, c, path("doctor"), nil)
}
