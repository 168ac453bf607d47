package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/display"
)

func (c *cli) logCommand() *cobra.Command {
	var q api.LogQuery
	var since, until string
	cmd := &cobra.Command{
		Use:   "log [WALLET]",
		Short: "List who did what and when, newest first",
		Long: `List what the cosigners of a wallet did, each line one signed entry of the journal, newest first, a page at a time: pass
the "next" of one page as --cursor for the following. Nobody can write in another's name, change what he wrote, or take
it back. The time is what its author claims; of one author the order is that in which he wrote. An entry that does not
count as it reads is marked: "tainted" past a fork, a restore or the end of its author's identity, "inert" where it
breaks a rule, "unread" where this node cannot open it.

--since and --until take a day or a time (2026-01-31, 2026-01-31T12:00:00Z); days are of UTC, and --until takes its day in.
What an author wrote before 200 entries in a row from before --since is not looked for.

Kinds: founded, admitted, entered, closed, revealed, ratified, abandoned, rekeyed, stanza_failed, restored, named,
features, address, proposed, approved, rejected, rejection_withdrawn, withdrawn, carried, commented, labelled, coin_frozen,
ping_asked, ping_answered, replaced, replacement_approved.

JSON: {"items":[{"entry","time","by":PERSON,"kind","text","proposal","tainted","inert","unread","incarnation","seq"}],"next":"…"}.`,
		Args: cobra.MaximumNArgs(1),
		RunE: ask(c, func(ctx context.Context, node *api.Client, args []string) (api.Page[api.LogEntry], error) {
			var page api.Page[api.LogEntry]
			if q.Limit < 1 || q.Limit > api.MaxPage {
				return page, api.Misuse("bad_limit", fmt.Sprintf("a page holds 1 to %d entries", api.MaxPage), "try --limit 50")
			}
			var err error
			if q.Since, q.Until, err = parseDays(since, until); err != nil {
				return page, err
			}
			wallet, err := which(ctx, node, args)
			if err != nil {
				return page, err
			}
			return wholePage(ctx, node, wallet, q)
		}, showLog),
	}
	f := cmd.Flags()
	f.StringVar(&q.By, "by", "", "only what this cosigner did: `NAME`, peer id, or fingerprint of the key")
	f.StringSliceVar(&q.Kinds, "kind", nil, "only entries of this `KIND`, as above; may be repeated")
	f.StringVar(&q.Proposal, "proposal", "", "only what is about this `PROPOSAL`")
	f.StringVar(&since, "since", "", "only from this `day` or time on")
	f.StringVar(&until, "until", "", "only up to the end of this `day`, or to before this time")
	f.IntVar(&q.Limit, "limit", api.DefaultPage, "how many at most")
	f.StringVar(&q.Cursor, "cursor", "", "the `next` of the page before")
	cmd.AddCommand(c.logExportCommand(), c.logVerifyCommand())
	return cmd
}

// wholePage asks on until there are as many entries as were asked for: a node looks
// at a bounded number for each page.
func wholePage(ctx context.Context, node *api.Client, wallet string, q api.LogQuery) (api.Page[api.LogEntry], error) {
	var out api.Page[api.LogEntry]
	for left := q.Limit; ; q.Limit = left - len(out.Items) {
		p, err := node.Log(ctx, wallet, q)
		if err != nil {
			return out, err
		}
		out.Items, out.Next = append(out.Items, p.Items...), p.Next
		if q.Cursor = string(p.Next); p.Next == "" || len(out.Items) >= left {
			return out, nil
		}
	}
}

// parseDays reads what --since and --until were given.
func parseDays(since, until string) (from, to time.Time, err error) {
	if from, err = parseDay("--since", since, false); err != nil {
		return from, to, err
	}
	to, err = parseDay("--until", until, true)
	return from, to, err
}

// parseDay reads a day of UTC or a time; of a day its begin, or where it is an end the
// begin of the next one. Nothing is the zero time.
func parseDay(what, text string, end bool) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if day, err := time.Parse(time.DateOnly, text); err == nil {
		if end {
			day = day.AddDate(0, 0, 1)
		}
		return day, nil
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, nil
	}
	return time.Time{}, api.Misuse("bad_time", fmt.Sprintf("%s %.40q is no day or time", what, text), "write 2026-01-31 or 2026-01-31T12:00:00Z")
}

func showLog(w io.Writer, p api.Page[api.LogEntry]) {
	rows := [][]string{{"TIME", "BY", "WHAT"}}
	for _, x := range p.Items {
		at := "?"
		if x.Time != nil {
			at = x.Time.UTC().Format("2006-01-02 15:04")
		}
		rows = append(rows, []string{at, x.By.Called(), markedText(x)})
	}
	table(w, rows, shrink{2, 30}, shrink{1, 8})
	if p.Next != "" {
		fmt.Fprintf(w, "more: --cursor %s\n", clean(p.Next))
	}
}

// markedText is what an entry says, behind what makes it count for less.
func markedText(x api.LogEntry) string {
	var marks []string
	if x.Tainted {
		marks = append(marks, "tainted")
	}
	if x.Inert != "" {
		marks = append(marks, "inert: "+string(x.Inert))
	}
	if x.Unread != "" {
		marks = append(marks, "unread: "+string(x.Unread))
	}
	text := display.Line(string(x.Text))
	if len(marks) > 0 {
		text = strings.TrimSpace("[" + strings.Join(marks, ", ") + "] " + text)
	}
	return text
}
