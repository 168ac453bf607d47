package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/quorate/quorate/api"
)

func (c *cli) walletCreateCommand() *cobra.Command {
	var r api.CreateWallet
	cmd := &cobra.Command{
		Use:   "create NAME --threshold K --cosigners N",
		Short: "Found a wallet and get an invite for each other cosigner",
		Long: `Found a wallet and get an invite for each other cosigner. Each invite is a secret for one of them. With --external
this node's place waits until the key is proved (` + "`wallet proof`, `wallet prove`" + `).
JSON: {"wallet","name","state":"forming","invites":["quorate1…",…]}; "awaiting_proof":true where a proof is awaited.`,
		Args: cobra.ExactArgs(1),
		RunE: ask(c, func(ctx context.Context, node *api.Client, args []string) (api.WalletInvites, error) {
			r.Name = args[0]
			if r.Cosigners < 1 || r.Cosigners > 20 || r.Threshold < 1 || r.Threshold > r.Cosigners {
				return api.WalletInvites{}, api.Misuse("bad_threshold", "there can be 1 to 20 cosigners, and the threshold can be from 1 to their number", "try --cosigners 3 --threshold 2")
			}
			if r.Script != "wsh" && r.Script != "sh-wsh" {
				return api.WalletInvites{}, api.Misuse("bad_script", fmt.Sprintf("script type %.20q is not known", r.Script), "it is wsh or sh-wsh")
			}
			return node.CreateWallet(ctx, r)
		}, showInvites),
	}
	cmd.Flags().IntVar(&r.Threshold, "threshold", 0, "how many must sign")
	cmd.Flags().IntVar(&r.Cosigners, "cosigners", 0, "how many there are, this node included")
	cmd.Flags().StringVar(&r.Script, "script", "wsh", "script `type`: wsh or sh-wsh")
	externalFlag(cmd, &r.External, &r.Unproven)
	require(cmd, "threshold", "cosigners")
	return cmd
}

func externalFlag(cmd *cobra.Command, into *string, unproven *bool) {
	cmd.Flags().StringVar(into, "external", "", "account key with origin, `[fp/48h/…]xpub`, whose private key lives elsewhere; see `wallet proof`")
	cmd.Flags().BoolVar(unproven, "unproven", false, "with --external: enter the key although nothing shows that anybody holds it")
}

// require marks flags that must be given.
func require(cmd *cobra.Command, flags ...string) {
	for _, f := range flags {
		if err := cmd.MarkFlagRequired(f); err != nil {
			// Only for a flag that does not exist, which the tests of every command would show.
			cmd.Args = func(*cobra.Command, []string) error { return err }
		}
	}
}

func showInvites(w io.Writer, v api.WalletInvites) {
	pairs(w, "wallet", v.Wallet, "name", v.Name, "state", v.State)
	awaits(w, v.WalletSummary)
	if len(v.Invites) > 0 {
		fmt.Fprintln(w, "\nGive one of these to each other cosigner, over a channel you trust:")
	}
	for _, i := range v.Invites {
		fmt.Fprintln(w, clean(i))
	}
}
