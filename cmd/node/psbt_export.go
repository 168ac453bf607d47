package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/quorate/quorate/api"
)

// exportedFile is the answer of `psbt export`.
type exportedFile struct {
	api.ExportedPSBT
	Format string           `json:"format"`
	File   api.Text         `json:"file"`
	Files  api.List[string] `json:"files"` // pictures
	Frames api.List[string] `json:"frames"`
}

func (c *cli) psbtExportCommand() *cobra.Command {
	var r api.ExportPSBT
	var file, format, pngs, svgs string
	var sure bool
	var cmd *cobra.Command
	cmd = &cobra.Command{
		Use:   "export PROPOSAL",
		Short: "Write a proposal as a PSBT, for a device or another wallet to sign",
		Long: `Write a proposal as a PSBT, for a device or another wallet to sign: with the whole previous transactions, all key
origins and account keys, its change marked. On a node whose key is external, and with --for-signing on any, every
rule of ` + "`approve`" + ` is asked, and the transaction counts as signed by this node's key before the file is written: it
cannot be called back. Otherwise it is a plain copy. Takes at least 32 characters of the id.
The forms bbqr and ur are QR codes: shown one after the other on a terminal until Ctrl-C, as lines of text in a file or
a pipe, or as pictures in a new directory (--png, --svg).
JSON: {"proposal","wallet","txid","psbt_version","content" (the PSBT in base64, whatever the form),"guarded","missing":["txid",…],
"format","file","files":[…],"frames":[…] (of QR codes),"warnings":[…]} as of ` + "`proposal show`" + `, where it is a plain copy.`,
		Args: cobra.ExactArgs(1),
		RunE: ask(c, func(ctx context.Context, node *api.Client, args []string) (exportedFile, error) {
			v := exportedFile{Format: format, File: api.Text(file)}
			if r.Version != 0 && r.Version != 2 {
				return v, api.Misuse("bad_version", fmt.Sprintf("PSBT version %d is not known", r.Version), "it is 0 or 2")
			}
			if err := checkForm(c, format, file, pngs, svgs); err != nil {
				return v, err
			}
			// Before the guard: a file that cannot be written is no reason to spend a signature.
			for _, name := range []string{file, pngs, svgs} {
				if err := mayWrite(name); err != nil {
					return v, err
				}
			}
			if err := c.agreedToSign(ctx, node, args[0], r.ForSigning, sure); err != nil {
				return v, err
			}
			var err error
			if v.ExportedPSBT, err = node.ExportPSBT(ctx, args[0], r); err != nil {
				return v, err
			}
			for _, id := range v.Missing {
				c.note("The previous transaction %s is not known to this node and is not in the PSBT.", clean(id))
			}
			if err := v.frames(pngs != "" || svgs != "" || !isTerminal(c.out)); err != nil {
				return v, err
			}
			if err := v.pictures(pngs, svgs); err != nil || file == "" {
				return v, err
			}
			content, err := psbtContent(v)
			if err != nil {
				return v, err
			}
			return v, writeFile(file, content)
		}, func(w io.Writer, v exportedFile) { c.showExported(cmd.Context(), w, v) }),
	}
	cmd.Flags().IntVar(&r.Version, "version", 0, "PSBT `version`: 0 or 2")
	cmd.Flags().BoolVar(&r.ForSigning, "for-signing", false, "this node's own key will sign it elsewhere: guard it as a signature")
	cmd.Flags().StringVarP(&file, "output", "o", "", "write to this `file`")
	cmd.Flags().StringVar(&format, "format", "base64", "`form`: base64, binary, bbqr or ur")
	cmd.Flags().StringVar(&pngs, "png", "", "with bbqr or ur: write the codes as PNG into this new `directory`")
	cmd.Flags().StringVar(&svgs, "svg", "", "with bbqr or ur: write the codes as SVG into this new `directory`")
	yesFlag(cmd, &sure)
	allowFlag(cmd, &r.Allow)
	return cmd
}

// agreedToSign asks before a PSBT is written that counts as signed from then on: one for
// this node's own key, which is on a device, or with --for-signing. A plain copy is
// written without a question.
func (c *cli) agreedToSign(ctx context.Context, node *api.Client, id string, forSigning, sure bool) error {
	if sure || c.asker() == nil {
		return nil
	}
	if !forSigning {
		page, err := node.Pending(ctx, api.PendingQuery{Limit: api.MaxPage})
		if err != nil {
			return err
		}
		forSigning = slices.ContainsFunc(page.Items, func(x api.Pending) bool {
			return x.Kind == api.PendingSign && x.Proposal != nil && strings.HasPrefix(*x.Proposal, id)
		})
	}
	if !forSigning {
		return nil
	}
	return c.agreedOn(ctx, node, id, false, "Write it to be signed? It counts as signed from then on.")
}

// psbtContent is what is written in the form asked for.
func psbtContent(v exportedFile) ([]byte, error) {
	switch {
	case len(v.Frames) > 0:
		return []byte(strings.Join(v.Frames, "\n") + "\n"), nil
	case v.Format == "base64":
		return []byte(v.PSBT + "\n"), nil
	}
	raw, err := base64.StdEncoding.DecodeString(v.PSBT)
	if err != nil {
		return nil, api.Fail("bad_answer", "the node's answer is not a PSBT", "is the node of another version?")
	}
	return raw, nil
}

func (c *cli) showExported(ctx context.Context, w io.Writer, v exportedFile) {
	if v.File == "" && len(v.Files) == 0 {
		if len(v.Frames) > 0 && isTerminal(c.out) {
			c.animate(ctx, w, v.Frames)
			return
		}
		// An error here is one of the answer, which a node of this version does not give.
		content, err := psbtContent(v)
		if err == nil {
			_, err = w.Write(content)
		}
		if err != nil {
			fmt.Fprintln(w, clean(v.PSBT))
		}
		return
	}
	pairs(w, "file", string(v.File), "txid", v.TxID)
	for _, name := range v.Files {
		fmt.Fprintln(w, clean(name))
	}
	if v.Guarded {
		fmt.Fprintln(w, "It counts as signed by the key that it is for. When the device has signed it: quorate psbt import FILE")
	}
	for _, x := range v.Warnings {
		fmt.Fprintf(w, "warning (%s): %s\n", clean(x.Code), clean(strings.TrimSpace(x.Message)))
	}
}
