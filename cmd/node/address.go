package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/qr"
)

func (c *cli) addressCommand() *cobra.Command {
	var r api.NewAddress
	var amount, label string
	var code bool
	cmd := &cobra.Command{
		Use:   "address [WALLET]",
		Short: "Get a fresh receiving address",
		Long: `Get a fresh receiving address. Each call leases another one; exit status 4 when 20 unused ones are out. Cosigners
who ask at the same moment get different ones. If two that were apart handed out the same, ` + "`status`" + ` tells both.
With --amount or --label a bitcoin: link (BIP21) is printed for the payer; --label also labels the address, for all cosigners.
JSON: {"address","index","uri"}; uri is null without --amount, --label and --qr.`,
		Args: cobra.MaximumNArgs(1),
		RunE: withNode(c, func(ctx context.Context, node *api.Client, args []string) error {
			wallet, err := which(ctx, node, args)
			if err != nil {
				return err
			}
			var u paymentURI
			if amount != "" {
				sat, err := parseAmount(amount)
				if err != nil {
					return err
				}
				u.amount = sat
			}
			if u.label = label; shortLabel(label) != label {
				return api.Misuse("bad_label", "the label cannot be shown, or is over 256 bytes", "give plain text of one line")
			}
			if r.Peek && label != "" {
				return api.Misuse("bad_label", "what is only looked at gets no label", "leave out --peek or --label")
			}
			a, err := node.NewAddress(ctx, wallet, r)
			if err != nil {
				return err
			}
			out := newAddress{Address: a}
			u.address = a.Address
			if text := u.String(); amount != "" || label != "" || code {
				out.URI = &text
			}
			if label != "" {
				if _, err := node.SetLabels(ctx, wallet, api.SetLabels{Labels: []api.SetLabel{{Ref: a.Address, Label: label}}}); err != nil {
					c.note("The address is leased, but not labelled: %s", reason(err))
				}
			}
			return answer(c, out, func(w io.Writer, a newAddress) { c.showAddress(w, a, code) })
		}),
	}
	cmd.Flags().BoolVar(&r.Peek, "peek", false, "show the next one without leasing it")
	cmd.Flags().BoolVar(&r.BeyondGap, "beyond-gap", false, "get one although 20 unused ones are out: other wallet software may not find its coins")
	cmd.Flags().StringVar(&amount, "amount", "", "print a link that asks for this `amount`")
	cmd.Flags().StringVar(&label, "label", "", "`text` for the link, and for all cosigners")
	cmd.Flags().BoolVar(&code, "qr", false, "show the link as a QR code, on a terminal")
	return cmd
}

// newAddress is the answer of `address`.
type newAddress struct {
	api.Address
	URI *string `json:"uri"`
}

func (c *cli) showAddress(w io.Writer, a newAddress, code bool) {
	switch {
	case a.URI == nil:
		fmt.Fprintln(w, clean(a.Address.Address))
		return
	case *a.URI == uriScheme+a.Address.Address: // for the code alone
		fmt.Fprintln(w, clean(a.Address.Address))
	default:
		fmt.Fprintln(w, clean(*a.URI))
	}
	if code {
		c.showCode(w, *a.URI)
	}
}

// showCode draws a QR code where a terminal is to show it.
func (c *cli) showCode(w io.Writer, text string) {
	if !isTerminal(c.out) {
		c.note("(no terminal to show the QR code on)")
		return
	}
	picture, err := qr.Terminal(text)
	if err != nil {
		c.note("(too long for a QR code)")
		return
	}
	fmt.Fprint(w, picture)
}
