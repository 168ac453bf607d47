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
	to, coins []string
	feeRate   string
	expires   time.Duration
	request   api.Propose
}

func (c *cli) proposeCommand() *cobra.Command {
	var f proposeFlags
	cmd := &cobra.Command{
		Use:   "propose WALLET --to ADDRESS=AMOUNT…",
		Short: "Propose a payment and, where this node holds a key, sign it",
		Long: `Propose a payment and, where this node holds a key, sign it (--unsigned leaves that out).
Amounts are 0.01, 0.01btc or 25000sat. The same --request-id gives the same proposal, so that it is safe to repeat; with
other content it is refused. Who was to be paid by a proposal that this node signed and that was given up since is paid by
a replacement of that: never both can be mined.
JSON: {"proposal","txid","fee","fee_rate","change","status","replaces":[…],"unconfirmed_count"}.`,
		Args: cobra.ExactArgs(1),
		RunE: ask(c, func(ctx context.Context, node *api.Client, args []string) (api.Proposed, error) {
			r, err := f.parse()
			if err != nil {
				return api.Proposed{}, err
			}
			return node.Propose(ctx, args[0], r)
		}, showProposed),
	}
	flags, r := cmd.Flags(), &f.request
	flags.StringArrayVar(&f.to, "to", nil, "pay `address=amount`; may be repeated")
	flags.StringVar(&f.feeRate, "fee-rate", "", "fee rate in `sat/vB`")
	flags.IntVar(&r.TargetBlocks, "target-blocks", 0, "choose the fee rate for confirmation within so many blocks")
	flags.StringArrayVar(&f.coins, "coin", nil, "spend this `outpoint`, and no others than those given; may be repeated")
	flags.StringVar(&r.Note, "note", "", "`text` for the other cosigners")
	flags.DurationVar(&f.expires, "expires", 72*time.Hour, "how long it may be approved")
	flags.StringArrayVar(&r.Replaces, "replaces", nil, "`proposal` that this one replaces; may be repeated")
	flags.BoolVar(&r.Unsigned, "unsigned", false, "do not sign it at once")
	flags.StringVar(&r.RequestID, "request-id", "", "`id` under which it is safe to repeat the request")
	allowFlag(cmd, &r.Allow)
	require(cmd, "to")
	cmd.MarkFlagsMutuallyExclusive("fee-rate", "target-blocks")
	return cmd
}

func allowFlag(cmd *cobra.Command, into *[]string) {
	cmd.Flags().StringArrayVar(into, "allow", nil, "go on although the rule of this `name` refuses; may be repeated")
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
	if f.expires < time.Second || f.expires > 365*24*time.Hour {
		return r, api.Misuse("bad_expiry", fmt.Sprintf("a proposal cannot expire after %s", f.expires), "give from 1s to 8760h")
	}
	r.Expires = int64(f.expires / time.Second)
	return r, nil
}

func showProposed(w io.Writer, p api.Proposed) {
	pairs(w, "proposal", p.Proposal, "status", p.Status, "txid", p.TxID,
		"fee", fmt.Sprintf("%s (%.3g sat/vB)", formatAmount(p.Fee), p.FeeRate), "change", formatAmount(p.Change),
		"replaces", strings.Join(p.Replaces, " "), "unconfirmed", unconfirmed(p.UnconfirmedCount))
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
