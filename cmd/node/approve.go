package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/ops"
)

func (c *cli) approveCommand() *cobra.Command {
	var r api.Approve
	var hwi, yes bool
	var bumpTo string
	var until span
	cmd := &cobra.Command{
		Use:   "approve [PROPOSAL]",
		Short: "Sign a proposal",
		Long: `Sign a proposal, after this node has checked all of it. A released signature cannot be called back. On a terminal it
first shows whom it pays, its fee, its change, its coins and what speaks against it, and asks (not with --yes); there PROPOSAL may be left
out where exactly one waits. Without a terminal, and with --json, nothing is asked. A proposal that has all its signatures gets no
further one. To approve what this node rejected takes the rejection back. With --hwi the
program hwi, which must be on PATH, asks the USB device that holds this node's external key; the transaction is in
the sign guard before the device sees it. --bump-to AMOUNT agrees beforehand to bumps of it: this node signs, without asking again, what
spends the same coins and pays the same payees with a fee up to that, until --until or the proposal's end (14 days at most); --bump-to 0
ends that, as do a vote against it, a cancel, and anything else that has to do with its coins. Takes at least 32 characters of the id. JSON: as of ` + "`proposal show`.",
		Example: `quorate approve
quorate approve 3f0a… --yes
quorate approve 3f0a… --bump-to 5000sat --until 3d
quorate approve 3f0a… --hwi`,
		Args: cobra.MaximumNArgs(1),
		RunE: ask(c, func(ctx context.Context, node *api.Client, args []string) (api.Proposal, error) {
			if err := agreedBefore(&r, bumpTo, until); err != nil {
				return api.Proposal{}, err
			}
			id, err := c.theProposal(ctx, node, args)
			if err != nil {
				return api.Proposal{}, err
			}
			return c.approve(ctx, node, id, r, yes, hwi)
		}, showProposal),
	}
	cmd.Flags().StringVar(&bumpTo, "bump-to", "", "sign bumps of it with a fee up to this `amount` without asking again; 0 ends that")
	cmd.Flags().Var(&until, "until", "how long from now that holds, as 3d or 36h")
	cmd.Flags().BoolVar(&hwi, "hwi", false, "sign on a USB device, through the program hwi")
	cmd.MarkFlagsMutuallyExclusive("bump-to", "hwi")
	yesFlag(cmd, &yes)
	allowFlag(cmd, &r.Allow)
	return cmd
}

// agreedBefore reads what is agreed to beside the signature.
func agreedBefore(r *api.Approve, bumpTo string, until span) error {
	if bumpTo == "" {
		if until != 0 {
			return api.Misuse("conflicting", "--until is for --bump-to", "say up to which fee")
		}
		return nil
	}
	var sat int64
	if bumpTo != "0" {
		var err error
		if sat, err = parseAmount(bumpTo); err != nil {
			return err
		}
	}
	if until < 0 || time.Duration(until) > 14*24*time.Hour {
		return api.Misuse("bad_expiry", "bumps may be agreed to for 14 days at most", "give up to 14d")
	}
	r.BumpTo, r.BumpFor = &sat, int64(time.Duration(until)/time.Second)
	return nil
}

// theProposal is the one that is named or, on a terminal, the only one that waits: who is
// not shown it must name it.
func (c *cli) theProposal(ctx context.Context, node *api.Client, args []string) (string, error) {
	if len(args) > 0 {
		return args[0], nil
	}
	if c.asker() == nil {
		return "", api.Misuse("no_proposal", "the proposal to approve is not named", "`quorate pending` lists what waits")
	}
	page, err := node.Pending(ctx, api.PendingQuery{Limit: api.MaxPage})
	if err != nil {
		return "", err
	}
	var ids []string
	for _, p := range page.Items {
		if p.Proposal != nil {
			ids = append(ids, *p.Proposal)
		}
	}
	switch {
	case len(ids) == 0 && page.Next == "":
		return "", api.Missing("nothing_pending", "no proposal waits for this node", "`quorate proposals WALLET` lists them all")
	case len(ids) == 1 && page.Next == "":
		return ids[0], nil
	}
	return "", api.Misuse("no_proposal", "more than one proposal waits for this node", "`quorate pending` lists them; name one")
}

// approve has a proposal signed. On a terminal it is shown before.
func (c *cli) approve(ctx context.Context, node *api.Client, id string, r api.Approve, yes, hwi bool) (api.Proposal, error) {
	if err := api.CheckProposal(id, true); err != nil {
		return api.Proposal{}, err
	}
	before, err := node.Proposal(ctx, id)
	if err != nil {
		return before, err
	}
	me := ""
	if !c.json {
		status, err := node.Status(ctx)
		if err != nil {
			return before, err
		}
		me = status.PeerID
	}
	mine := func(p api.Person) bool { return me != "" && p.PeerID != nil && *p.PeerID == me }
	enough := before.Status == api.StatusFinal || before.Status == api.StatusBroadcast
	signed := slices.ContainsFunc(before.Approvals, func(a api.Approval) bool { return mine(a.Cosigner) })
	for _, x := range before.Rejections {
		if mine(x.Cosigner) && !enough {
			c.note("This node rejected it (%s). To approve it takes the rejection back.", clean(x.Reason))
		}
	}
	if !yes && !enough && !signed && c.asker() != nil {
		w := c.paper(c.err)
		showReview(w, before)
		c.showBumped(ctx, node, before)
		if r.BumpTo != nil && *r.BumpTo > 0 {
			c.note("\nAnd up to %s fee without asking again.", formatAmount(*r.BumpTo))
		}
		if err := c.agreed(ctx, false, "\nSign this payment? A signature cannot be called back."); err != nil {
			return before, err
		}
	}
	if enough && !signed && r.BumpTo == nil {
		c.note("It has its %s already: nothing was signed.", signatures(before.Threshold))
		return before, nil
	}
	if signed && r.BumpTo == nil {
		c.note("This node signed it already.")
	}
	r.TxID = before.TxID
	if hwi {
		return c.approveByDevice(ctx, node, before.Proposal, r.Allow)
	}
	return node.Approve(ctx, before.Proposal, r)
}

// showReview shows a proposal to who is about to decide about it.
func showReview(w io.Writer, p api.Proposal) {
	fmt.Fprintf(w, "Payment from %s, proposed by %s, %s.\n\n", paint(w, bold, clean(p.WalletName)), clean(p.Author.Called())+yes(p.Scheduled, "'s node by a schedule"), when(p.Created))
	proposedPayment(p).show(w)
	expires := ""
	if p.Expires != nil {
		expires = when(*p.Expires)
	}
	var by []string
	for _, a := range p.Approvals {
		by = append(by, a.Cosigner.Called())
	}
	signed := fmt.Sprintf("%d of %d", p.Signed, p.Threshold)
	if len(by) > 0 {
		signed += ", by " + strings.Join(by, ", ")
	}
	pairs(w, "status", p.Status, "signed", signed, "expires", expires, "txid", p.TxID, "replaces", strings.Join(p.Replaces, " "))
	for _, x := range p.Rejections {
		fmt.Fprintf(w, "%s by %s: %s\n", paint(w, red, "rejected"), clean(x.Cosigner.Called()), clean(x.Reason))
	}
	showWarnings(w, p.Warnings)
	showCautions(w, p.Cautions)
}

// showBumped shows what differs from what a proposal replaces, where that pays the same.
func (c *cli) showBumped(ctx context.Context, node *api.Client, p api.Proposal) {
	for _, id := range p.Replaces[:min(len(p.Replaces), maxBumpedShown)] {
		old, err := node.Proposal(ctx, id)
		if err != nil {
			continue // it only adds to what is shown
		}
		if text := differs(old, p); text != "" {
			c.note("%s", text)
		}
	}
}

// maxBumpedShown is how many of the proposals that one replaces are compared with it.
const maxBumpedShown = 4

// differs says what is otherwise than in what is replaced.
func differs(old, now api.Proposal) string {
	paid := func(p api.Proposal) (out []api.TxOutput, change int64) {
		for _, o := range p.Outputs {
			if o.Change {
				change += o.Amount
				continue
			}
			o.Label, o.OwnedBy = "", nil
			out = append(out, o)
		}
		return out, change
	}
	x, was := paid(old)
	y, is := paid(now)
	what := "pays OTHERS than"
	if slices.Equal(x, y) {
		what = "pays the same as"
	}
	if len(y) == 0 {
		what = "takes back"
	}
	more := len(now.Inputs) - len(old.Inputs)
	coins := ""
	if more > 0 {
		coins = fmt.Sprintf(", spends %s more", coinsText(more))
	}
	return fmt.Sprintf("It %s proposal %s: fee %s instead of %s, change %s instead of %s%s.", what, short(old.Proposal),
		formatAmount(now.Fee), formatAmount(old.Fee), formatAmount(is), formatAmount(was), coins)
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
