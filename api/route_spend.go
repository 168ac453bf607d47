package api

import (
	"context"
	"encoding/hex"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"github.com/quorate/quorate/api/access"
)

// draftBytes is how long the name of a draft is: a draw and a digest.
const draftBytes = 64

// CheckDraft refuses what cannot be the name of a draft.
func CheckDraft(s string) error {
	if b, err := hex.DecodeString(s); err != nil || len(b) != draftBytes {
		return Misuse("bad_draft", "a draft is named by 128 hex characters", "give what the preview said, unchanged")
	}
	return nil
}

type proposeInput struct {
	WalletPath
	Body Propose
}

// spendRoutes are what is looked at before a payment is made, and asked for.
func (s *Server) spendRoutes(h huma.API) {
	s.previewRoute(h)
	s.pendingRoute(h)
	s.addressesRoute(h)
}

func (s *Server) previewRoute(h huma.API) {
	route(h, access.Propose, post("preview-proposal", "/v1/wallets/{wallet}/proposals/preview", "Show what a proposal would be: nothing is signed, leased or written"), func(ctx context.Context, in *proposeInput) (Draft, error) {
		if err := checkPropose(in.Body); err != nil {
			return Draft{}, err
		}
		return s.backend.Preview(ctx, in.Wallet, in.Body)
	})
}

// checkPropose checks what does not need the wallet.
func checkPropose(r Propose) error {
	if r.FeeRate > 0 && r.TargetBlocks > 0 {
		return Misuse("bad_fee", "both a fee rate and a target were given", "give one of them")
	}
	from := 0
	for _, of := range []string{r.Bumps, r.Cancels, r.Rescues} {
		if of != "" {
			from++
		}
	}
	if r.Below > 0 {
		from++
	}
	switch {
	case from > 1 || from == 1 && (len(r.To) > 0 || len(r.Coins) > 0 || len(r.Replaces) > 0):
		return Misuse("conflicting", "a bump, a cancel, a child or a consolidation is told of no payees and coins", "give that one alone")
	case from == 0 && len(r.To) == 0:
		return Misuse("bad_amount", "nobody is paid", "give at least one payee")
	case r.ParentFee > 0 && r.Rescues == "":
		return Misuse("conflicting", "a parent's fee is for a child that pays for it", "leave it out")
	}
	for _, p := range []string{r.Bumps, r.Cancels} {
		if p == "" {
			continue
		}
		if err := CheckProposal(p, true); err != nil {
			return err
		}
	}
	all := 0
	for _, to := range r.To {
		if to.All {
			all++
		}
		if to.All && to.PaysFee {
			return Misuse("conflicting", "who gets all that is left pays the fee already", "leave pays_fee out")
		}
		if to.All != (to.Amount == 0) {
			return Misuse("bad_amount", "a payee gets an amount of 1 satoshi or more, or all that is left", "give one of them")
		}
	}
	if all > 0 && slices.ContainsFunc(r.To, func(to Recipient) bool { return to.PaysFee }) {
		return Misuse("conflicting", "where one gets all that is left, that one pays the fee", "leave pays_fee out")
	}
	if all > 1 {
		return Misuse("bad_amount", "all that is left goes to one payee only", "give the others amounts")
	}
	if r.Draft != "" {
		if err := CheckDraft(r.Draft); err != nil {
			return err
		}
	}
	for _, p := range r.Replaces {
		if err := CheckProposal(p, true); err != nil {
			return err
		}
	}
	return nil
}

func (s *Server) pendingRoute(h huma.API) {
	route(h, access.Read, get("list-pending", "/v1/pending", "List what waits for this node's user, over all wallets"), func(ctx context.Context, in *PageQuery) (Page[Pending], error) {
		p, err := s.backend.Pending(ctx, PendingQuery{Cursor: in.Cursor, Limit: in.Limit})
		p.Items = slices.DeleteFunc(slices.Clone(p.Items), func(x Pending) bool { return !callerOf(ctx).Sees(x.Wallet) })
		return p, err
	})
}

type addressesInput struct {
	WalletPath
	Unused bool `query:"unused" doc:"Only those that nothing was paid to."`
	PageQuery
}

func (s *Server) addressesRoute(h huma.API) {
	route(h, access.Read, get("list-addresses", "/v1/wallets/{wallet}/addresses", "List receiving addresses that were handed out or paid, newest first"), func(ctx context.Context, in *addressesInput) (Page[AddressItem], error) {
		return s.backend.Addresses(ctx, in.Wallet, AddressQuery{Unused: in.Unused, Cursor: in.Cursor, Limit: in.Limit})
	})
}
