package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/quorate/quorate/api"
)

func (c *cli) presenceCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "presence [WALLET]",
		Short: "Show which cosigners were seen, and whether enough keys can sign",
		Long: `Show when each cosigner's node was last connected, whether it says that it holds all that this one wrote, and when its key was last
seen signing: at first by the proof with which it came into the wallet, later by its signatures on payments. Times of signatures are what
their authors claim. A key counts for 100 days after it was seen; where as few count as must sign, or one more, and one is missing, that is an
alarm (keys_unseen): have those keys sign a payment, however small.
JSON: {"wallet","wallet_name","threshold","margin","seen_for_days","members":[{"cosigner":PERSON,"own","host":PERSON|null,"connected",
"last_seen","holds_own","last_signed","key_proven","counts"}]}.`,
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
	rows := [][]string{{"COSIGNER", "NODE", "HOLDS ALL", "KEY SEEN", "COUNTS"}}
	for _, m := range p.Members {
		row := []string{m.Cosigner.Called(), "never", "no", "never", "no"}
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
		if at := later(m.LastSigned, m.KeyProven); at != nil {
			row[3] = when(*at)
		}
		if m.Counts {
			count++
			row[4] = "yes"
		}
		rows = append(rows, row)
	}
	table(w, rows, shrink{0, 8}, shrink{1, 8}, shrink{3, 0})
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
}

func later(a, b *time.Time) *time.Time {
	if a == nil || b != nil && b.After(*a) {
		return b
	}
	return a
}
