package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/quorate/quorate/api"
)

func (c *cli) proposalShowCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "show PROPOSAL",
		Short: "Show a proposal: what it spends, whom it pays, who signed",
		Long: `Show a proposal: what it spends, whom it pays, who signed. Labels and the note are the author's words.
JSON: {"proposal","wallet","wallet_name","author":PERSON,"status","txid","inputs":[{"outpoint","amount","address","confirmations","freeze"}],
"outputs":[{"address","amount","is_change","is_own","owned_by":{"wallet","wallet_name"},"label"}],"fee","fee_rate","note","is_scheduled","created","expires","held_by":[PERSON,…],
"approvals":[{"cosigner":PERSON,"time","signature_count","bump_to","bump_until","by_pre_approval"}],"rejections":[{"cosigner":PERSON,"reason","time"}],"threshold","signed_count",
"conflicts":[…],"conflict_count","replaces":[…],"replaces_count","replaced_by","wtxid","reach","warnings":[{"code","message"}],"cautions":[{"code","message"}],
"verdicts":[{"robot":PERSON,"outcome":"sign|wait|ask|deny","is_shadow","reasons":[{"code","message"}],"time"}],
"history":[{"cosigner":PERSON,"kind":"proposed|approved|rejected|rejection_withdrawn|withdrawn|commented","text","time"}]}.`,
		Args: cobra.ExactArgs(1),
		RunE: ask(c, func(ctx context.Context, node *api.Client, args []string) (api.Proposal, error) {
			return node.Proposal(ctx, args[0])
		}, showProposal),
	}
}

func showProposal(w io.Writer, p api.Proposal) {
	expires := ""
	if p.Expires != nil {
		expires = when(*p.Expires)
	}
	fmt.Fprintf(w, "status    %s%s\n", painted(w, p.Status), reached(p.Reach))
	pairs(w, "proposal", p.Proposal, "wallet", clean(p.WalletName)+" ("+short(p.Wallet)+")", "author", p.Author.Called()+yes(p.Scheduled, ", whose node made it by a schedule"), "txid", p.TxID, "wtxid", maybe(p.WTxID),
		"created", when(p.Created)+", as the author claims", "expires", expires,
		"signed", fmt.Sprintf("%d of %d", p.Signed, p.Threshold), "held by", api.Called(p.HeldBy),
		"replaces", strings.Join(p.Replaces, " "), "replaced by", maybe(p.ReplacedBy), "conflicts", strings.Join(p.Conflicts, " ")+andMore(p.ConflictCount-len(p.Conflicts)))
	fmt.Fprintln(w)
	proposedPayment(p).show(w)
	for _, a := range p.Approvals {
		fmt.Fprintf(w, "signed by %s, %s%s\n", clean(a.Cosigner.Called()), when(a.Time), yes(a.Unasked, ", by pre-approval"))
		if a.BumpTo != nil {
			fmt.Fprintf(w, "          and bumps up to a fee of %s until %s, without asking again\n", formatAmount(*a.BumpTo), when(*a.BumpUntil))
		}
	}
	for _, r := range p.Rejections {
		fmt.Fprintf(w, "rejected by %s: %s\n", clean(r.Cosigner.Called()), clean(r.Reason))
	}
	showTalk(w, p.History)
	showRobotsSaid(w, p.Proposal, p.Verdicts)
	showWarnings(w, p.Warnings)
	showCautions(w, p.Cautions)
}

// reached says how the node knows that the network has a transaction.
func reached(how *string) string {
	switch maybe(how) {
	case "held":
		return ", held by Bitcoin peers that were given it"
	case "shown":
		return ", shown by a Bitcoin peer that was not given it"
	}
	return ""
}

// andMore says how many are not listed.
func andMore(n int) string {
	if n <= 0 {
		return ""
	}
	return fmt.Sprintf(" and %d more", n)
}

// showTalk shows what was said, and votes that were taken back: what stands is shown
// besides.
func showTalk(w io.Writer, history []api.Deed) {
	var talk []api.Deed
	for _, d := range history {
		if d.Kind == "commented" || d.Kind == "rejected" || d.Kind == "rejection_withdrawn" {
			talk = append(talk, d)
		}
	}
	changed := slices.ContainsFunc(talk, func(d api.Deed) bool { return d.Kind == "rejection_withdrawn" })
	for _, d := range talk {
		who := clean(d.Cosigner.Called())
		switch {
		case d.Kind == "commented":
			fmt.Fprintf(w, "%s, %s: %s\n", who, when(d.Time), clean(string(d.Text)))
		case changed && d.Kind == "rejected":
			fmt.Fprintf(w, "%s, %s: voted against: %s\n", who, when(d.Time), clean(string(d.Text)))
		case changed:
			fmt.Fprintf(w, "%s, %s: took the vote against back\n", who, when(d.Time))
		}
	}
}
