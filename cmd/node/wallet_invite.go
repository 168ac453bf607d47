package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/quorate/quorate/api"
)

func (c *cli) walletInviteCommand() *cobra.Command {
	var r api.InviteToWallet
	var yes, code bool
	cmd := &cobra.Command{
		Use:   "invite [WALLET]",
		Short: "Get a fresh invite for a place that nobody took, or for a lost cosigner's new device",
		Long: `Get a fresh invite for a place that nobody took. With --replace it is for the new device of a cosigner whose node
is lost: made with the same mnemonic ("init --mnemonic-file"), it runs "wallet join" with the invite, and proves that it
holds the cosigner's key. The lost node is no member any more then, and what it writes later has no effect.
JSON: {"wallet","name","state","invites":["quorate1…"],"issued_invites":[{"invite","expires","taken_by":null}]}.`,
		Args: cobra.MaximumNArgs(1),
		RunE: ask(c, func(ctx context.Context, node *api.Client, args []string) (api.WalletInvites, error) {
			wallet, err := which(ctx, node, args)
			if err != nil {
				return api.WalletInvites{}, err
			}
			question := fmt.Sprintf("Is the node of %s lost for good? Its place goes to the new device, and the old one is no member any more.", clean(r.Replace))
			if err := c.agreed(ctx, yes || r.Replace == "", question); err != nil {
				return api.WalletInvites{}, err
			}
			return node.InviteToWallet(ctx, wallet, r)
		}, func(w io.Writer, v api.WalletInvites) { c.showInvites(w, v, code) }),
	}
	cmd.Flags().StringVar(&r.Replace, "replace", "", "`cosigner` (name or peer id) whose node is lost")
	invitesQRFlag(cmd, &code)
	yesFlag(cmd, &yes)
	allowFlag(cmd, &r.Allow)
	return cmd
}
