package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/quorate/quorate/api"
)

func (c *cli) pendingCommand() *cobra.Command {
	var q api.PendingQuery
	cmd := &cobra.Command{
		Use:   "pending",
		Short: "List what waits for you, over all wallets, with the command for each",
		Long: `List what waits for this node's user, over all wallets, each with the command that does it: proposals to sign, words to
compare, keys to prove, new devices to approve, pings to answer with a device, and keys that nobody saw for 90 days. A page at a time: pass the "next" of one page as --cursor for the following.
JSON: {"items":[{"kind":"approve|sign_elsewhere|ratify|prove|prove_hosted|approve_replacement|answer_ping|ping","wallet","wallet_name","proposal","txid",
"sends","fee","person":PERSON,"note","created","expires","signed_count","threshold","command"}],"next":"…"}; person is who proposed it, or
whose key or device it is; what a kind does not have is null.`,
		Example: `quorate pending
quorate pending --json | jq -r '.items[].command'`,
		Args: cobra.NoArgs,
		RunE: ask(c, func(ctx context.Context, node *api.Client, _ []string) (api.Page[api.Pending], error) {
			if q.Limit < 0 || q.Limit > api.MaxPage {
				return api.Page[api.Pending]{}, api.Misuse("bad_limit", fmt.Sprintf("a page holds 1 to %d items", api.MaxPage), "try --limit 50")
			}
			return node.Pending(ctx, q)
		}, showPending),
	}
	cmd.Flags().IntVar(&q.Limit, "limit", api.DefaultPage, "how many at most")
	cmd.Flags().StringVar(&q.Cursor, "cursor", "", "the `next` of the page before")
	return cmd
}

func showPending(w io.Writer, p api.Page[api.Pending]) {
	if len(p.Items) == 0 && p.Next == "" {
		fmt.Fprintln(w, "Nothing waits for you.")
	}
	for n, x := range p.Items {
		if n > 0 {
			fmt.Fprintln(w)
		}
		showWaiting(w, x)
	}
	if p.Next != "" {
		fmt.Fprintf(w, "more: --cursor %s\n", clean(string(p.Next)))
	}
}

// showWaiting says what waits and, on a line of its own, how it is done.
func showWaiting(w io.Writer, x api.Pending) {
	fmt.Fprintf(w, "%s: %s\n", paint(w, bold, clean(x.WalletName)), waitingText(x))
	if x.Note != "" {
		fmt.Fprintf(w, "    note (unverified): %s\n", clean(string(x.Note)))
	}
	if x.Expires != nil {
		fmt.Fprintf(w, "    expires %s\n", when(*x.Expires))
	}
	command := clean(x.Command)
	if x.Proposal != nil {
		command = strings.ReplaceAll(command, *x.Proposal, idFor(w, *x.Proposal))
	}
	fmt.Fprintf(w, "    %s\n", paint(w, green, command))
}

func waitingText(x api.Pending) string {
	who := "somebody"
	if x.Person != nil {
		who = clean(x.Person.Called())
	}
	switch x.Kind {
	case api.PendingApprove, api.PendingSign:
		text := fmt.Sprintf("%s proposes to pay %s", who, formatAmount(value(x.Sends)))
		if x.SignedCount != nil && x.Needed != nil {
			text += fmt.Sprintf(", signed %d of %d", *x.SignedCount, *x.Needed)
		}
		return text
	case api.PendingRatify:
		return "the six words are to be compared, and then ratified"
	case api.PendingProve:
		return "this node's key is to be proved"
	case api.PendingProveHosted:
		return "the key of " + who + " is to be proved"
	case api.PendingPing:
		if x.Person == nil {
			return "this node's device is asked to show that its key is there"
		}
		return "the device of " + who + " is asked to show that its key is there"
	case api.PendingPingDue:
		return "the key of " + who + " was not seen for 90 days: ask every key for a signature"
	case api.PendingReplacement:
		return "a new device says that it is " + who + "'s: speak to them first"
	}
	return clean(x.Kind)
}

func value(n *int64) int64 {
	if n == nil {
		return 0
	}
	return *n
}
