package api

import "context"

// Robot implements Backend.
func (c *Client) Robot(ctx context.Context, wallet string) (Robot, error) {
	return onWallet(wallet, func() (Robot, error) {
		return fetch[Robot](ctx, c, path("wallets", wallet, "robot"), nil)
	})
}

// PauseRobot implements Backend.
func (c *Client) PauseRobot(ctx context.Context, wallet string) (Robot, error) {
	return onWallet(wallet, func() (Robot, error) {
		return send[Robot](ctx, c, path("wallets", wallet, "robot", "pause"), nil)
	})
}

// ResumeRobot implements Backend.
func (c *Client) ResumeRobot(ctx context.Context, wallet string) (Robot, error) {
	return onWallet(wallet, func() (Robot, error) {
		return send[Robot](ctx, c, path("wallets", wallet, "robot", "resume"), nil)
	})
}

// Explain implements Backend.
func (c *Client) Explain(ctx context.Context, proposal string) (Explanation, error) {
	return onProposal(proposal, false, func() (Explanation, error) {
		return fetch[Explanation](ctx, c, path("proposals", proposal, "verdicts"), nil)
	})
}
