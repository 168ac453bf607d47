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

func (c *cli) historyCommand() *cobra.Command {
	var q api.HistoryQuery
	cmd := &cobra.Command{
		Use:   "history [WALLET]",
		Short: "List what moved the coins, newest first",
		Long: `List the transactions that moved the coins of a wallet, unconfirmed ones first, then newest first, a page at a
time: pass the "next" of one page as --cursor for the following. amount is what the wallet has more of by it: below
zero for a spend, fee included; fee is null where not all inputs are the wallet's own; height is 0 and time null
while it is unconfirmed; label_by is null where there is no label.
JSON: {"items":[{"txid","amount","fee","height","time","proposal","label","label_by":PERSON}],"next":"…"}.`,
		Args: cobra.MaximumNArgs(1),
		RunE: ask(c, func(ctx context.Context, node *api.Client, args []string) (api.Page[api.HistoryItem], error) {
			if q.Limit < 0 || q.Limit > api.MaxPage {
				return api.Page[api.HistoryItem]{}, api.Misuse("bad_limit", fmt.Sprintf("a page holds 1 to %d transactions", api.MaxPage), "try --limit 50")
			}
			wallet, err := which(ctx, node, args)
			if err != nil {
				return api.Page[api.HistoryItem]{}, err
			}
			return node.History(ctx, wallet, q)
		}, showHistory),
	}
	cmd.Flags().IntVar(&q.Limit, "limit", api.DefaultPage, "how many at most")
	cmd.Flags().StringVar(&q.Cursor, "cursor", "", "the `next` of the page before")
	return cmd
}

func showHistory(w io.Writer, p api.Page[api.HistoryItem]) {
	var amounts []int64
	for _, x := range p.Items {
		amounts = append(amounts, x.Amount)
	}
	unit := display.UnitOf(amounts...)
	rows := [][]string{{"TXID", "AMOUNT", "FEE", "HEIGHT", "TIME", "PROPOSAL", "BY", "LABEL"}}
	for _, x := range p.Items {
		fee, height, at := "", "unconfirmed", ""
		if x.Fee != nil {
			fee = formatAmount(*x.Fee)
		}
		if x.Height != nil {
			height = strconv.Itoa(int(*x.Height))
		}
		if x.Time != nil {
			at = x.Time.UTC().Format("2006-01-02 15:04")
		}
		by := ""
		if x.LabelBy != nil {
			by = x.LabelBy.Called()
		}
		rows = append(rows, []string{x.TxID, unit.Of(x.Amount), fee, height, at, short(x.Proposal), by, string(x.Label)})
	}
	table(w, rows, shrink{0, 14}, shrink{7, 10}, shrink{5, 0}, shrink{6, 0}, shrink{4, 16}, shrink{2, 0}, shrink{7, 0}, shrink{3, 0})
	if p.Next != "" {
		fmt.Fprintf(w, "more: --cursor %s\n", clean(p.Next))
	}
}
