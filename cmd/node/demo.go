package main

import (
	"context"
	"io"
	"log/slog"

	"github.com/spf13/cobra"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/ops"
)

func (c *cli) demoCommand() *cobra.Command {
	var o ops.DemoOptions
	var verbose bool
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Show it all in one process: a group, a wallet, and a spend that is mined",
		Long: `Show it all in one process on a private regtest network: nodes with stores and network hosts of their
own, invites, six words, funding, a spend, its confirmation on every node. It leaves nothing behind.
With --robot one of three is a robot: the others vote for a policy, by which it signs one payment, denies one and asks
about one, and says why.
JSON: {"network","cosigners","threshold","words","nodes":[PERSON,…],
"spends":[{"txid","wtxid","identical","confirmed","latency_ms":{"propose","approve","final_everywhere","confirmed"}}],
"robot":{"robot":PERSON,"policy_version","sentences":[…],"payments":[{"proposal","to","amount","outcome","text",
"reasons":[{"code","message"}],"txid"}],"taken","limit"}|null}; txid is null of a payment that was taken back.`,
		Args: cobra.NoArgs,
		RunE: c.action(func(ctx context.Context, _ []string) error {
			if o.Cosigners < 1 || o.Cosigners > 20 || o.Threshold < 1 || o.Threshold > o.Cosigners {
				return api.Misuse("bad_threshold", "there can be 1 to 20 cosigners, and the threshold can be from 1 to their number", "try --cosigners 3 --threshold 2")
			}
			if o.Spends < 1 || o.Spends > 100 {
				return api.Misuse("bad_spends", "there can be 1 to 100 spends", "try --spends 1")
			}
			if o.Robot && (o.Cosigners != 3 || o.Threshold != 2 || o.Spends != 1) {
				return api.Misuse("conflicting", "--robot shows 2 of 3 cosigners, and payments of its own", "leave --cosigners, --threshold and --spends out")
			}
			o.Log = slog.New(slog.DiscardHandler)
			if verbose {
				o.Log = slog.New(slog.NewTextHandler(c.err, &slog.HandlerOptions{Level: slog.LevelDebug}))
			}
			switch {
			case !c.json:
				o.Out = c.out
			case isTerminal(c.err):
				o.Out = c.err
			}
			v, err := ops.Demo(ctx, o)
			if err != nil {
				return err
			}
			return answer(c, v, func(io.Writer, ops.DemoResult) {})
		}),
	}
	cmd.Flags().IntVar(&o.Cosigners, "cosigners", 3, "how many there are")
	cmd.Flags().IntVar(&o.Threshold, "threshold", 2, "how many must sign")
	cmd.Flags().IntVar(&o.Spends, "spends", 1, "how many spends to make")
	cmd.Flags().BoolVar(&o.Robot, "robot", false, "show a robot, which signs by a policy")
	cmd.Flags().BoolVar(&verbose, "verbose", false, "log on standard error what the nodes do")
	return cmd
}
