package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/ops"
)

func (c *cli) approveCommand() *cobra.Command {
	var r api.Approve
	var hwi bool
	cmd := &cobra.Command{
		Use:   "approve PROPOSAL",
		Short: "Sign a proposal",
		Long: `Sign a proposal, after this node has checked all of it. A released signature cannot be called back. With --hwi the
program hwi, which must be on PATH, asks the USB device that holds this node's external key; the transaction is in
the sign guard before the device sees it. Takes at least 32 characters of the id. JSON: as of ` + "`proposal show`.",
		Args: cobra.ExactArgs(1),
		RunE: ask(c, func(ctx context.Context, node *api.Client, args []string) (api.Proposal, error) {
			if hwi {
				return c.approveByDevice(ctx, node, args[0], r.Allow)
			}
			return node.Approve(ctx, args[0], r)
		}, showProposal),
	}
	cmd.Flags().BoolVar(&hwi, "hwi", false, "sign on a USB device, through the program hwi")
	allowFlag(cmd, &r.Allow)
	return cmd
}

// approveByDevice looks for the device first: only one that is there is worth
// an entry in the sign guard.
func (c *cli) approveByDevice(ctx context.Context, node *api.Client, proposal string, allow []string) (api.Proposal, error) {
	p, err := node.Proposal(ctx, proposal)
	if err != nil {
		return p, err
	}
	status, err := node.Status(ctx)
	if err != nil {
		return p, err
	}
	w, err := node.Wallet(ctx, p.Wallet)
	if err != nil {
		return p, err
	}
	device, err := ops.FindHWI(status.Network)
	if err != nil {
		return p, err
	}
	fingerprint := ""
	for _, k := range w.Cosigners {
		if k.PeerID != nil && *k.PeerID == status.PeerID && k.Key != nil {
			fingerprint = *k.Key
		}
	}
	name, err := device.Device(ctx, fingerprint)
	if err != nil {
		return p, err
	}
	out, err := node.ExportPSBT(ctx, proposal, api.ExportPSBT{ForSigning: true, Allow: allow})
	if err != nil {
		return p, err
	}
	c.progress("look at the %s: compare every address and amount, then confirm", clean(name))
	signed, err := device.Sign(ctx, fingerprint, out.PSBT)
	if err != nil {
		return p, err
	}
	slim, err := ops.SlimPSBT([]byte(signed))
	if err != nil {
		return p, err
	}
	if _, err := node.ImportPSBT(ctx, api.ImportPSBT{PSBT: slim, Allow: allow}); err != nil {
		return p, err
	}
	return node.Proposal(ctx, proposal)
}
