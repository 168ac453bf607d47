package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/quorate/quorate/api"
)

func (c *cli) withdrawCommand() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:   "withdraw PROPOSAL",
		Short: "Take back one's own proposal",
		Long: `Take back one's own proposal, so that nobody approves it any more. Signatures already released stay in force.
Takes at least 32 characters of the id. JSON: as of ` + "`proposal show`.",
		Args: cobra.ExactArgs(1),
		RunE: ask(c, func(ctx context.Context, node *api.Client, args []string) (api.Proposal, error) {
			if err := c.agreedOn(ctx, node, args[0], yes, "Withdraw this payment? Nobody can approve it any more; what is signed stays in force."); err != nil {
				return api.Proposal{}, err
			}
			return node.Withdraw(ctx, args[0])
		}, showEnded),
	}
	yesFlag(cmd, &yes)
	return cmd
}
