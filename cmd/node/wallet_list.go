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
JSON: {"items":[…],"next":""}, each item as of ` + "`wallet show`.",
		Args: cobra.NoArgs,
		RunE: ask(c, func(ctx context.Context, node *api.Client, _ []string) (api.Page[api.Wallet], error) {
			items, err := node.Wallets(ctx)
			return api.Page[api.Wallet]{Items: items}, err
		}, showWallets),
	}
}

func showWallets(w io.Writer, p api.Page[api.Wallet]) {
	rows := [][]string{{"WALLET", "NAME", "STATE", "KEYS", "CONFIRMED", "SPENDABLE"}}
	for _, x := range p.Items {
		rows = append(rows, []string{
			short(x.Wallet), x.Name, x.State, fmt.Sprintf("%d of %d", x.Threshold, len(x.Cosigners)),
			formatAmount(x.Balance.Confirmed), formatAmount(x.Balance.Spendable),
		})
	}
	table(w, rows)
}
