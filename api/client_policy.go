package api

import "context"

// Policies implements Backend.
func (c *Client) Policies(ctx context.Context, wallet string) ([]Policy, error) {
	return onWallet(wallet, func() ([]Policy, error) {
		return whole[Policy](ctx, c, path("wallets", wallet, "policies"))
	})
}

// Policy implements Backend.
func (c *Client) Policy(ctx context.Context, wallet, version string) (Policy, error) {
	return onPolicy(wallet, version, false, func() (Policy, error) {
		return fetch[Policy](ctx, c, path("wallets", wallet, "policies", version), nil)
	})
}

// ProposePolicy implements Backend.
func (c *Client) ProposePolicy(ctx context.Context, wallet string, r ProposePolicy) (Policy, error) {
	return onWallet(wallet, func() (Policy, error) {
		return send[Policy](ctx, c, path("wallets", wallet, "policies"), r)
	})
}

// VotePolicy implements Backend.
func (c *Client) VotePolicy(ctx context.Context, wallet, version string, r VotePolicy) (Policy, error) {
	vote := "approve"
	if r.Against {
		vote = "object"
	}
	return onPolicy(wallet, version, true, func() (Policy, error) {
		return send[Policy](ctx, c, path("wallets", wallet, "policies", version, vote), r)
	})
}

func onPolicy(wallet, version string, acts bool, do func() (Policy, error)) (Policy, error) {
	return onWallet(wallet, func() (Policy, error) {
		if err := checkVersion(version, acts); err != nil {
			return Policy{}, err
		}
		return do()
	})
}
