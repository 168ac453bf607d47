package service

import (
	"errors"
	"fmt"
	"strings"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/node"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/coordinator/recurring"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/wallet"
)

// apiError gives an error of the rooms below its kind, its stable code and what to do.
func (n *Node) apiError(err error) error {
	var mine *api.Error
	var refused *refusal.Refusal
	var made *node.MadeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &made):
		e := *api.AsError(n.apiError(made.Err))
		e.Made, e.Message = true, fmt.Sprintf("proposal %s is made, but this node did not sign it: %s", made.Proposal, e.Message)
		return &e
	case errors.As(err, &mine):
		return mine
	case errors.As(err, &refused):
		return api.Refuse(refused.Rule, refused.Text, refused.Hint)
	case errors.Is(err, refusal.ErrUnknownProposal):
		return api.Missing("unknown_proposal", err.Error(), "`quorate proposals WALLET` lists them")
	case errors.Is(err, refusal.ErrUnknownPolicy):
		return api.Missing("no_such_policy", err.Error(), "`quorate policy list` lists them")
	case errors.Is(err, refusal.ErrBadPolicy):
		return api.Misuse("bad_policy", err.Error(), "docs/policy.md is the manual of the language")
	case errors.Is(err, refusal.ErrUnknownSchedule):
		return api.Missing("unknown_schedule", err.Error(), "`quorate recurring list` lists them")
	case errors.Is(err, recurring.ErrWish):
		return api.Misuse("bad_schedule", err.Error(), "")
	case errors.Is(err, port.ErrInviteFormat):
		return api.Misuse("bad_invite", err.Error(), "paste the whole invite, from quorate1 to its end")
	case errors.Is(err, port.ErrInviteExpired):
		return api.Refuse("invite_expired", "join: "+port.ErrInviteExpired.Error(), "ask the founder for a fresh one (`quorate wallet invite`)")
	case errors.Is(err, port.ErrInviteUsed):
		return api.Refuse("invite_used", "join: "+port.ErrInviteUsed.Error(), "ask the founder who took it; a fresh one is `quorate wallet invite`")
	case errors.Is(err, port.ErrInviteUnknown):
		return api.Refuse("invite_unknown", "join: "+port.ErrInviteUnknown.Error(), "ask the founder for a fresh one")
	case errors.Is(err, port.ErrInviteProof):
		return api.Refuse("invite_proof", "join: "+port.ErrInviteProof.Error(), "ask the founder for a fresh one")
	case errors.Is(err, event.ErrEvent), errors.Is(err, refusal.ErrBadRequest):
		return api.Misuse("bad_request", err.Error(), "")
	case errors.Is(err, wallet.ErrMissingSignatures):
		return api.Refuse("not_final", "the proposal is not final: "+err.Error(), "wait for further approvals")
	case errors.Is(err, port.ErrGuardConflict):
		return api.Refuse(refusal.SignGuard, "this node already signed another transaction that spends one of these coins, in another of its wallets", "withdraw this proposal, and choose other coins")
	case errors.Is(err, port.ErrNoSeed):
		return api.Refuse("no_seed", port.ErrNoSeed.Error()+" to make a key from", "bring the key of a device: --external '[fingerprint/48h/…]xpub…'")
	case errors.Is(err, port.ErrNoSpace):
		return api.Fail("disk_full", "nothing was changed: "+spaceText(err), "free some space and try again")
	case errors.Is(err, node.ErrStopped):
		return api.Unreachable("stopping", err.Error(), "start the node again")
	}
	return api.AsError(err)
}

// spaceText says how much is free and how much is needed, where the store said it.
func spaceText(err error) string {
	text := err.Error()
	if at := strings.LastIndex(text, port.ErrNoSpace.Error()); at >= 0 {
		text = text[at:]
	}
	return text
}
