package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/quorate/quorate/api"
)

// followUp is a command that proposes what is made from another transaction; wallet names
// the one that it is of.
func (c *cli) followUp(f *proposeFlags, cmd *cobra.Command, wallet func(ctx context.Context, node *api.Client, args []string, r *api.Propose) (string, error)) *cobra.Command {
	f.expires = span(72 * time.Hour)
	cmd.RunE = withNode(c, func(ctx context.Context, node *api.Client, args []string) error {
		r, err := f.parse()
		if err != nil {
			return err
		}
		in, err := wallet(ctx, node, args, &r)
		if err != nil {
			return err
		}
		if f.dryRun {
			d, err := node.Preview(ctx, in, r)
			if err != nil {
				return err
			}
			return answer(c, d, showDraft)
		}
		made, err := c.propose(ctx, node, in, r, f.yes)
		if err != nil {
			return err
		}
		return c.answerProposed(ctx, node, made, r)
	})
	flags := cmd.Flags()
	flags.StringVar(&f.request.Note, "note", "", "`text` for the other cosigners")
	flags.Var(&f.expires, "expires", "how long it may be approved, as 3d or 36h")
	flags.BoolVar(&f.request.Unsigned, "unsigned", false, "do not sign it at once")
	flags.StringVar(&f.request.RequestID, "request-id", "", "`id` under which it is safe to repeat the request")
	flags.BoolVar(&f.dryRun, "dry-run", false, "show what would be proposed, and do nothing")
	yesFlag(cmd, &f.yes)
	allowFlag(cmd, &f.request.Allow)
	cmd.MarkFlagsMutuallyExclusive("dry-run", "yes")
	return cmd
}

// ofProposal is the wallet of a proposal that is named.
func ofProposal(ctx context.Context, node *api.Client, id string) (api.Proposal, error) {
	if err := api.CheckProposal(id, true); err != nil {
		return api.Proposal{}, err
	}
	return node.Proposal(ctx, id)
}

func (c *cli) bumpCommand() *cobra.Command {
	var f proposeFlags
	cmd := c.followUp(&f, &cobra.Command{
		Use:   "bump PROPOSAL --fee-rate N",
		Short: "Pay the same once more with a higher fee, in place of a proposal",
		Long: `Propose the payment of a proposal again, with the same coins, payees, amounts and labels, and with a higher fee: the
two spend the same coins, and only one of them is ever mined. The change gets less; further coins are taken only where it does not
suffice. It is shown and asked about as by ` + "`propose`" + `, and every cosigner may do it. Who agreed to it beforehand (` + "`approve --bump-to`" + `) is not
asked again. Takes at least 32 characters of the id. JSON: as of ` + "`propose`.",
		Example: `quorate bump 3f0a… --fee-rate 12`,
		Args:    cobra.ExactArgs(1),
	}, func(ctx context.Context, node *api.Client, args []string, r *api.Propose) (string, error) {
		p, err := ofProposal(ctx, node, args[0])
		r.Bumps = p.Proposal
		return p.Wallet, err
	})
	cmd.Flags().StringVar(&f.feeRate, "fee-rate", "", "fee rate in `sat/vB`, above that of the proposal")
	require(cmd, "fee-rate")
	return cmd
}

func (c *cli) cancelCommand() *cobra.Command {
	var f proposeFlags
	cmd := c.followUp(&f, &cobra.Command{
		Use:   "cancel PROPOSAL",
		Short: "Take the coins of a signed proposal back to the wallet, as long as no block holds it",
		Long: `Propose a transaction that takes all coins of a proposal back to the wallet, in its place, with a fee that is high enough to
replace it and its signed bumps (or --fee-rate, where that is higher). It takes as many approvals as any payment, and whatever is mined
first counts. What nobody signed is taken back by ` + "`withdraw`" + ` or ` + "`reject`" + `. From then on nobody's node signs bumps of it by itself.
Takes at least 32 characters of the id. JSON: as of ` + "`propose`.",
		Example: `quorate cancel 3f0a…`,
		Args:    cobra.ExactArgs(1),
	}, func(ctx context.Context, node *api.Client, args []string, r *api.Propose) (string, error) {
		p, err := ofProposal(ctx, node, args[0])
		if err != nil {
			return "", err
		}
		var most int64
		for _, a := range p.Approvals {
			if a.BumpTo != nil {
				most = max(most, *a.BumpTo)
			}
		}
		if most > 0 && !c.json {
			c.note("Bumps of it with a fee of up to %s were agreed to beforehand.", formatAmount(most))
		}
		r.Cancels = p.Proposal
		return p.Wallet, nil
	})
	cmd.Flags().StringVar(&f.feeRate, "fee-rate", "", "fee rate in `sat/vB`, where it should be higher than it takes")
	return cmd
}

func (c *cli) cpfpCommand() *cobra.Command {
	var f proposeFlags
	var parent string
	cmd := c.followUp(&f, &cobra.Command{
		Use:   "cpfp TXID [WALLET] --fee-rate N",
		Short: "Pay for a transaction that is stuck by spending what it pays the wallet",
		Long: `Propose a child of a transaction that no block holds: it spends what that one pays the wallet to the wallet itself, with so high
a fee that both together pay the fee rate, with what of the wallet's own in no block the parent rests on. The transaction may be a payment of the wallet, or a deposit; a deposit may be taken back by its
sender, so that spending it takes --allow unconfirmed_parent here and when it is approved. WALLET may be left out on a node with one.
JSON: as of ` + "`propose`.",
		Example: `quorate cpfp 9d8c… --fee-rate 12`,
		Args:    cobra.RangeArgs(1, 2),
	}, func(ctx context.Context, node *api.Client, args []string, r *api.Propose) (string, error) {
		if parent != "" {
			sat, err := parseAmount(parent)
			if err != nil {
				return "", err
			}
			r.ParentFee = sat
		}
		r.Rescues = args[0]
		return which(ctx, node, args[1:])
	})
	cmd.Flags().StringVar(&f.feeRate, "fee-rate", "", "fee rate in `sat/vB` of both together")
	cmd.Flags().StringVar(&parent, "parent-fee", "", "what a deposit pays itself, as `amount`; nothing, where it is not said")
	require(cmd, "fee-rate")
	return cmd
}

func (c *cli) consolidateCommand() *cobra.Command {
	var f proposeFlags
	var below string
	cmd := c.followUp(&f, &cobra.Command{
		Use:   "consolidate [WALLET] --below N",
		Short: "Gather the wallet's smallest coins in one, while fees are low",
		Long: `Propose a transaction that spends the wallet's smallest confirmed coins to one new address of the wallet, so that they cost less to
spend later: as many as it can with a fee that needs no name (50,000 sat), and 200 at most. Left out are coins that a cosigner froze, that
a live proposal or a signature of this node holds, and that are worth less than they cost. It is refused (fee_not_below) where the fee rate,
estimated or given, is not below N sat/vB, so that it may be run again and again. Whoever looks at the chain sees that all of
the coins are of one owner. JSON: as of ` + "`propose`.",
		Example: `quorate consolidate treasury --below 3`,
		Args:    cobra.MaximumNArgs(1),
	}, func(ctx context.Context, node *api.Client, args []string, r *api.Propose) (string, error) {
		rate, err := parseFeeRate(below)
		if err != nil {
			return "", err
		}
		r.Below = rate
		return which(ctx, node, args)
	})
	cmd.Flags().StringVar(&below, "below", "", "only where the fee rate is below so many `sat/vB`")
	cmd.Flags().StringVar(&f.feeRate, "fee-rate", "", "fee rate in `sat/vB`, in place of the estimate")
	require(cmd, "below")
	return cmd
}
