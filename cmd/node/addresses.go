package main

import (
	"context"
	"fmt"
	"io"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/display"
)

func (c *cli) addressesCommand() *cobra.Command {
	var q api.AddressQuery
	cmd := &cobra.Command{
		Use:   "addresses [WALLET]",
		Short: "List receiving addresses: used, unused, and what they are called",
		Long: `List the receiving addresses that were handed out or paid, newest first, a page at a time: pass the "next" of one page
as --cursor for the following. An address is used once a transaction that this node knows pays it.
JSON: {"items":[{"address","index","used","payment_count","received","unspent","handed_out_by":PERSON,"label"}],"next":"…"};
handed_out_by is null where no cosigner's node did.`,
		Example: `quorate addresses treasury
quorate addresses treasury --unused`,
		Args: cobra.MaximumNArgs(1),
		RunE: ask(c, func(ctx context.Context, node *api.Client, args []string) (api.Page[api.AddressItem], error) {
			if q.Limit < 0 || q.Limit > api.MaxPage {
				return api.Page[api.AddressItem]{}, api.Misuse("bad_limit", fmt.Sprintf("a page holds 1 to %d addresses", api.MaxPage), "try --limit 50")
			}
			wallet, err := which(ctx, node, args)
			if err != nil {
				return api.Page[api.AddressItem]{}, err
			}
			return node.Addresses(ctx, wallet, q)
		}, showAddresses),
	}
	cmd.Flags().BoolVar(&q.Unused, "unused", false, "only those that nothing was paid to")
	cmd.Flags().IntVar(&q.Limit, "limit", api.DefaultPage, "how many at most")
	cmd.Flags().StringVar(&q.Cursor, "cursor", "", "the `next` of the page before")
	return cmd
}

func showAddresses(w io.Writer, p api.Page[api.AddressItem]) {
	var amounts []int64
	for _, x := range p.Items {
		amounts = append(amounts, x.Received, x.Unspent)
	}
	unit := display.UnitOf(amounts...)
	rows := [][]string{{"INDEX", "STATE", "RECEIVED", "UNSPENT", "ADDRESS", "BY", "LABEL"}}
	for _, x := range p.Items {
		row := []string{strconv.Itoa(int(x.Index)), "unused", "", "", x.Address, "", string(x.Label)}
		if x.Used {
			row[1], row[2], row[3] = "used", unit.Of(x.Received), unit.Of(x.Unspent)
		}
		if x.HandedOutBy != nil {
			row[5] = x.HandedOutBy.Called()
		}
		rows = append(rows, row)
	}
	table(w, rows, shrink{6, 8}, shrink{5, 6}, shrink{4, 24}, shrink{3, 0}, shrink{5, 0}, shrink{6, 0}, shrink{4, 16})
	if p.Next != "" {
		fmt.Fprintf(w, "more: --cursor %s\n", clean(string(p.Next)))
	}
}
