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
	var noStay bool
	cmd := &cobra.Command{
		Use:   "join INVITE|-",
		Short: "Join a wallet with an invite; - asks for it, or reads it from standard input",
		Long: `Join a wallet with an invite; - asks for it on a terminal, or reads it from standard input, where no other user can see
it: in an argument it gives a warning. With --external this node's place waits until the key is proved (` + "`wallet proof`, `wallet prove`" + `); until then a repeat may bring another key.
An unusual origin of it is refused (key_origin) but with --allow key_origin.
On a terminal it stays until all have joined, asks for the six words that you hear from the others, and ratifies
(--no-stay leaves that out; "wallet ratify" goes on).
In the group of a wallet that was there before, --external takes the fingerprint of one of its keys as well.
JSON: {"wallet","name","state"}; "own_key":{"key","external"}; "awaiting_proof":true where a proof is awaited.`,
		Args: cobra.ExactArgs(1),
		RunE: askAndStay(c, func(ctx context.Context, node *api.Client, args []string) (api.WalletSummary, error) {
			var err error
			if r.Invite, err = c.invite(ctx, args[0]); err != nil {
				return api.WalletSummary{}, err
			}
			if r.Invite == "" {
				return api.WalletSummary{}, api.Misuse("bad_invite", "the invite is empty", "paste the whole invite, from quorate1 to its end")
			}
			r.Wait = r.Wait || c.asker() != nil && !noStay
			if r.Wait {
				c.progress("waiting for the founder's node to admit this one; Ctrl-C ends the wait")
			}
			return node.JoinWallet(ctx, r)
		}, showSummary, func(ctx context.Context, node *api.Client, v api.WalletSummary) error {
			return c.mayStay(ctx, node, v, noStay)
		}),
	}
	cmd.Flags().BoolVar(&r.Wait, "wait", false, "return when admitted")
	externalFlag(cmd, &r.External, &r.Unproven)
	allowFlag(cmd, &r.Allow)
	stayFlag(cmd, &noStay)
	return cmd
}

// invite is what an argument gives, or standard input where it is "-". In an
// argument the secret can be seen by others, and anybody may use it before this node.
func (c *cli) invite(ctx context.Context, arg string) (string, error) {
	if arg = strings.TrimSpace(arg); arg != "-" {
		c.note("warning: the invite was given in an argument, where other users can see it: use `quorate wallet join -`")
		return arg, nil
	}
	if q := c.prompter(); q != nil {
		b, err := q.secret(ctx, "Invite (it is not shown): ")
		return strings.TrimSpace(string(b)), err
	}
	b, err := io.ReadAll(io.LimitReader(c.in, maxSecretFile))
	if err != nil {
		return "", api.Misuse("bad_invite", "the invite could not be read from standard input: "+err.Error(), "")
	}
	return strings.TrimSpace(string(b)), nil
}

func showSummary(w io.Writer, v api.WalletSummary) {
	pairs(w, "wallet", v.Wallet, "name", v.Name, "founder calls it", string(v.FounderName), "state", v.State, "your key", ownKey(v))
	awaits(w, v)
}

// awaits says what to do next where this node's key is not entered yet.
func awaits(w io.Writer, v api.WalletSummary) {
	if v.AwaitingProof {
		fmt.Fprintf(w, "This node's key is not entered yet: `quorate wallet proof %s` prints what its device must sign.\n", short(v.Wallet))
	}
	awaitsHosted(w, v)
}

// ownKey says which key this node brings, so that nobody takes the node's own for that
// of a device.
func ownKey(v api.WalletSummary) string {
	switch {
	case v.OwnKey == nil:
		return ""
	case v.OwnKey.External && v.AwaitingProof:
		return v.OwnKey.Key + ", of a device, once it is proved"
	case v.OwnKey.External:
		return v.OwnKey.Key + ", of a device"
	}
	return v.OwnKey.Key + ", from the seed of this node"
}
