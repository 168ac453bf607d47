package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/quorate/quorate/api"
)

func (c *cli) approveCommand() *cobra.Command {
	var r api.Approve
	cmd := &cobra.Command{
		Use:   "approve PROPOSAL",
		Short: "Sign a proposal",
		Long: `Sign a proposal, after this node has checked all of it. A released signature cannot be called back.
Takes at least 32 characters of the id. JSON: as of ` + "`proposal show`.",
		Args: cobra.ExactArgs(1),
		RunE: ask(c, func(ctx context.Context, node *api.Client, args []string) (api.Proposal, error) {
			return node.Approve(ctx, args[0], r)
		}, showProposal),
	}
	allowFlag(cmd, &r.Allow)
	return cmd
}
