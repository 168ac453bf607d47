package api

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"github.com/quorate/quorate/api/access"
)

func robotRoutes(h huma.API, b RobotBackend) {
	route(h, access.Read, get("show-robot", "/v1/wallets/{wallet}/robot", "Show how this node is as a robot, and what it has used of the policy's meters"), func(ctx context.Context, in *WalletPath) (Robot, error) {
		return b.Robot(ctx, in.Wallet)
	})
	route(h, access.Vote, post("pause-robot", "/v1/wallets/{wallet}/robot/pause", "Stop this robot: it signs nothing until it is resumed"), func(ctx context.Context, in *WalletPath) (Robot, error) {
		return b.PauseRobot(ctx, in.Wallet)
	})
	route(h, access.Sign, post("resume-robot", "/v1/wallets/{wallet}/robot/resume", "Have this robot go on signing by the policy"), func(ctx context.Context, in *WalletPath) (Robot, error) {
		return b.ResumeRobot(ctx, in.Wallet)
	})
	route(h, access.Read, get("explain-proposal", "/v1/proposals/{proposal}/verdicts", "Say what each robot did about a proposal, or what it waits for"), func(ctx context.Context, in *ProposalPath) (Explanation, error) {
		return withProposal(in, false, func() (Explanation, error) { return b.Explain(ctx, in.Proposal) })
	})
}
