package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/display"
)

func (c *cli) coinsCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "coins [WALLET]",
		Short: "List unspent coins",
		Long: `List unspent coins.
JSON: {"items":[{"outpoint","amount","address","confirmations","leased_by","label",
"freeze":{"by":PERSON,"note","time"}}],"next":null}; freeze is null for most, and FROZEN BY is there where a coin is.`,
		Args: cobra.MaximumNArgs(1),
		RunE: ask(c, func(ctx context.Context, node *api.Client, args []string) (api.Page[api.Coin], error) {
			wallet, err := which(ctx, node, args)
			if err != nil {
				return api.Page[api.Coin]{}, err
			}
			items, err := node.Coins(ctx, wallet)
			if err == nil {
				c.sayBlind(ctx, node)
			}
			return api.Page[api.Coin]{Items: items}, err
		}, showCoins),
	}
}

func showCoins(w io.Writer, p api.Page[api.Coin]) {
	// The largest first; a total below.
	items := slices.Clone(p.Items)
	slices.SortStableFunc(items, func(a, b api.Coin) int { return cmp.Compare(b.Amount, a.Amount) })
	var total int64
	for _, x := range items {
		total += x.Amount
	}
	unit := display.UnitOf(total)
	rows := [][]string{{"OUTPOINT", "AMOUNT", "CONF", "LEASED BY", "ADDRESS", "LABEL"}}
	anyFrozen := slices.ContainsFunc(items, func(x api.Coin) bool { return x.Frozen != nil })
	if anyFrozen {
		rows[0] = append(rows[0], "FROZEN BY")
	}
	for _, x := range items {
		row := []string{
			x.OutPoint, unit.Of(x.Amount), strconv.Itoa(int(x.Confirmations)), short(maybe(x.LeasedBy)), x.Address, string(x.Label),
		}
		if anyFrozen {
			row = append(row, strings.TrimPrefix(frozenText(x.Frozen), "frozen by "))
		}
		rows = append(rows, row)
	}
	table(w, rows, shrink{4, 16}, shrink{0, 24}, shrink{5, 10}, shrink{4, 0}, shrink{5, 0}, shrink{3, 0})
	if len(items) > 1 {
		fmt.Fprintf(w, "%s, %s\n", coinsText(len(items)), unit.Of(total))
	}
}
