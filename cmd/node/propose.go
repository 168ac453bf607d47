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

// proposeFlags are the flags of propose, before they are parsed.
type proposeFlags struct {
	to, coins   []string
	feeFrom     []string
	feeRate     string
	csv         string
	split       bool
	expires     span
	yes, dryRun bool
	when        scheduleFlags
	request     api.Propose
}

func (c *cli) proposeCommand() *cobra.Command {
	f := proposeFlags{expires: span(72 * time.Hour)}
	cmd := &cobra.Command{
		Use:   "propose [WALLET] --to ADDRESS=AMOUNT… | --csv FILE",
		Short: "Propose a payment and, where this node holds a key, sign it",
		Long: `Propose a payment and, where this node holds a key, sign it (--unsigned leaves that out). On a terminal it first shows
whom it pays, its fee, its change and its coins, and asks: what is then signed is what was shown, or nothing (draft_changed).
--yes does not ask; without a terminal, and with --json, nothing is asked. --dry-run only shows: nothing is signed, leased or written.
--csv reads a list of payees (- for standard input): ADDRESS,AMOUNT,LABEL in each line, all of it before anything is proposed; the first
line may name the columns (address, label, and amount_btc or amount_sat where amounts carry no unit). The same file proposes the same thing once,
however often it is given; up to 1,000 payees fit into one transaction, and --split makes several.
Amounts are 0.01, 0.01btc, 10mBTC or 25000sat; ADDRESS=all sends all that the wallet can spend, or all of the coins of --coin, without change; a
bitcoin: link (BIP21) brings its own amount and label. The same --request-id gives the same proposal, so that it is safe to repeat; with
other content it is refused. --fee-from takes the fee from what a payee gets. Who was to be paid by a proposal that this node signed and that was given up since is paid by
a replacement of that: never both can be mined.
--every has this node propose it again and again by itself, and sign it, and --not-before once, from a time or a height on: see ` + "`recurring list`" + `.
JSON: {"proposal","txid","fee","fee_rate","change","status","replaces":[…],"unconfirmed_count","cautions":[…]}; with --dry-run
{"draft","proposal","wallet","wallet_name","txid","inputs":[…],"outputs":[…],"sends","fee","fee_rate","fee_source","change","note","expires","replaces":[…],
"signs","external","threshold","unconfirmed_count","left_count","left","warnings":[…],"cautions":[…]}, inputs and outputs as of ` + "`proposal show`" + `; with
--every and --not-before as of ` + "`recurring list`" + `, one of its items.`,
		Example: `quorate propose treasury --to bc1q…=0.014 --fee-rate 2
quorate propose treasury --to 'bitcoin:bc1q…?amount=0.014&label=rent' --target-blocks 6
quorate propose treasury --to bc1q…=all --dry-run
quorate propose treasury --csv salaries.csv --note May
quorate propose treasury --to bc1q…=0.02 --note rent --every 1mo --on 1 --at 09:00 --zone Europe/Berlin`,
		Args: cobra.MaximumNArgs(1),
		RunE: withNode(c, func(ctx context.Context, node *api.Client, args []string) error {
			r, err := f.parse()
			if err != nil {
				return err
			}
			wallet, err := which(ctx, node, args)
			if err != nil {
				return err
			}
			later, err := f.when.later()
			if err != nil {
				return err
			}
			if later {
				x, err := f.when.request(r)
				if err != nil {
					return err
				}
				x.DryRun = f.dryRun
				return c.schedule(ctx, node, wallet, x, f.yes)
			}
			if f.csv != "" {
				return c.proposeList(ctx, node, wallet, &f, r)
			}
			if f.dryRun {
				d, err := node.Preview(ctx, wallet, r)
				if err != nil {
					return err
				}
				return answer(c, d, showDraft)
			}
			p, err := c.propose(ctx, node, wallet, r, f.yes)
			if err != nil {
				return err
			}
			return c.answerProposed(ctx, node, p, r)
		}),
	}
	flags, r := cmd.Flags(), &f.request
	flags.StringArrayVar(&f.to, "to", nil, "pay `address=amount`, address=all or a bitcoin: link; may be repeated")
	flags.StringVar(&f.feeRate, "fee-rate", "", "fee rate in `sat/vB`")
	flags.IntVar(&r.TargetBlocks, "target-blocks", 0, "choose the fee rate for confirmation within so many blocks")
	flags.StringArrayVar(&f.feeFrom, "fee-from", nil, "take the fee from what the payee with this `address` gets, or all in equal parts; may be repeated")
	flags.StringArrayVar(&f.coins, "coin", nil, "spend this `outpoint`, and no others than those given; may be repeated")
	flags.StringVar(&r.Note, "note", "", "`text` for the other cosigners")
	flags.Var(&f.expires, "expires", "how long it may be approved, as 3d or 36h")
	flags.StringArrayVar(&r.Replaces, "replaces", nil, "`proposal` that this one replaces; may be repeated")
	flags.BoolVar(&r.Unsigned, "unsigned", false, "do not sign it at once")
	flags.StringVar(&r.RequestID, "request-id", "", "`id` under which it is safe to repeat the request")
	flags.BoolVar(&f.dryRun, "dry-run", false, "show what would be proposed, and do nothing")
	yesFlag(cmd, &f.yes)
	allowFlag(cmd, &r.Allow)
	flags.StringVar(&f.csv, "csv", "", "pay everybody in a list, a `file` with ADDRESS,AMOUNT,LABEL in each line")
	flags.BoolVar(&f.split, "split", false, "with --csv: propose a list of more than 1,000 payees in several parts")
	f.when.add(cmd)
	cmd.MarkFlagsOneRequired("to", "csv")
	cmd.MarkFlagsMutuallyExclusive("to", "csv")
	cmd.MarkFlagsMutuallyExclusive("fee-rate", "target-blocks")
	cmd.MarkFlagsMutuallyExclusive("dry-run", "yes")
	return cmd
}

func allowFlag(cmd *cobra.Command, into *[]string) {
	cmd.Flags().StringArrayVar(into, "allow", nil, "go on although the rule of this `name` refuses; may be repeated")
}

// yesFlag is for commands that ask on a terminal before they do what cannot be undone.
func yesFlag(cmd *cobra.Command, into *bool) {
	cmd.Flags().BoolVar(into, "yes", false, "do not ask before")
}

// parse checks what can be checked without the node.
func (f *proposeFlags) parse() (api.Propose, error) {
	r := f.request
	for _, to := range f.to {
		p, err := parseRecipient(to)
		if err != nil {
			return r, err
		}
		r.To = append(r.To, p)
	}
	if f.csv == "" {
		if err := payFee(r.To, f.feeFrom); err != nil {
			return r, err
		}
	}
	for _, coin := range f.coins {
		o, err := parseOutPoint(coin)
		if err != nil {
			return r, err
		}
		r.Coins = append(r.Coins, o)
	}
	for _, p := range r.Replaces {
		if err := api.CheckProposal(p, true); err != nil {
			return r, err
		}
	}
	if f.feeRate != "" {
		rate, err := parseFeeRate(f.feeRate)
		if err != nil {
			return r, err
		}
		r.FeeRate = rate
	}
	if r.TargetBlocks < 0 || r.TargetBlocks > 1008 {
		return r, api.Misuse("bad_target", "a target is from 1 to 1008 blocks", "try --target-blocks 6")
	}
	if d := time.Duration(f.expires); d < time.Second || d > 365*24*time.Hour {
		return r, api.Misuse("bad_expiry", fmt.Sprintf("a proposal cannot expire after %s", f.expires.String()), "give from 1s to 365d")
	}
	r.Expires = int64(time.Duration(f.expires) / time.Second)
	return r, nil
}

// payFee marks the payees that the fee is taken from.
func payFee(to []api.Recipient, from []string) error {
	for _, who := range from {
		found := false
		for i := range to {
			if who == "all" || to[i].Address == who {
				to[i].PaysFee, found = true, true
			}
		}
		if !found {
			return api.Misuse("bad_address", fmt.Sprintf("--fee-from %.100q is the address of no payee", who), "give the address as --to has it, or all")
		}
	}
	return nil
}

// maxShown is how often a payment is shown anew that changed while somebody looked at it.
const maxShown = 5

// propose has a payment proposed. On a terminal it is shown before, and what is proposed
// is what was shown.
func (c *cli) propose(ctx context.Context, node *api.Client, wallet string, r api.Propose, yes bool) (api.Proposed, error) {
	if yes || c.asker() == nil {
		return node.Propose(ctx, wallet, r)
	}
	question := "Propose this payment and sign it?"
	for range maxShown {
		d, err := node.Preview(ctx, wallet, r)
		if err != nil {
			return api.Proposed{}, err
		}
		if d.Proposal == nil { // a repeat changes nothing
			showDraft(c.paper(c.err), d)
			if !d.Signs {
				question = "Propose this payment?"
			}
			c.note("")
			if err := c.agreed(ctx, false, question); err != nil {
				return api.Proposed{}, err
			}
			r.Draft = *d.Draft
		}
		p, err := node.Propose(ctx, wallet, r)
		if d.Proposal == nil {
			p.Cautions = nil // they were shown, and agreed to
		}
		if err == nil || api.AsError(err).Code != "draft_changed" {
			return p, err
		}
		r.Draft = ""
		c.note("\nIt changed meanwhile: a coin was spent, or the fee rate is another one. This is how it would be now.\n")
	}
	return api.Proposed{}, api.Refuse("draft_changed", "the payment changed each time it was shown; nothing was proposed", "give --fee-rate, and try again")
}

// answerProposed shows what was proposed and, to people, what comes next.
func (c *cli) answerProposed(ctx context.Context, node *api.Client, p api.Proposed, r api.Propose) error {
	if c.json {
		return answer(c, p, showProposed)
	}
	// What is asked here only adds to an answer that is there: where it fails, it is left out.
	full, err := node.Proposal(ctx, p.Proposal)
	return answer(c, p, func(w io.Writer, p api.Proposed) {
		showProposed(w, p)
		if err != nil || p.Status != api.StatusPending {
			return
		}
		fmt.Fprintln(w)
		var sends int64
		for _, o := range full.Outputs {
			if !o.Change {
				sends += o.Amount
			}
		}
		fmt.Fprintf(w, "It pays %s, and has %d of %s.\n", formatAmount(sends), full.Signed, signatures(full.Threshold))
		if len(full.Approvals) == 0 && !r.Unsigned {
			fmt.Fprintf(w, "This node's key is on a device. To sign with it:\n    quorate psbt export %s\n", idFor(w, p.Proposal))
			return
		}
		if full.Signed < full.Threshold {
			fmt.Fprintf(w, "Others sign it with: quorate approve %s\n", idFor(w, p.Proposal))
		}
	})
}

func showProposed(w io.Writer, p api.Proposed) {
	pairs(w, "proposal", p.Proposal, "status", p.Status, "txid", p.TxID,
		"fee", fmt.Sprintf("%s (%.3g sat/vB)", formatAmount(p.Fee), p.FeeRate), "change", formatAmount(p.Change),
		"replaces", strings.Join(p.Replaces, " "), "unconfirmed", unconfirmed(p.UnconfirmedCount))
	showCautions(w, p.Cautions)
}

// unconfirmed says how many inputs could still vanish, or nothing.
func unconfirmed(n int) string {
	switch n {
	case 0:
		return ""
	case 1:
		return "it spends a coin that is not confirmed yet"
	}
	return fmt.Sprintf("it spends %d coins that are not confirmed yet", n)
}
