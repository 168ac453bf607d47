package api

import (
	"context"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/quorate/quorate/api/access"
)

type simulateInput struct {
	WalletPath
	Body SimulatePolicy
}

type replayInput struct {
	WalletPath
	PageQuery
	Since time.Time `query:"since" doc:"Only what was written then or later, as the robot claims."`
}

func policyPastRoutes(h huma.API, b PolicyPastBackend) {
	op := post("simulate-policy", "/v1/wallets/{wallet}/policy/simulate", "Run a policy for robots over all that was ever proposed")
	op.Description = "Changes nothing, and proposes nothing. Says of each proposal what one robot of the policy would have made of it, against what became of it, and the largest outflow in any window of each meter. docs/policy-past.md says what it cannot know."
	route(h, access.Read, op, func(ctx context.Context, in *simulateInput) (Simulation, error) {
		return b.SimulatePolicy(ctx, in.Wallet, in.Body)
	})
	op = get("replay-policy", "/v1/wallets/{wallet}/policy/replay", "Make the verdicts of robots again, and say what differs")
	op.Description = "In the order of each robot's own journal, one robot after the other. docs/policy-past.md says which fields are compared. A page may hold fewer and not be the last."
	route(h, access.Read, op, func(ctx context.Context, in *replayInput) (Page[Replayed], error) {
		return b.ReplayPolicy(ctx, in.Wallet, ReplayQuery{Since: in.Since, Cursor: in.Cursor, Limit: in.Limit})
	})
}
