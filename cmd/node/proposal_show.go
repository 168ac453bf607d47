package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/quorate/quorate/api"
)

func (c *cli) proposalShowCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "show PROPOSAL",
		Short: "Show a proposal: what it spends, whom it pays, who signed",
		Long: `Show a proposal: what it spends, whom it pays, who signed. Labels and the note are the author's words.
JSON: {"proposal","wallet","author":PERSON,"status","txid","inputs":[{"outpoint","amount","address","confirmations"}],
"outputs":[{"address","amount","is_change","label"}],"fee","fee_rate","note","created","expires","held_by":[PERSON,…],
"approvals":[{"cosigner":PERSON,"time","signature_count"}],"rejections":[{"cosigner":PERSON,"reason","time"}],"threshold","signed_count",
"conflicts":[…],"conflict_count","replaces":[…],"replaces_count","replaced_by","wtxid","warnings":[{"code","message"}]}.`,
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
	pairs(w, "proposal", p.Proposal, "wallet", p.Wallet, "status", p.Status, "author", p.Author.Called(), "txid", p.TxID, "wtxid", maybe(p.WTxID),
		"fee", fmt.Sprintf("%s (%.3g sat/vB)", formatAmount(p.Fee), p.FeeRate),
		"created", when(p.Created)+" (as the author claims)", "expires", expires,
		"signed", fmt.Sprintf("%d of %d", p.Signed, p.Threshold), "held by", api.Called(p.HeldBy),
		"replaces", strings.Join(p.Replaces, " "), "replaced by", maybe(p.ReplacedBy), "conflicts", strings.Join(p.Conflicts, " ")+andMore(p.ConflictCount-len(p.Conflicts)))
	if p.Note != "" {
		fmt.Fprintf(w, "note (unverified): %s\n", clean(p.Note))
	}
	rows := [][]string{{"", "AMOUNT", "ADDRESS", ""}}
	for _, o := range p.Outputs {
		row := []string{"pays", formatAmount(o.Amount), o.Address, ""}
		if o.Change {
			row[0] = "change"
		} else if o.Label != "" {
			row[3] = "label (unverified): " + string(o.Label)
		}
		rows = append(rows, row)
	}
	for _, i := range p.Inputs {
		rows = append(rows, []string{"spends", formatAmount(i.Amount), i.Address, i.OutPoint + yes(i.Confirmations == 0, ", not confirmed")})
	}
	fmt.Fprintln(w)
	table(w, rows)
	for _, a := range p.Approvals {
		fmt.Fprintf(w, "signed by %s, %s\n", clean(a.Cosigner.Called()), when(a.Time))
	}
	for _, r := range p.Rejections {
		fmt.Fprintf(w, "rejected by %s: %s\n", clean(r.Cosigner.Called()), clean(r.Reason))
	}
	for _, x := range p.Warnings {
		fmt.Fprintf(w, "warning (%s): %s\n", clean(x.Code), clean(x.Message))
	}
}

// andMore says how many are not listed.
func andMore(n int) string {
	if n <= 0 {
		return ""
	}
	return fmt.Sprintf(" and %d more", n)
}
