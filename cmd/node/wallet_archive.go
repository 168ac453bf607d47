package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/quorate/quorate/api"
)

func (c *cli) walletArchiveCommand() *cobra.Command {
	var r api.ArchiveWallet
	var yes bool
	cmd := &cobra.Command{
		Use:   "archive WALLET",
		Short: "Put a wallet aside on this node, or take it up again",
		Long: `Put a wallet aside on this node alone; its other cosigners notice nothing but that this one signs no more. The node goes
on to follow the chain, to raise alarms, and to keep and pass on what the others write. It hands out no addresses,
proposes nothing and signs nothing in it, until --undo. A wallet that holds coins is refused (wallet_not_empty).
Meanwhile another group may be founded around its keys; --undo is refused (wallet_exists) until that one is archived or abandoned.
JSON: {"wallet","name","state"}.`,
		Args: cobra.ExactArgs(1),
		RunE: ask(c, func(ctx context.Context, node *api.Client, args []string) (api.WalletSummary, error) {
			// To take it up again undoes it.
			question := fmt.Sprintf("Put wallet %s aside on this node? It signs nothing in it until --undo.", clean(args[0]))
			if err := c.agreed(ctx, yes || r.Undo, question); err != nil {
				return api.WalletSummary{}, err
			}
			return node.ArchiveWallet(ctx, args[0], r)
		}, showSummary),
	}
	cmd.Flags().BoolVar(&r.Undo, "undo", false, "take it up again")
	yesFlag(cmd, &yes)
	allowFlag(cmd, &r.Allow)
	return cmd
}
