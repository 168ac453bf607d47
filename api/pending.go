package api

import (
	"context"
	"net/url"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// What may wait for a node's user.
const (
	PendingApprove     = "approve"             // a proposal waits for this node's signature
	PendingSign        = "sign_elsewhere"      // the same, and this node's key is on a device
	PendingRatify      = "ratify"              // the words are to be compared
	PendingProve       = "prove"               // this node's external key waits for its proof
	PendingProveHosted = "prove_hosted"        // that of a cosigner whom it hosts
	PendingReplacement = "approve_replacement" // another cosigner's new device
)

// Pending is something that waits for a node's user.
type Pending struct {
	Kind        string     `json:"kind" enum:"approve,sign_elsewhere,ratify,prove,prove_hosted,approve_replacement"`
	Wallet      string     `json:"wallet"`
	WalletName  string     `json:"wallet_name"`
	Proposal    *string    `json:"proposal" doc:"Of a proposal; null otherwise."`
	TxID        *string    `json:"txid" doc:"Of a proposal; null otherwise."`
	Sends       *int64     `json:"sends" doc:"What a proposal pays to others, without its fee; null where it is none."`
	Fee         *int64     `json:"fee" doc:"Of a proposal; null otherwise."`
	Person      *Person    `json:"person" doc:"Who proposed it, or whose key or device it is; null where it is this node's own."`
	Note        Text       `json:"note" doc:"The author's words, unverified; null where there are none."`
	Created     *time.Time `json:"created" doc:"Of a proposal, as its author claims; null otherwise."`
	Expires     *time.Time `json:"expires" doc:"Of a proposal; null where it does not expire."`
	SignedCount *int       `json:"signed_count" doc:"How many signed the proposal, or approved the replacement; null otherwise."`
	Needed      *int       `json:"threshold" doc:"How many must; null where that is not the question."`
	Command     string     `json:"command" doc:"The command line that does it."`
}

// PendingQuery selects a page of what waits.
type PendingQuery struct {
	Cursor string
	// Limit is at most MaxPage; 0 is DefaultPage.
	Limit int
}

func (s *Server) pendingRoute(h huma.API) {
	route(h, RoleRead, get("list-pending", "/v1/pending", "List what waits for this node's user, over all wallets"), func(ctx context.Context, in *PageQuery) (Page[Pending], error) {
		return s.backend.Pending(ctx, PendingQuery{Cursor: in.Cursor, Limit: in.Limit})
	})
}

// Pending implements Backend.
func (c *Client) Pending(ctx context.Context, q PendingQuery) (Page[Pending], error) {
	return fetch[Page[Pending]](ctx, c, path("pending"), page(url.Values{}, q.Cursor, q.Limit))
}
