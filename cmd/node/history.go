package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/display"
)

func (c *cli) historyCommand() *cobra.Command {
	var q api.HistoryQuery
	var asCSV bool
	var since, until string
	cmd := &cobra.Command{
		Use:   "history [WALLET]",
		Short: "List what moved the coins, newest first",
		Long: `List the transactions that moved the coins of a wallet, unconfirmed ones first, then newest first, a page at a
time: pass the "next" of one page as --cursor for the following. amount is what the wallet has more of by it: below
zero for a spend, fee included; fee is null where not all inputs are the wallet's own, and payees is empty then: they are whom
it pays besides the wallet. height and time are null while it is unconfirmed; label_by is null where there is no label.
--since and --until take a day or a time (2026-01-31, 2026-01-31T12:00:00Z); days are of UTC, and --until takes its day in. It is the
time that the miner of the block claims. What is unconfirmed is left out with --until.

--csv writes what is in blocks for an accountant, oldest first, as RFC 4180: date (of the block, UTC), payee, label, amount, fee,
balance, txid, proposal, approvers; a payment to several has a row for each, its fee in the first. Amounts are in bitcoin, below zero
for what leaves, without the fee: each balance is the one before plus amount less fee, and counts what is before --since, too. Text that
a spreadsheet would take for a formula gets an apostrophe in front.

JSON: {"items":[{"txid","amount","fee","height","time","proposal","payees":[{"address","amount","label"}],"label","label_by":PERSON}],"next":"…"};
with --csv {"row_count","format":"csv","content"}.`,
		Args: cobra.MaximumNArgs(1),
		RunE: ask(c, func(ctx context.Context, node *api.Client, args []string) (api.Page[api.HistoryItem], error) {
			if q.Limit < 0 || q.Limit > api.MaxPage {
				return api.Page[api.HistoryItem]{}, api.Misuse("bad_limit", fmt.Sprintf("a page holds 1 to %d transactions", api.MaxPage), "try --limit 50")
			}
			var err error
			if q.Since, q.Until, err = parseDays(since, until); err != nil {
				return api.Page[api.HistoryItem]{}, err
			}
			wallet, err := which(ctx, node, args)
			if err != nil {
				return api.Page[api.HistoryItem]{}, err
			}
			return node.History(ctx, wallet, q)
		}, showHistory),
	}
	list := cmd.RunE
	file := ask(c, func(ctx context.Context, node *api.Client, args []string) (bookedHistory, error) {
		from, to, err := parseDays(since, until)
		if err != nil {
			return bookedHistory{}, err
		}
		wallet, err := which(ctx, node, args)
		if err != nil {
			return bookedHistory{}, err
		}
		return historyFile(ctx, node, wallet, from, to)
	}, func(w io.Writer, b bookedHistory) {
		// What others named was cleaned cell by cell.
		fmt.Fprint(w, b.Content)
	})
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if asCSV {
			return file(cmd, args)
		}
		return list(cmd, args)
	}
	cmd.Flags().BoolVar(&asCSV, "csv", false, "all that is in blocks, for an accountant")
	cmd.Flags().StringVar(&since, "since", "", "only from this `day` or time on")
	cmd.Flags().StringVar(&until, "until", "", "only up to the end of this `day`, or to before this time")
	cmd.Flags().IntVar(&q.Limit, "limit", api.DefaultPage, "how many at most")
	cmd.Flags().StringVar(&q.Cursor, "cursor", "", "the `next` of the page before")
	cmd.MarkFlagsMutuallyExclusive("csv", "limit")
	cmd.MarkFlagsMutuallyExclusive("csv", "cursor")
	return cmd
}

func showHistory(w io.Writer, p api.Page[api.HistoryItem]) {
	var amounts []int64
	for _, x := range p.Items {
		amounts = append(amounts, x.Amount)
	}
	unit := display.UnitOf(amounts...)
	rows := [][]string{{"TXID", "AMOUNT", "FEE", "HEIGHT", "TIME", "PROPOSAL", "BY", "PAYEE", "LABEL"}}
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
		rows = append(rows, []string{x.TxID, unit.Of(x.Amount), fee, height, at, short(x.Proposal), by, payeesText(x.Payees), string(x.Label)})
	}
	table(w, rows, shrink{0, 14}, shrink{8, 10}, shrink{7, 12}, shrink{5, 0}, shrink{6, 0}, shrink{4, 16}, shrink{2, 0}, shrink{8, 0}, shrink{3, 0})
	if p.Next != "" {
		fmt.Fprintf(w, "more: --cursor %s\n", clean(p.Next))
	}
}

// payeesText says whom a transaction pays: by the label where there is one.
func payeesText(all []api.Payee) string {
	var out []string
	for _, p := range all {
		if p.Label != "" {
			out = append(out, string(p.Label))
			continue
		}
		out = append(out, p.Address)
	}
	return strings.Join(out, ", ")
}
