package service

import (
	"context"
	"errors"
	"time"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/coordinator/node"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/coordinator/refusal"
)

// joinRetry is the pause between tries to reach a founder.
const joinRetry = 2 * time.Second

// JoinWallet presents an invite; with Wait it goes on until the founder is
// reached and holds this node's record.
func (n *Node) JoinWallet(ctx context.Context, r api.JoinWallet) (api.WalletSummary, error) {
	inv, err := port.ParseInvite(r.Invite)
	if err == nil {
		err = n.checkExternal(r.External, r.Unproven) // before the founder hears of it
	}
	if err != nil {
		return api.WalletSummary{}, n.apiError(err)
	}
	a, err := n.untilJoined(ctx, r.Wait, func() (*node.Actor, error) { return n.co.Join(ctx, inv, r.External, r.Allow) })
	if errors.Is(err, port.ErrNoOpenInvite) {
		return api.WalletSummary{}, api.Refuse("invite_closed", "join: "+port.ErrNoOpenInvite.Error(), "if the invite was used or has expired, or the wallet has all its cosigners, ask the founder; if not, `wallet join --wait` keeps trying")
	}
	if errors.Is(err, port.ErrFounderAway) {
		n.parts.Log.Debug("join", "error", err)
		return api.WalletSummary{}, api.Fail("founder_unreachable", "join: "+port.ErrFounderAway.Error(), "is the founder's node running, and reachable at an address of the invite? `wallet join --wait` keeps trying")
	}
	if err != nil {
		return api.WalletSummary{}, n.apiError(err)
	}
	if r.External != "" && r.Unproven {
		return n.enterUnproven(ctx, a)
	}
	if r.Wait {
		// A claim of the founder tells; events only say that something changed.
		for !a.Machine().Holds(inv.Founder) && a.Machine().State.Name() == "" {
			select {
			case <-ctx.Done():
				return api.WalletSummary{}, api.TimedOut("not_admitted", "join: the founder does not hold this node's record yet", "it is sent as soon as the two are connected")
			case <-time.After(joinRetry / 20):
			}
		}
	}
	return entered(a), nil
}

// untilJoined presents an invite, and where it is to wait again and again until
// ctx ends, as long as another try may help.
func (n *Node) untilJoined(ctx context.Context, wait bool, join func() (*node.Actor, error)) (*node.Actor, error) {
	a, err := join()
	for wait && n.joinLater(err) {
		last := err
		select {
		case <-ctx.Done():
			return nil, n.notJoined(last)
		case <-time.After(joinRetry):
		}
		if a, err = join(); err != nil && ctx.Err() != nil {
			return nil, n.notJoined(last)
		}
	}
	return a, err
}

// joinLater says whether another try may help. A founder that does not
// let this node in may only be busy: it does not say.
func (n *Node) joinLater(err error) bool {
	return errors.Is(err, port.ErrFounderAway) || errors.Is(err, port.ErrNoOpenInvite) || awaitsApproval(err)
}

// notJoined is the error where the time for joining has run out.
func (n *Node) notJoined(last error) error {
	if awaitsApproval(last) {
		return n.apiError(last)
	}
	if errors.Is(last, port.ErrNoOpenInvite) {
		return api.TimedOut("not_admitted", "join: "+port.ErrNoOpenInvite.Error(), "was the invite used, or has it expired? if neither, the founder's `quorate status` says whether strangers crowd its door")
	}
	return api.TimedOut("not_admitted", "join: the founder was not reached", "is its node running, and reachable at an address of the invite?")
}

// awaitsApproval says whether a device that proves no key waits for the others.
func awaitsApproval(err error) bool {
	var r *refusal.Refusal
	return errors.As(err, &r) && r.Rule == refusal.AwaitsApproval
}
