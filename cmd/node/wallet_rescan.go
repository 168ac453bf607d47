package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/quorate/quorate/api"
)

func (c *cli) walletRescanCommand() *cobra.Command {
	var r api.RescanWallet
	cmd := &cobra.Command{
		Use:   "rescan [WALLET] --from HEIGHT",
		Short: "Look at the chain again, from a block on",
		Long: `Look at the chain again for a wallet, from a block on, and remember that it begins there: where ` + "`status`" + ` says that the
wallet is looked for above the chain, or where old coins do not show. A height before the first payment is right; 0 is
always, and takes longest. Until the scan is done nothing counts as confirmed, and this node signs nothing in the wallet.
It concerns this node alone. JSON: {"wallet","name","state"}.`,
		Args: cobra.MaximumNArgs(1),
		RunE: ask(c, func(ctx context.Context, node *api.Client, args []string) (api.WalletSummary, error) {
			wallet, err := which(ctx, node, args)
			if err != nil {
				return api.WalletSummary{}, err
			}
			return node.RescanWallet(ctx, wallet, r)
		}, showSummary),
	}
	cmd.Flags().Int32Var(&r.From, "from", 0, "`height` of the first block to look at")
	require(cmd, "from")
	return cmd
}
