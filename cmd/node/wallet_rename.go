package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/quorate/quorate/api"
)

func (c *cli) walletRenameCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "rename [WALLET] NAME",
		Short: "Give a wallet another name on this node",
		Long: `Give a wallet another name on this node. Its other cosigners notice nothing: each node calls a wallet what it wants, and
takes the founder's name only where it has none that looks like it. Refused are a name that looks like that of another
wallet of this node (name_taken), and one that looks like an id (bad_name).
JSON: {"wallet","name","state"}, and "founder_name" where the founder calls it otherwise.`,
		Args: cobra.RangeArgs(1, 2),
		RunE: ask(c, func(ctx context.Context, node *api.Client, args []string) (api.WalletSummary, error) {
			wallet, rest, err := whichAnd(ctx, node, args, 1)
			if err != nil {
				return api.WalletSummary{}, err
			}
			return node.RenameWallet(ctx, wallet, api.RenameWallet{Name: rest[0]})
		}, showSummary),
	}
}
