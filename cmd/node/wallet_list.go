package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/quorate/quorate/api"
)

func (c *cli) walletListCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List wallets",
		Long: `List wallets.
JSON: {"items":[…],"next":null}, each item as of ` + "`wallet show`" + ` without what it says of the cosigners.`,
		Args: cobra.NoArgs,
		RunE: ask(c, func(ctx context.Context, node *api.Client, _ []string) (api.Page[api.WalletItem], error) {
			items, err := node.Wallets(ctx)
			return api.Page[api.WalletItem]{Items: items}, err
		}, showWallets),
	}
}

// keysText says how many of a wallet's keys must sign, as far as that is known.
func keysText(w api.WalletSummary) string {
	if w.Threshold == nil {
		return ""
	}
	return fmt.Sprintf("%d of %d", *w.Threshold, w.CosignerCount)
}

func showWallets(w io.Writer, p api.Page[api.WalletItem]) {
	rows := [][]string{{"WALLET", "NAME", "STATE", "KEYS", "CONFIRMED", "SPENDABLE"}}
	for _, x := range p.Items {
		rows = append(rows, []string{
			short(x.Wallet), x.Name, x.State, keysText(x.WalletSummary),
			formatAmount(x.Balance.Confirmed), formatAmount(x.Balance.Spendable),
		})
	}
	table(w, rows, shrink{1, 12}, shrink{4, 0})
}
