package main

import (
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"github.com/quorate/quorate/api"
)

func (c *cli) walletListCommand() *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List wallets",
		Long: `List wallets. For people those that were given up (abandoned) are left out, but with --all; their names are free again.
With --json every wallet is listed, with its state.
JSON: {"items":[…],"next":null}, each item as of ` + "`wallet show`" + ` without what it says of the cosigners.`,
		Args: cobra.NoArgs,
		RunE: ask(c, func(ctx context.Context, node *api.Client, _ []string) (api.Page[api.WalletItem], error) {
			items, err := node.Wallets(ctx)
			if err == nil && !all && !c.json {
				before := len(items)
				items = slices.DeleteFunc(items, func(w api.WalletItem) bool { return w.State == "abandoned" })
				if n := before - len(items); n > 0 {
					c.note("(not listed: %d abandoned; --all lists them)", n)
				}
			}
			return api.Page[api.WalletItem]{Items: items}, err
		}, showWallets),
	}
	cmd.Flags().BoolVar(&all, "all", false, "list those that were abandoned, too")
	return cmd
}

// places is how many cosigners a wallet is for, as far as that is known.
func places(w api.WalletSummary) int {
	if w.PlaceCount == nil {
		return w.CosignerCount
	}
	return *w.PlaceCount
}

// keysText says how many of a wallet's keys must sign, as far as that is known.
func keysText(w api.WalletSummary) string {
	if w.Threshold == nil {
		return ""
	}
	return fmt.Sprintf("%d of %d", *w.Threshold, places(w))
}

func showWallets(w io.Writer, p api.Page[api.WalletItem]) {
	rows := [][]string{{"WALLET", "NAME", "STATE", "KEYS", "CONFIRMED", "SPENDABLE"}}
	for _, x := range p.Items {
		rows = append(rows, []string{
			short(x.Wallet), x.Name, stateText(x), keysText(x.WalletSummary),
			formatAmount(x.Balance.Confirmed), formatAmount(x.Balance.Spendable),
		})
	}
	table(w, rows, shrink{1, 12}, shrink{4, 0})
}

// stateText is the state of a wallet, with how many have joined one that forms.
func stateText(x api.WalletItem) string {
	if n := joinedText(x.WalletSummary); n != "" && x.State == "forming" {
		return x.State + ", " + n + " joined"
	}
	return x.State
}
