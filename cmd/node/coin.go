package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/quorate/quorate/api"
)

func (c *cli) coinFreezeCommand() *cobra.Command {
	var r api.FreezeCoin
	cmd := &cobra.Command{
		Use:   "freeze [WALLET] OUTPOINT",
		Short: "Keep a coin from being spent, for all cosigners, or lift that",
		Long: `Freeze a coin (TXID:VOUT, as ` + "`coins`" + ` lists it) for all cosigners: no payment takes it by itself, and whoever proposes or approves
one with it is refused (coin_frozen) without --allow coin_frozen. Signatures that are out already stay valid. Every cosigner may freeze
a coin, and lift a freeze with --undo, also one of another; who did is shown, and stays in ` + "`log`" + `. A freeze stands against a cosigner
who lifts another one at the same moment. A repeat changes nothing.
JSON: {"wallet","outpoint","freeze":{"by":PERSON,"note","time"}}; freeze is null where it is not frozen.`,
		Args: cobra.RangeArgs(1, 2),
		RunE: ask(c, func(ctx context.Context, node *api.Client, args []string) (api.CoinFreeze, error) {
			wallet, rest, err := whichAnd(ctx, node, args, 1)
			if err != nil {
				return api.CoinFreeze{}, err
			}
			return node.FreezeCoin(ctx, wallet, rest[0], r)
		}, func(w io.Writer, f api.CoinFreeze) {
			if f.Frozen == nil {
				fmt.Fprintln(w, "not frozen: it may be spent")
				return
			}
			fmt.Fprintln(w, frozenText(f.Frozen)+": it is spent with --allow coin_frozen only")
		}),
	}
	cmd.Flags().BoolVar(&r.Undo, "undo", false, "lift it")
	cmd.Flags().StringVar(&r.Note, "note", "", "why, as `text` for the other cosigners")
	allowFlag(cmd, &r.Allow)
	return cmd
}
