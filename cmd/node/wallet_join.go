package main

import (
	"context"
	"fmt"
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
		Long: `Join a wallet with an invite; - reads it from standard input, where no other user can see it. With --external this
node's place waits until the key is proved (` + "`wallet proof`, `wallet prove`" + `); until then a repeat may bring another key.
In the group of a wallet that was there before, --external takes the fingerprint of one of its keys as well.
JSON: {"wallet","name","state"}; "awaiting_proof":true where a proof is awaited.`,
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
	externalFlag(cmd, &r.External, &r.Unproven)
	return cmd
}

func showSummary(w io.Writer, v api.WalletSummary) {
	pairs(w, "wallet", v.Wallet, "name", v.Name, "founder calls it", v.FounderName, "state", v.State)
	awaits(w, v)
}

// awaits says what to do next where this node's key is not entered yet.
func awaits(w io.Writer, v api.WalletSummary) {
	if v.AwaitingProof {
		fmt.Fprintf(w, "This node's key is not entered yet: `quorate wallet proof %s` prints what its device must sign.\n", short(v.Wallet))
	}
	awaitsHosted(w, v)
}
