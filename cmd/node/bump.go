package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/display"
)

func (c *cli) bumpCommand() *cobra.Command {
	f := proposeFlags{expires: span(72 * time.Hour)}
	cmd := &cobra.Command{
		Use:   "bump PROPOSAL --fee-rate N",
		Short: "Pay the same once more with a higher fee, in place of a proposal",
		Long: `Propose the payment of a proposal again, to the same payees with the same amounts, labels and note, and with a higher
fee: the two spend a coin in common, and only one of them is ever mined. It is shown and asked about as by ` + "`propose`" + `.
A proposal that sent all there was keeps its amounts, too, and so needs a further coin: propose ADDRESS=all with --replaces for less.
Takes at least 32 characters of the id. JSON: as of ` + "`propose`.",
		Example: `quorate bump 3f0a… --fee-rate 12`,
		Args:    cobra.ExactArgs(1),
		RunE: withNode(c, func(ctx context.Context, node *api.Client, args []string) error {
			if err := api.CheckProposal(args[0], true); err != nil {
				return err
			}
			p, err := node.Proposal(ctx, args[0])
			if err != nil {
				return err
			}
			r, err := f.parse()
			if err != nil {
				return err
			}
			if r, err = again(p, r); err != nil {
				return err
			}
			if f.dryRun {
				d, err := node.Preview(ctx, p.Wallet, r)
				if err != nil {
					return err
				}
				return answer(c, d, showDraft)
			}
			made, err := c.propose(ctx, node, p.Wallet, r, f.yes)
			if err != nil {
				return err
			}
			return c.answerProposed(ctx, node, made, r)
		}),
	}
	flags := cmd.Flags()
	flags.StringVar(&f.feeRate, "fee-rate", "", "fee rate in `sat/vB`, above that of the proposal")
	flags.Var(&f.expires, "expires", "how long it may be approved, as 3d or 36h")
	flags.BoolVar(&f.request.Unsigned, "unsigned", false, "do not sign it at once")
	flags.BoolVar(&f.dryRun, "dry-run", false, "show what would be proposed, and do nothing")
	yesFlag(cmd, &f.yes)
	allowFlag(cmd, &f.request.Allow)
	require(cmd, "fee-rate")
	cmd.MarkFlagsMutuallyExclusive("dry-run", "yes")
	return cmd
}

// again asks for the payment of a proposal once more, in its place.
func again(p api.Proposal, r api.Propose) (api.Propose, error) {
	switch p.Status {
	case api.StatusConfirmed:
		return r, api.Refuse("already_final", "the transaction is confirmed already", "there is nothing to replace any more")
	case api.StatusConflicted, api.StatusReplaced:
		return r, api.Refuse(p.Status, fmt.Sprintf("the proposal is %s: another transaction took its coins", p.Status), "see `quorate proposal show`")
	}
	if r.FeeRate <= p.FeeRate {
		return r, api.Misuse("bad_fee_rate", fmt.Sprintf("the proposal pays %.3g sat/vB already", p.FeeRate), "give a higher --fee-rate")
	}
	for _, o := range p.Outputs {
		if !o.Change {
			r.To = append(r.To, api.Recipient{Address: o.Address, Amount: o.Amount, Label: shortLabel(string(o.Label))})
		}
	}
	if r.Note = string(p.Note); display.Check(r.Note) != nil {
		r.Note = display.Strip(r.Note) // this node does not write what deceives on a screen
	}
	r.Replaces = []string{p.Proposal}
	return r, nil
}
