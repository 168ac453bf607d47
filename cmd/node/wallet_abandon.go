package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/quorate/quorate/api"
)

func (c *cli) walletAbandonCommand() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:   "abandon WALLET",
		Short: "Give up a wallet that is not active yet",
		Long: `Give up a wallet that is not active yet, for all its cosigners.
JSON: {"wallet","name","state"}.`,
		Args: cobra.ExactArgs(1),
		RunE: ask(c, func(ctx context.Context, node *api.Client, args []string) (api.WalletSummary, error) {
			if err := c.agreed(ctx, yes, fmt.Sprintf("Give up wallet %s, for all its cosigners and for good?", clean(args[0]))); err != nil {
				return api.WalletSummary{}, err
			}
			return node.AbandonWallet(ctx, args[0])
		}, showSummary),
	}
	yesFlag(cmd, &yes)
	return cmd
}
