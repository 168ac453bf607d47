package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/quorate/quorate/api"
)

func (c *cli) walletInviteCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "invite WALLET",
		Short: "Get a fresh invite for a place that nobody took",
		Long: `Get a fresh invite for a place that nobody took.
JSON: {"wallet","name","state","invites":["quorate1…"]}.`,
		Args: cobra.ExactArgs(1),
		RunE: ask(c, func(ctx context.Context, node *api.Client, args []string) (api.WalletInvites, error) {
			return node.InviteToWallet(ctx, args[0])
		}, showInvites),
	}
}
