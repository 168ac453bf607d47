package apitest

import (
	"context"
	"strings"
	"time"

	"github.com/quorate/quorate/api"
)

// DraftName is what Backend calls its draft.
var DraftName = strings.Repeat("da", 64)

// Preview implements api.Backend.
func (b *Backend) Preview(_ context.Context, ref string, r api.Propose) (api.Draft, error) {
	if err := b.wallet("Preview", ref, r); err != nil {
		return api.Draft{}, err
	}
	p, err := b.proposal("Proposal", ProposalID, nil)
	if r.RequestID == "known" {
		id := ProposalID
		return api.Draft{Proposal: &id, Wallet: WalletID, WalletName: "family"}, err
	}
	expires := Now().Add(time.Duration(r.Expires) * time.Second)
	return api.Draft{
		Draft: &DraftName, Wallet: WalletID, WalletName: "family", TxID: TxID, Inputs: p.Inputs, Outputs: p.Outputs, Sends: 1_000_000,
		Fee: 200, FeeRate: 1.5, FeeSource: "given", Change: 999_800, Note: api.Text(r.Note), Expires: &expires, Signs: !r.Unsigned, Threshold: 2, Cautions: p.Cautions,
	}, err
}

// Pending implements api.Backend: the proposal, as long as it is pending.
func (b *Backend) Pending(_ context.Context, q api.PendingQuery) (api.Page[api.Pending], error) {
	if err := b.called("Pending", q); err != nil {
		return api.Page[api.Pending]{}, err
	}
	p, err := b.proposal("Proposal", ProposalID, nil)
	if err != nil || p.Status != api.StatusPending {
		return api.Page[api.Pending]{}, err
	}
	author, sends, signed := p.Author, int64(1_000_000), len(p.Approvals)
	return api.Page[api.Pending]{Items: []api.Pending{{
		Kind: api.PendingApprove, Wallet: WalletID, WalletName: "family", Proposal: &p.Proposal, TxID: &p.TxID, Sends: &sends, Fee: &p.Fee,
		Person: &author, Note: p.Note, Created: &p.Created, Expires: p.Expires, SignedCount: &signed, Needed: &p.Threshold,
		Command: "quorate approve " + p.Proposal,
	}}}, nil
}

// Addresses implements api.Backend.
func (b *Backend) Addresses(_ context.Context, ref string, q api.AddressQuery) (api.Page[api.AddressItem], error) {
	bob := Person("bob")
	page := api.Page[api.AddressItem]{Items: []api.AddressItem{{Address: Address, Index: 7, HandedOutBy: &bob, Label: api.Text(b.said("rent", " \x1b[31mred"))}}}
	if !q.Unused {
		page.Items = append(page.Items, api.AddressItem{Address: Address, Index: 6, Used: true, PaymentCount: 2, Received: 2_005_000, Unspent: 2_005_000})
	}
	return page, b.wallet("Addresses", ref, q)
}
