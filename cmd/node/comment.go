package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/quorate/quorate/api"
)

func (c *cli) commentCommand() *cobra.Command {
	var r api.Comment
	cmd := &cobra.Command{
		Use:   "comment PROPOSAL TEXT",
		Short: "Say something about a proposal to all cosigners",
		Long: `Say something about a proposal to all cosigners, in up to 1,000 characters. It decides nothing, stays in the signed history,
and ` + "`proposal show`" + ` shows the first 64 of each cosigner. To vote against a proposal, use ` + "`reject`" + `.
Takes at least 32 characters of the id. JSON: as of ` + "`proposal show`.",
		Args: cobra.ExactArgs(2),
		RunE: ask(c, func(ctx context.Context, node *api.Client, args []string) (api.Proposal, error) {
			r.Text = args[1]
			return node.Comment(ctx, args[0], r)
		}, showProposal),
	}
	allowFlag(cmd, &r.Allow)
	return cmd
}
