package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/quorate/quorate/api"
)

func (c *cli) walletAbandonCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "abandon WALLET",
		Short: "Give up a wallet that is not active yet",
		Long: `Give up a wallet that is not active yet, for all its cosigners.
JSON: {"wallet","name","state"}.`,
		Args: cobra.ExactArgs(1),
		RunE: ask(c, func(ctx context.Context, node *api.Client, args []string) (api.WalletSummary, error) {
			return node.AbandonWallet(ctx, args[0])
		}, showSummary),
	}
}
