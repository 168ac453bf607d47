package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/quorate/quorate/api"
)

func (c *cli) presenceCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "presence [WALLET]",
		Short: "Show which cosigners were seen, and whether enough keys can sign",
		Long: `Show when each cosigner's node was last connected, whether it says that it holds all that this one wrote, and when its key was last
seen signing: at first by the proof with which it came into the wallet, later by its signatures on payments and its answers to ` + "`ping`" + `.
Times are what their authors claim; of an answer it is when the ping was asked. A key counts for 100 days after it was seen, and after 90 this
command and ` + "`pending`" + ` say that it is time to ping. Where as few count as must sign, or one more, and one is missing, that is an alarm
(keys_unseen): run ` + "`quorate ping`" + `, or have those keys sign a payment, however small.
JSON: {"wallet","wallet_name","threshold","margin","seen_for_days","members":[{"cosigner":PERSON,"own","host":PERSON|null,"connected",
"last_seen","holds_own","last_signed","last_ping","ping_asked_by":PERSON|null,"key_proven","counts","ping_due"}]}.`,
		Args: cobra.MaximumNArgs(1),
		RunE: ask(c, func(ctx context.Context, node *api.Client, args []string) (api.Presence, error) {
			wallet, err := which(ctx, node, args)
			if err != nil {
				return api.Presence{}, err
			}
			return node.Presence(ctx, wallet)
		}, showPresence),
	}
}

func showPresence(w io.Writer, p api.Presence) {
	count := 0
	var due []string
	rows := [][]string{{"COSIGNER", "NODE", "HOLDS ALL", "KEY SEEN", "PINGED", "COUNTS"}}
	for _, m := range p.Members {
		row := []string{m.Cosigner.Called(), "never", "no", "never", "never", "no"}
		switch {
		case m.Own:
			row[1], row[2] = "this one", ""
		case m.Host != nil:
			row[1], row[2] = "none (by "+m.Host.Called()+")", ""
		case m.Connected:
			row[1] = "connected"
		case m.LastSeen != nil:
			row[1] = when(*m.LastSeen)
		}
		if m.Holds != nil && *m.Holds {
			row[2] = "yes"
		}
		if at := later(later(m.LastSigned, m.LastPing), m.KeyProven); at != nil {
			row[3] = when(*at)
		}
		if m.LastPing != nil {
			row[4] = when(*m.LastPing)
		}
		if m.Counts {
			count++
			row[5] = "yes"
		}
		if m.Due {
			due = append(due, clean(m.Cosigner.Called()))
		}
		rows = append(rows, row)
	}
	table(w, rows, shrink{0, 8}, shrink{1, 8}, shrink{3, 0}, shrink{4, 0})
	fmt.Fprintln(w)
	fmt.Fprintf(w, "%d of %d keys were seen signing in the last %d days, and %d must sign", count, len(p.Members), p.SeenFor, p.Threshold)
	switch {
	case p.Margin < 0:
		fmt.Fprintln(w, ": nothing shows that the wallet can still spend")
	case p.Margin == 0:
		fmt.Fprintln(w, ": all of them are needed")
	default:
		fmt.Fprintf(w, ": %d could be lost\n", p.Margin)
	}
	if len(due) > 0 {
		fmt.Fprintf(w, "Not seen for 90 days: %s. Ask every key for a signature: quorate ping %s\n", strings.Join(due, ", "), short(p.Wallet))
	}
}

func later(a, b *time.Time) *time.Time {
	if a == nil || b != nil && b.After(*a) {
		return b
	}
	return a
}
