package api

import (
	"context"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/quorate/quorate/api/access"
)

// MaxLabels is how many labels one request sets.
const MaxLabels = 256

// LabelBackend is what the members of a wallet say of what is the wallet's.
type LabelBackend interface {
	// Labels lists the labels of what is the wallet's, as this node sees it.
	Labels(ctx context.Context, wallet string) ([]Label, error)
	// SetLabels sets labels for all members, all that are the wallet's or none.
	SetLabels(ctx context.Context, wallet string, r SetLabels) (LabelsSet, error)
	// FreezeCoin freezes a coin for all members, or lifts that. The coin is TXID:VOUT.
	FreezeCoin(ctx context.Context, wallet, coin string, r FreezeCoin) (CoinFreeze, error)
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

// FreezeCoin freezes a coin, or lifts that.
type FreezeCoin struct {
	Undo  bool     `json:"undo,omitempty" doc:"Lift it: the coin may be spent again."`
	Note  string   `json:"note,omitempty" maxLength:"256" doc:"Why, for the other cosigners."`
	Allow []string `json:"allow,omitempty" maxItems:"16" nullable:"false" doc:"Rules to override, by name: members_outdated."`
}

// CoinFreeze answers FreezeCoin.
type CoinFreeze struct {
	Wallet   string  `json:"wallet"`
	OutPoint string  `json:"outpoint"`
	Frozen   *Freeze `json:"freeze" doc:"By whom it is frozen now, and why; null where it is not."`
}

type freezeInput struct {
	WalletPath
	Coin string `path:"outpoint" maxLength:"80" doc:"TXID:VOUT."`
	Body FreezeCoin
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
	route(h, access.Freeze, post("freeze-coin", "/v1/wallets/{wallet}/coins/{outpoint}/freeze", "Freeze a coin for all cosigners, or lift that"), func(ctx context.Context, in *freezeInput) (CoinFreeze, error) {
		// To freeze only hinders; to lift it lets a payment through that somebody stopped.
		if c := callerOf(ctx); in.Body.Undo && !c.May(access.Sign) {
			return CoinFreeze{}, denied(called(c)+" may not lift a freeze", "use a token with the verb sign")
		}
		return b.FreezeCoin(ctx, in.Wallet, in.Coin, in.Body)
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

// FreezeCoin implements Backend.
func (c *Client) FreezeCoin(ctx context.Context, wallet, coin string, r FreezeCoin) (CoinFreeze, error) {
	return onWallet(wallet, func() (CoinFreeze, error) {
		return send[CoinFreeze](ctx, c, path("wallets", wallet, "coins", coin, "freeze"), r)
	})
}
