package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/quorate/quorate/api"
)

func (c *cli) walletHostCommand() *cobra.Command {
	var r api.HostCosigner
	var yes bool
	cmd := &cobra.Command{
		Use:   "host [WALLET] NAME --external KEY",
		Short: "Give a cosigner who has no node a place in a forming wallet",
		Long: `Give a cosigner who has no node a place in a forming wallet: this node enters its key, its part of the words and its
ratification, and hands it what it has to sign. The key comes with its origin, as the device exports it for multisig,
and is proved like any external key ("wallet proof --for NAME", "wallet prove --for NAME"); a repeat may bring another one
until then. An unusual origin of it is refused (key_origin) but with --allow key_origin. Every other cosigner sees who hosts whom, and has to accept it ("wallet ratify --accept-hosted").
JSON: {"wallet","name","state"}.`,
		Args: cobra.RangeArgs(1, 2),
		RunE: ask(c, func(ctx context.Context, node *api.Client, args []string) (api.WalletSummary, error) {
			wallet, rest, err := whichAnd(ctx, node, args, 1)
			if err != nil {
				return api.WalletSummary{}, err
			}
			w, err := node.Wallet(ctx, wallet)
			if err != nil {
				return api.WalletSummary{}, err
			}
			r.Name = rest[0]
			if err := c.agreed(ctx, yes, fmt.Sprintf("Host %s in wallet %s? This node then speaks for that cosigner.", clean(r.Name), clean(called(w.WalletSummary)))); err != nil {
				return api.WalletSummary{}, err
			}
			return node.HostCosigner(ctx, w.Wallet, r)
		}, func(w io.Writer, v api.WalletSummary) {
			showSummary(w, v)
			awaitsHosted(w, v)
		}),
	}
	cmd.Flags().StringVar(&r.External, "external", "", "its account `key`, with origin: [fingerprint/48h/…]xpub…")
	cmd.Flags().BoolVar(&r.Unproven, "unproven", false, "enter the key at once although nothing shows that anybody holds it")
	allowFlag(cmd, &r.Allow)
	require(cmd, "external")
	yesFlag(cmd, &yes)
	return cmd
}

func awaitsHosted(w io.Writer, v api.WalletSummary) {
	for _, p := range v.AwaitingHosted {
		name := p.Name
		fmt.Fprintf(w, "The key of %s is not entered yet: `quorate wallet proof %s --for %q` prints what its device must sign.\n", clean(name), short(v.Wallet), clean(name))
	}
}
