package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/quorate/quorate/api"
)

func (c *cli) proposalsCommand() *cobra.Command {
	var q api.ProposalQuery
	cmd := &cobra.Command{
		Use:   "proposals [WALLET]",
		Short: "List proposals, newest first",
		Long: `List proposals, newest first, a page at a time: pass the "next" of one page as --cursor for the following.
JSON: {"items":[…],"next":"…"}, each item as of ` + "`proposal show`.",
		Args: cobra.MaximumNArgs(1),
		RunE: ask(c, func(ctx context.Context, node *api.Client, args []string) (api.Page[api.Proposal], error) {
			if q.Limit < 0 || q.Limit > api.MaxPage {
				return api.Page[api.Proposal]{}, api.Misuse("bad_limit", fmt.Sprintf("a page holds 1 to %d proposals", api.MaxPage), "try --limit 50")
			}
			wallet, err := which(ctx, node, args)
			if err != nil {
				return api.Page[api.Proposal]{}, err
			}
			return node.Proposals(ctx, wallet, q)
		}, showProposals),
	}
	cmd.Flags().StringVar(&q.Status, "status", "", "only those with this `status`")
	cmd.Flags().IntVar(&q.Limit, "limit", api.DefaultPage, "how many at most")
	cmd.Flags().StringVar(&q.Cursor, "cursor", "", "the `next` of the page before")
	return cmd
}

func showProposals(w io.Writer, p api.Page[api.Proposal]) {
	rows := [][]string{{"PROPOSAL", "STATUS", "SIGNED", "PAYS", "BY", "CREATED", "NOTE (UNVERIFIED)"}}
	for _, x := range p.Items {
		pays := int64(0)
		for _, o := range x.Outputs {
			if !o.Change {
				pays += o.Amount
			}
		}
		// Whole, or as much as it takes to act on it.
		id := idFor(w, x.Proposal)
		rows = append(rows, []string{
			id, x.Status, fmt.Sprintf("%d of %d", x.Signed, x.Threshold), formatAmount(pays), x.Author.Called(), away(x.Created, time.Now()), string(x.Note),
		})
	}
	table(w, rows, shrink{6, 10}, shrink{6, 0}, shrink{5, 0}, shrink{4, 0})
	if p.Next != "" {
		fmt.Fprintf(w, "more: --cursor %s\n", clean(p.Next))
	}
}
