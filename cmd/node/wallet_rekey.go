package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/quorate/quorate/api"
)

func (c *cli) walletRekeyCommand() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:   "rekey [WALLET]",
		Short: "Begin a new epoch of a wallet's encryption now",
		Long: `Begin a new epoch of a wallet's encryption now: what its cosigners write from then on is sealed under a new secret, which
goes to those who are cosigners now. Nodes do so by themselves each 30 days and when a new device takes a lost one's place.
Do it when a secret may have got into wrong hands, as by a copied disk of a node. What was written before stays readable to whoever
has the old one. No key and no address changes. JSON: {"wallet","name","state"}.`,
		Args: cobra.MaximumNArgs(1),
		RunE: ask(c, func(ctx context.Context, node *api.Client, args []string) (api.WalletSummary, error) {
			wallet, err := which(ctx, node, args)
			if err != nil {
				return api.WalletSummary{}, err
			}
			w, err := node.Wallet(ctx, wallet)
			if err != nil {
				return api.WalletSummary{}, err
			}
			if err := c.agreed(ctx, yes, fmt.Sprintf("Begin a new epoch of wallet %s now?", clean(called(w.WalletSummary)))); err != nil {
				return api.WalletSummary{}, err
			}
			return node.RekeyWallet(ctx, w.Wallet)
		}, showSummary),
	}
	yesFlag(cmd, &yes)
	return cmd
}
