package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/quorate/quorate/api"
)

func (c *cli) recurringListCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "list [WALLET]",
		Short: "List payments that this node proposes by itself",
		Long: `List the payments that this node proposes by itself, made by ` + "`propose --every`" + ` and ` + "`propose --not-before`" + `: when each is due next, and
what keeps it. They are this node's alone; the other cosigners see what it proposes. A payment is due by the clock of the node and by the
median time of the chain, both. Each comes with the period that it is for, so that it is proposed once, and cosigners are warned
(possible_double_payment) of a second one. What was missed while the node was off is counted, and only the latest is proposed; while one
is pending, or signed and not done, the next one waits (period_open). A node that was restored holds its schedules, until a person has
looked at what was paid since the backup, and starts or ends them.
JSON: {"items":[{"schedule","wallet","to":[{"address","amount","pays_fee","label"}],"fee_rate","target_blocks","note","expires_in","unsigned","every",
"rhythm","created","next_due","not_before_height","until","state":"waits"|"due"|"delayed"|"held","missed_count","last_proposal","problem"}]}.`,
		Args: cobra.MaximumNArgs(1),
		RunE: ask(c, func(ctx context.Context, node *api.Client, args []string) (schedules, error) {
			wallet, err := which(ctx, node, args)
			if err != nil {
				return schedules{}, err
			}
			items, err := node.Schedules(ctx, wallet)
			return schedules{items}, err
		}, func(w io.Writer, all schedules) {
			if len(all.Items) == 0 {
				fmt.Fprintln(w, "none")
				return
			}
			rows := [][]string{{"SCHEDULE", "NEXT", "STATE", "PAYS", "DUE"}}
			for _, s := range all.Items {
				pays := scheduledAmount(s.To[0])
				if len(s.To) > 1 {
					pays = fmt.Sprintf("%d payees", len(s.To))
				}
				rows = append(rows, []string{idFor(w, s.Schedule), nextDue(s), s.State, pays, s.Rhythm})
			}
			table(w, rows, shrink{4, 8}, shrink{1, 16})
			for _, s := range all.Items {
				if s.Problem != "" {
					fmt.Fprintf(w, "\n%s: %s\n", idFor(w, s.Schedule), s.Problem)
				}
			}
		}),
	}
}

// schedules is the answer of `recurring list`.
type schedules struct {
	Items api.List[api.Schedule] `json:"items"`
}

func (c *cli) recurringEndCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "end [WALLET] SCHEDULE",
		Short: "End a payment that this node proposes by itself",
		Long: `End a payment that this node proposes by itself. What it proposed stays, and is seen to like any other.
JSON: as of ` + "`recurring list`" + `, one of its items.`,
		Args: cobra.RangeArgs(1, 2),
		RunE: onSchedule(c, (*api.Client).EndSchedule, func(w io.Writer, s api.Schedule) {
			fmt.Fprintf(w, "ended: nothing more is proposed by it (%s)\n", s.Rhythm)
		}),
	}
}

func (c *cli) recurringStartCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "start [WALLET] SCHEDULE",
		Short: "Take up a payment that this node holds since it was restored",
		Long: `Take up a payment that this node proposes by itself, and holds since it was restored. Look first at what was paid since the backup: what
this node proposed and another cosigner holds is known again, and is not proposed twice. Refused (restored_unsynced) until all others
were heard.
JSON: as of ` + "`recurring list`" + `, one of its items.`,
		Args: cobra.RangeArgs(1, 2),
		RunE: onSchedule(c, (*api.Client).StartSchedule, showSchedule),
	}
}

func onSchedule(c *cli, do func(*api.Client, context.Context, string, string) (api.Schedule, error), show func(io.Writer, api.Schedule)) func(*cobra.Command, []string) error {
	return ask(c, func(ctx context.Context, node *api.Client, args []string) (api.Schedule, error) {
		wallet, rest, err := whichAnd(ctx, node, args, 1)
		if err != nil {
			return api.Schedule{}, err
		}
		id := strings.ToLower(rest[0])
		if len(id) < 6 || len(id) > 32 || strings.Trim(id, "0123456789abcdef") != "" {
			return api.Schedule{}, api.Misuse("bad_schedule", fmt.Sprintf("%.40q names no schedule", rest[0]), "`quorate recurring list` lists them")
		}
		return do(node, ctx, wallet, id)
	}, show)
}
