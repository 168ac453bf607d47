package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/quorate/quorate/api"
)

func (c *cli) walletApproveReplacementCommand() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:   "approve-replacement [WALLET] ID",
		Short: "Take a cosigner's new device for true, where its key does not decide",
		Long: `Take a cosigner's new device for true: where two devices prove one key, or the key is an external one. Speak to the
cosigner, in person or by voice, before: the new device is a full member once enough of the others have approved it.
JSON: {"wallet","name","state"}.`,
		Args: cobra.RangeArgs(1, 2),
		RunE: ask(c, func(ctx context.Context, node *api.Client, args []string) (api.WalletSummary, error) {
			wallet, rest, err := whichAnd(ctx, node, args, 1)
			if err != nil {
				return api.WalletSummary{}, err
			}
			if err := c.agreed(ctx, yes, "Did you speak to the cosigner, in person or by voice, and is this their new device?"); err != nil {
				return api.WalletSummary{}, err
			}
			return node.ApproveReplacement(ctx, wallet, api.ApproveReplacement{Replacement: rest[0]})
		}, showSummary),
	}
	yesFlag(cmd, &yes)
	return cmd
}

// showReplacements lists the new devices that wait for approval.
func showReplacements(w io.Writer, x api.Wallet) {
	for _, r := range x.Replacements {
		proof := "proven by the key"
		if !r.Proven {
			proof = "proven by nothing"
		}
		fmt.Fprintf(w, "\nNEW DEVICE of %s (%s): %s\n  approved by %d of %d: %s\n  %s\n", clean(r.Cosigner.Called()), proof, r.PeerID,
			len(r.Approved), r.Threshold, clean(api.Called(r.Approved)), r.Replacement)
	}
}
