package main

import (
	"context"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/quorate/quorate/api"
)

func (c *cli) walletJoinCommand() *cobra.Command {
	var r api.JoinWallet
	cmd := &cobra.Command{
		Use:   "join INVITE|-",
		Short: "Join a wallet with an invite; - reads it from standard input",
		Long: `Join a wallet with an invite; - reads it from standard input, where no other user can see it.
JSON: {"wallet","name","state"}.`,
		Args: cobra.ExactArgs(1),
		RunE: ask(c, func(ctx context.Context, node *api.Client, args []string) (api.WalletSummary, error) {
			r.Invite = strings.TrimSpace(args[0])
			if r.Invite == "-" {
				b, err := io.ReadAll(io.LimitReader(c.in, maxSecretFile))
				if err != nil {
					return api.WalletSummary{}, api.Misuse("bad_invite", "the invite could not be read from standard input: "+err.Error(), "")
				}
				r.Invite = strings.TrimSpace(string(b))
			}
			if r.Invite == "" {
				return api.WalletSummary{}, api.Misuse("bad_invite", "the invite is empty", "paste the whole invite, from quorate1 to its end")
			}
			if r.Wait {
				c.progress("waiting for the founder's node to admit this one; Ctrl-C ends the wait")
			}
			return node.JoinWallet(ctx, r)
		}, showSummary),
	}
	cmd.Flags().BoolVar(&r.Wait, "wait", false, "return when admitted")
	externalFlag(cmd, &r.External)
	return cmd
}

func showSummary(w io.Writer, v api.WalletSummary) {
	pairs(w, "wallet", v.Wallet, "name", v.Name, "state", v.State)
}
