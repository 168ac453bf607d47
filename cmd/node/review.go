package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/display"
)

// maxListed is how many coins of a payment are listed for people; --json has all of
// them. Payees are all listed, however many: what is not shown is not agreed to.
const maxListed = 40

// payment is what a person looks at before and after a payment is proposed or approved.
type payment struct {
	inputs   []api.TxInput
	outputs  []api.TxOutput
	fee      int64
	rate     float64
	note     string
	warnings []api.Warning
}

// show writes whom it pays, what it costs and what it spends. Every address is whole: to
// compare it is what a person is asked for.
func (p payment) show(w io.Writer) {
	var pays, change, spent int64
	amounts := []int64{p.fee}
	for _, o := range p.outputs {
		if o.Change {
			change += o.Amount
		} else {
			pays += o.Amount
		}
		amounts = append(amounts, o.Amount)
	}
	for _, i := range p.inputs {
		spent += i.Amount
		amounts = append(amounts, i.Amount)
	}
	unit := display.UnitOf(append(amounts, pays+p.fee)...)
	wide := 0
	for _, a := range append(amounts, pays+p.fee, spent) {
		wide = max(wide, len(unit.Of(a)))
	}
	line := func(what string, sat int64, more string) {
		fmt.Fprintln(w, strings.TrimRight(fmt.Sprintf("%-9s %*s  %s", what, wide, unit.Of(sat), more), " "))
	}
	for _, o := range p.outputs {
		if o.Change {
			continue
		}
		label := ""
		if o.Label != "" {
			label = "label (unverified): " + clean(string(o.Label))
		}
		line("pays", o.Amount, label)
		fmt.Fprintf(w, "          %s\n", paint(w, bold, clean(o.Address)))
		if whose := ownerText(o); whose != "" {
			fmt.Fprintf(w, "          %s\n", whose)
		}
	}
	share := ""
	if pays > 0 {
		share = fmt.Sprintf(", %.2g %% of what is paid", 100*float64(p.fee)/float64(pays))
	}
	line("fee", p.fee, fmt.Sprintf("%.3g sat/vB%s", p.rate, share))
	line("total", pays+p.fee, "")
	for _, o := range p.outputs {
		if o.Change {
			line("change", o.Amount, "comes back to the wallet")
			fmt.Fprintf(w, "          %s\n", clean(o.Address))
		}
	}
	fmt.Fprintf(w, "%-9s %*s  in %s\n", "spends", wide, unit.Of(spent), coinsText(len(p.inputs)))
	for n, i := range p.inputs {
		if n == maxListed {
			fmt.Fprintf(w, "          and %d more\n", len(p.inputs)-n)
			break
		}
		txid, vout, _ := strings.Cut(clean(i.OutPoint), ":")
		if narrow(w) {
			txid = cut(txid, 20)
		}
		line("", i.Amount, txid+":"+vout+yes(i.Confirmations == 0, ", not confirmed")+yes(i.Frozen != nil, ", "+frozenText(i.Frozen)))
	}
	if p.note != "" {
		fmt.Fprintf(w, "note      %s (unverified)\n", clean(p.note))
	}
}

// ownerText says whose address an output pays, where this node knows.
func ownerText(o api.TxOutput) string {
	switch {
	case o.Own:
		return "an address of this wallet itself"
	case o.OwnedBy != nil:
		return "an address of wallet " + clean(o.OwnedBy.Name) + ", which is on this node too"
	}
	return ""
}

func coinsText(n int) string {
	if n == 1 {
		return "1 coin"
	}
	return fmt.Sprintf("%d coins", n)
}

func showWarnings(w io.Writer, list []api.Warning) {
	for _, x := range list {
		fmt.Fprintf(w, "%s (%s): %s\n", paint(w, yellow, "warning"), clean(x.Code), clean(x.Message))
	}
}

// showCautions shows what refuses nothing.
func showCautions(w io.Writer, list []api.Caution) {
	for _, x := range list {
		fmt.Fprintf(w, "%s (%s): %s\n", paint(w, yellow, "look twice"), clean(x.Code), clean(x.Message))
	}
}

// draftPayment is what a draft would pay.
func draftPayment(d api.Draft) payment {
	return payment{inputs: d.Inputs, outputs: d.Outputs, fee: d.Fee, rate: d.FeeRate, note: string(d.Note), warnings: d.Warnings}
}

// proposedPayment is what a proposal pays.
func proposedPayment(p api.Proposal) payment {
	return payment{inputs: p.Inputs, outputs: p.Outputs, fee: p.Fee, rate: p.FeeRate, note: string(p.Note), warnings: p.Warnings}
}

// showDraft shows what would be proposed.
func showDraft(w io.Writer, d api.Draft) {
	if d.Proposal != nil {
		fmt.Fprintf(w, "The same request gave proposal %s before.\nNothing else would be proposed.\n", idFor(w, *d.Proposal))
		return
	}
	fmt.Fprintf(w, "Payment from %s: nothing is signed or written yet.\n\n", paint(w, bold, clean(d.WalletName)))
	draftPayment(d).show(w)
	expires := ""
	if d.Expires != nil {
		expires = when(*d.Expires)
	}
	pairs(w, "expires", expires, "txid", d.TxID, "replaces", strings.Join(d.Replaces, " "), "unconfirmed", unconfirmed(d.UnconfirmedCount))
	switch d.FeeSource {
	case "estimate":
		fmt.Fprintln(w, "The fee rate is the Bitcoin node's estimate.")
	case "blocks":
		fmt.Fprintln(w, "The fee rate is an estimate, from what was paid in the last blocks: --fee-rate says another one.")
	}
	if d.LeftCount > 0 {
		fmt.Fprintf(w, "stays     %s in %s: leased, not spendable, or not worth a fee\n", formatAmount(d.Left), coinsText(d.LeftCount))
	}
	switch {
	case d.External:
		fmt.Fprintf(w, "It takes %s. This node's key is on a device: next is `quorate psbt export`.\n", signatures(d.Threshold))
	case d.Signs:
		fmt.Fprintf(w, "It takes %s; this node gives one.\n", signatures(d.Threshold))
	default:
		fmt.Fprintf(w, "It takes %s; this node gives none yet.\n", signatures(d.Threshold))
	}
	showWarnings(w, d.Warnings)
	showCautions(w, d.Cautions)
}

func signatures(n int) string {
	if n == 1 {
		return "1 signature"
	}
	return fmt.Sprintf("%d signatures", n)
}

// agreedOn shows a proposal and asks, where somebody can be asked.
func (c *cli) agreedOn(ctx context.Context, node *api.Client, id string, yes bool, question string) error {
	if err := api.CheckProposal(id, true); err != nil {
		return err
	}
	if yes || c.asker() == nil {
		return nil
	}
	p, err := node.Proposal(ctx, id)
	if err != nil {
		return err
	}
	showReview(c.paper(c.err), p)
	c.note("")
	return c.agreed(ctx, false, question)
}

// idFor is an id to act on: as much as that takes where a line has to fit.
func idFor(w io.Writer, id string) string {
	if narrow(w) {
		id = id[:min(len(id), api.MinAct)]
	}
	return clean(id)
}

// painted shows a status of a proposal.
func painted(w io.Writer, status string) string {
	c := red
	switch status {
	case api.StatusPending:
		c = yellow
	case api.StatusFinal, api.StatusBroadcast, api.StatusConfirmed:
		c = green
	}
	return paint(w, c, clean(status))
}
