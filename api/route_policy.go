package api

import (
	"context"
	"fmt"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/quorate/quorate/api/access"
)

// PolicyPath is a version of a policy in a path; exported because the router skips what is not.
type PolicyPath struct {
	WalletPath
	Version string `path:"version" maxLength:"64" doc:"Version or a unique prefix: 6 characters to look, 32 to act."`
}

type proposePolicyInput struct {
	WalletPath
	Body ProposePolicy
}

type votePolicyInput struct {
	PolicyPath
	Body VotePolicy `required:"false"`
}

func policyRoutes(h huma.API, b PolicyBackend) {
	route(h, access.Read, get("list-policies", "/v1/wallets/{wallet}/policies", "List the policies for robots that are followed or voted on, newest first"), func(ctx context.Context, in *walletList) (Page[Policy], error) {
		items, err := b.Policies(ctx, in.Wallet)
		return listed(in.PageQuery, func(x Policy) string { return x.Version }, items, err)
	})
	op := post("propose-policy", "/v1/wallets/{wallet}/policies", "Put a policy for robots to the vote, and be for it")
	op.Description = "What is voted on is a version: the policy and what it takes the place of. Robots follow it once as many cosigners as sign are for it and no more are against it than leave so many; a tighter one at once, any other after the delay of the one before."
	route(h, access.Vote, op, func(ctx context.Context, in *proposePolicyInput) (Policy, error) {
		return b.ProposePolicy(ctx, in.Wallet, in.Body)
	})
	route(h, access.Read, get("show-policy", "/v1/wallets/{wallet}/policies/{version}", "Show a policy for robots"), func(ctx context.Context, in *PolicyPath) (Policy, error) {
		if err := checkVersion(in.Version, false); err != nil {
			return Policy{}, err
		}
		return b.Policy(ctx, in.Wallet, in.Version)
	})
	vote := func(against bool) func(context.Context, *votePolicyInput) (Policy, error) {
		return func(ctx context.Context, in *votePolicyInput) (Policy, error) {
			if err := checkVersion(in.Version, true); err != nil {
				return Policy{}, err
			}
			in.Body.Against = against
			return b.VotePolicy(ctx, in.Wallet, in.Version, in.Body)
		}
	}
	route(h, access.Vote, post("approve-policy", "/v1/wallets/{wallet}/policies/{version}/approve", "Be for a policy for robots"), vote(false))
	route(h, access.Vote, post("object-policy", "/v1/wallets/{wallet}/policies/{version}/object", "Be against a policy for robots"), vote(true))
}

// checkVersion says whether a string can name a version, as CheckProposal does.
func checkVersion(id string, acts bool) error {
	least := MinRead
	if acts {
		least = MinAct
	}
	switch {
	case len(id) > idLength || strings.Trim(id, "0123456789abcdef") != "":
		return Misuse("bad_id", fmt.Sprintf("%.70q is no version of a policy", id), "`quorate policy list` lists them")
	case len(id) < least:
		return Misuse("short_id", fmt.Sprintf("version %q is too short", id), fmt.Sprintf("give at least %d of its characters", least))
	}
	return nil
}
