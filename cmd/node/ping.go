package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/quorate/quorate/api"
)

func (c *cli) pingCommand() *cobra.Command {
	var r api.Ping
	var form proofForm
	cmd := &cobra.Command{
		Use:   "ping [WALLET] [SIGNATURE|FILE|-]",
		Short: "Have every key of a wallet show that somebody holds it",
		Long: `Ask every key of a wallet for a signature that moves nothing, or join the round that a cosigner asked for within the last 7 days
(--new asks anew; a node asks once in 24 hours). This node's key answers at once, and other nodes answer by themselves, once a day at most.
A key on a device answers by hand: the command prints what is to be signed, a message or (--format psbt) a PSBT that can never be mined,
and takes the signature as its second argument, from a file, or on standard input, as ` + "`wallet prove`" + ` does. --for does so for a
cosigner without a node. ` + "`presence`" + ` shows which keys answered, and ` + "`pending`" + ` what is to be answered here.
JSON: {"wallet","wallet_name","cosigner":PERSON,"round","asked","asked_by":PERSON,"new","answered","sign":{"wallet","key","message",
"address","path","fingerprint","psbt"}}; sign is null where nothing is left to be signed.`,
		Args: cobra.MaximumNArgs(2),
		RunE: ask(c, func(ctx context.Context, node *api.Client, args []string) (api.Pinged, error) {
			if err := form.check(); err != nil {
				return api.Pinged{}, err
			}
			n := 0
			if len(args) == 1 && maySign(args[0]) {
				n = 1 // it is the signature, not the wallet
			}
			wallet, rest, err := whichAnd(ctx, node, args, n)
			if err != nil {
				return api.Pinged{}, err
			}
			if len(rest) > 0 {
				if r.New || form.file != "" || form.code {
					return api.Pinged{}, api.Misuse("bad_request", "a signature answers a ping, and asks for none", "leave --new, --output and --qr out")
				}
				signature, err := c.signatureText(rest[0])
				if err == nil && signature == "" {
					err = api.Misuse("bad_proof", "the signature is empty", "`quorate ping` prints what is to be signed")
				}
				if err != nil {
					return api.Pinged{}, err
				}
				return node.AnswerPing(ctx, wallet, api.AnswerPing{For: r.For, Signature: signature})
			}
			if err := mayWrite(form.file); err != nil {
				return api.Pinged{}, err
			}
			p, err := node.Ping(ctx, wallet, r)
			if err != nil || form.file == "" {
				return p, err
			}
			if p.Sign == nil {
				return p, api.Refuse("nothing_to_sign", "nothing is left to be signed, no file was written", "`quorate presence` shows which keys answered")
			}
			content, err := form.content(*p.Sign)
			if err != nil {
				return p, err
			}
			return p, writeFile(form.file, content)
		}, func(w io.Writer, p api.Pinged) { c.showPinged(w, p, form, r.For) }),
	}
	cmd.Flags().BoolVar(&r.New, "new", false, "ask anew although a round is open")
	form.flags(cmd)
	cmd.Flags().StringVar(&r.For, "for", "", "`name` of a cosigner without a node, whose device is to sign")
	allowFlag(cmd, &r.Allow)
	return cmd
}

func (c *cli) showPinged(w io.Writer, p api.Pinged, form proofForm, hosted string) {
	by := clean(p.AskedBy.Called())
	switch {
	case p.Answered && p.New:
		fmt.Fprintln(w, "Asked every key for a signature, and answered with this node's. Nodes that are online answer within a minute.")
	case p.Answered:
		fmt.Fprintf(w, "The key of %s has answered what %s asked on %s.\n", clean(p.Cosigner.Called()), by, when(p.Asked))
	case p.New:
		fmt.Fprintf(w, "Asked every key for a signature. The key of %s answers with its device:\n\n", clean(p.Cosigner.Called()))
	default:
		fmt.Fprintf(w, "%s asked on %s. The key of %s answers with its device:\n\n", by, when(p.Asked), clean(p.Cosigner.Called()))
	}
	if p.Sign == nil {
		fmt.Fprintln(w, "quorate presence "+short(p.Wallet)+" shows who answered")
		return
	}
	showToSign(w, *p.Sign, form)
	whose := ""
	if hosted != "" {
		whose = fmt.Sprintf("--for %q ", clean(hosted))
	}
	fmt.Fprintln(w, "\nThen: quorate ping "+short(p.Wallet)+" "+whose+"SIGNATURE|FILE")
	if form.code {
		c.showCode(w, form.text(*p.Sign))
	}
}

// proofForm is how what a device is to sign is handed out.
type proofForm struct {
	format, file string
	code         bool
}

func (f *proofForm) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.format, "format", "message", "`form`: message or psbt")
	cmd.Flags().BoolVar(&f.code, "qr", false, "show what is to be signed as a QR code, on a terminal")
	cmd.Flags().StringVarP(&f.file, "output", "o", "", "write what is to be signed to this `file`")
}

func (f *proofForm) check() error {
	if f.format != "message" && f.format != "psbt" {
		return api.Misuse("bad_format", fmt.Sprintf("format %.20q is not known", f.format), "it is message or psbt")
	}
	return nil
}

func (f *proofForm) text(p api.Proof) string {
	if f.format == "psbt" {
		return p.PSBT
	}
	return p.Message
}

// content is what the file holds.
func (f *proofForm) content(p api.Proof) ([]byte, error) {
	if f.format != "psbt" {
		return []byte(p.Message), nil
	}
	content, err := base64.StdEncoding.DecodeString(p.PSBT)
	if err != nil {
		return nil, api.Fail("bad_answer", "the node's answer is not a PSBT", "is the node of another version?")
	}
	return content, nil
}

// showToSign says what a device has to sign.
func showToSign(w io.Writer, p api.Proof, form proofForm) {
	pairs(w, "key", p.Key, "sign with", p.Path, "address", p.Address)
	fmt.Fprintln(w)
	switch {
	case form.file != "":
		fmt.Fprintf(w, "Sign what is in %s\n", clean(form.file))
	case form.format == "psbt":
		fmt.Fprintln(w, clean(p.PSBT))
	default:
		fmt.Fprintln(w, "message, to be signed exactly as it stands:")
		fmt.Fprintln(w, clean(p.Message))
	}
}
