package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/quorate/quorate/api"
)

func (c *cli) rejectCommand() *cobra.Command {
	var r api.Reject
	var yes bool
	cmd := &cobra.Command{
		Use:   "reject PROPOSAL --reason TEXT",
		Short: "Vote against a proposal",
		Long: `Vote against a proposal. A signature already released stays in force.
Takes at least 32 characters of the id. JSON: as of ` + "`proposal show`.",
		Args: cobra.ExactArgs(1),
		RunE: ask(c, func(ctx context.Context, node *api.Client, args []string) (api.Proposal, error) {
			if err := c.agreedOn(ctx, node, args[0], yes, "Reject this payment?"); err != nil {
				return api.Proposal{}, err
			}
			return node.Reject(ctx, args[0], r)
		}, showEnded),
	}
	cmd.Flags().StringVar(&r.Reason, "reason", "", "`text` that tells the others why")
	require(cmd, "reason")
	yesFlag(cmd, &yes)
	return cmd
}

// showEnded shows a proposal that somebody wants ended, and what that does not do.
func showEnded(w io.Writer, p api.Proposal) {
	showProposal(w, p)
	if len(p.Approvals) > 0 {
		fmt.Fprintln(w, "\nSignatures already released cannot be called back: they stay in force until one of the coins is spent otherwise.")
	}
}
