package api

import (
	"context"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/quorate/quorate/api/access"
)

// MaxLabels is how many labels one request sets.
const MaxLabels = 256

// LabelBackend is the labels that the members of a wallet share.
type LabelBackend interface {
	// Labels lists the labels of what is the wallet's, as this node sees it.
	Labels(ctx context.Context, wallet string) ([]Label, error)
	// SetLabels sets labels for all members, all that are the wallet's or none.
	SetLabels(ctx context.Context, wallet string, r SetLabels) (LabelsSet, error)
}

// Label is a text that a member gave a transaction, an address or an output.
type Label struct {
	Type  string    `json:"type" enum:"tx,addr,output" doc:"As in BIP329."`
	Ref   string    `json:"ref" doc:"Txid, address, or TXID:VOUT."`
	Label string    `json:"label" doc:"A cosigner's words; unverified."`
	By    Person    `json:"by" doc:"The cosigner who wrote it."`
	Time  time.Time `json:"time" doc:"As the cosigner claims."`
}

// SetLabel gives one thing a label.
type SetLabel struct {
	Ref   string `json:"ref" minLength:"1" maxLength:"128" doc:"Txid, address, or TXID:VOUT."`
	Label string `json:"label" maxLength:"256" doc:"Empty takes the label away."`
}

// SetLabels asks for labels.
type SetLabels struct {
	Labels []SetLabel `json:"labels" minItems:"1" maxItems:"256" nullable:"false"`
	// SkipForeign leaves out what is not the wallet's instead of refusing.
	SkipForeign bool `json:"skip_foreign,omitempty" doc:"Leave out what is not the wallet's, instead of refusing all."`
}

// LabelsSet answers SetLabels.
type LabelsSet struct {
	Wallet    string `json:"wallet"`
	Set       int    `json:"set_count" doc:"How many changed."`
	Unchanged int    `json:"unchanged_count" doc:"How many were so already."`
	Foreign   int    `json:"not_of_wallet_count" doc:"How many were left out: they are of nothing that this node knows to be the wallet's."`
}

type setLabelsInput struct {
	WalletPath
	Body SetLabels
}

func (s *Server) labelRoutes(h huma.API) {
	b := s.backend
	route(h, access.Read, get("list-labels", "/v1/wallets/{wallet}/labels", "List the labels that the cosigners share"), func(ctx context.Context, in *walletList) (Page[Label], error) {
		items, err := b.Labels(ctx, in.Wallet)
		return listed(in.PageQuery, func(x Label) string { return x.Type + " " + x.Ref }, items, err)
	})
	route(h, access.Label, post("set-labels", "/v1/wallets/{wallet}/labels", "Set labels, for all cosigners"), func(ctx context.Context, in *setLabelsInput) (LabelsSet, error) {
		return b.SetLabels(ctx, in.Wallet, in.Body)
	})
}

// Labels implements Backend.
func (c *Client) Labels(ctx context.Context, wallet string) ([]Label, error) {
	return onWallet(wallet, func() ([]Label, error) {
		return whole[Label](ctx, c, path("wallets", wallet, "labels"))
	})
}

// SetLabels implements Backend.
func (c *Client) SetLabels(ctx context.Context, wallet string, r SetLabels) (LabelsSet, error) {
	return onWallet(wallet, func() (LabelsSet, error) {
		return send[LabelsSet](ctx, c, path("wallets", wallet, "labels"), r)
	})
}
