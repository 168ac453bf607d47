package api

import (
	"context"
	"encoding/hex"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// Draft is what a request to propose would come to: nobody holds it, and nothing was
// written, leased or signed.
type Draft struct {
	// Draft names it, in a request to propose just that.
	Draft      *string        `json:"draft" doc:"To send along with the same request: just this is proposed then, or nothing. Null where the request was answered before."`
	Proposal   *string        `json:"proposal" doc:"The proposal that the same request id gave before; null for a new one."`
	Wallet     string         `json:"wallet"`
	WalletName string         `json:"wallet_name"`
	TxID       string         `json:"txid"`
	Inputs     List[TxInput]  `json:"inputs"`
	Outputs    List[TxOutput] `json:"outputs"`
	Sends      int64          `json:"sends" doc:"What goes to others, without the fee."`
	Fee        int64          `json:"fee"`
	FeeRate    float64        `json:"fee_rate"`
	Change     int64          `json:"change" doc:"Amount that comes back, 0 for none."`
	Note       Text           `json:"note" doc:"Null where there is none."`
	Expires    *time.Time     `json:"expires" doc:"About when it would expire: it is counted from when it is proposed."`
	Replaces   List[string]   `json:"replaces" doc:"Proposals that it would replace: those named, and those given up that pay the same, or hold its coins."`
	// Signs is what proposing it does with this node's key.
	Signs            bool          `json:"signs" doc:"Whether proposing it signs it with this node's key at once."`
	External         bool          `json:"external" doc:"This node's key is on a device: it is signed by way of an exported PSBT."`
	Threshold        int           `json:"threshold" doc:"How many cosigners must sign in all."`
	UnconfirmedCount int           `json:"unconfirmed_count" doc:"How many of its inputs are not confirmed yet."`
	LeftCount        int           `json:"left_count" doc:"Where all is sent: how many coins stay, since they are leased, not spendable yet, or cost more than they hold."`
	Left             int64         `json:"left" doc:"What those coins hold."`
	Warnings         List[Warning] `json:"warnings" doc:"Rules that refuse it, and that the request overrides by name."`
}

// draftBytes is how long the name of a draft is: a draw and a digest.
const draftBytes = 64

// CheckDraft refuses what cannot be the name of a draft.
func CheckDraft(s string) error {
	if b, err := hex.DecodeString(s); err != nil || len(b) != draftBytes {
		return Misuse("bad_draft", "a draft is named by 128 hex characters", "give what the preview said, unchanged")
	}
	return nil
}

func (s *Server) previewRoute(h huma.API) {
	route(h, RolePropose, post("preview-proposal", "/v1/wallets/{wallet}/proposals/preview", "Show what a proposal would be: nothing is signed, leased or written"), func(ctx context.Context, in *proposeInput) (Draft, error) {
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
	all := 0
	for _, to := range r.To {
		if to.All {
			all++
		}
		if to.All != (to.Amount == 0) {
			return Misuse("bad_amount", "a payee gets an amount of 1 satoshi or more, or all that is left", "give one of them")
		}
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

// Preview implements Backend.
func (c *Client) Preview(ctx context.Context, wallet string, r Propose) (Draft, error) {
	return onWallet(wallet, func() (Draft, error) {
		return send[Draft](ctx, c, path("wallets", wallet, "proposals", "preview"), r)
	})
}
