package main

import (
	"context"
	"io"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/quorate/quorate/api"
)

func (c *cli) coinsCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "coins WALLET",
		Short: "List unspent coins",
		Long: `List unspent coins.
JSON: {"items":[{"outpoint","amount","address","confirmations","leased_by","label"}],"next":null}.`,
		Args: cobra.ExactArgs(1),
		RunE: ask(c, func(ctx context.Context, node *api.Client, args []string) (api.Page[api.Coin], error) {
			items, err := node.Coins(ctx, args[0])
			if err == nil {
				c.sayBlind(ctx, node)
			}
			return api.Page[api.Coin]{Items: items}, err
		}, showCoins),
	}
}

func showCoins(w io.Writer, p api.Page[api.Coin]) {
	rows := [][]string{{"OUTPOINT", "AMOUNT", "CONF", "LEASED BY", "ADDRESS", "LABEL"}}
	for _, x := range p.Items {
		rows = append(rows, []string{
			x.OutPoint, formatAmount(x.Amount), strconv.Itoa(int(x.Confirmations)), short(maybe(x.LeasedBy)), x.Address, string(x.Label),
		})
	}
	table(w, rows)
}
