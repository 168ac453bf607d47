package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/quorate/quorate/api"
)

// exportedFile is the answer of `psbt export`.
type exportedFile struct {
	api.ExportedPSBT
	Format string `json:"format"`
	File   string `json:"file,omitempty"`
}

func (c *cli) psbtExportCommand() *cobra.Command {
	var r api.ExportPSBT
	var file, format string
	cmd := &cobra.Command{
		Use:   "export PROPOSAL",
		Short: "Write a proposal as a PSBT, for a device or another wallet to sign",
		Long: `Write a proposal as a PSBT, for a device or another wallet to sign: with the whole previous transactions, all key
origins and account keys, its change marked. On a node whose key is external, and with --for-signing on any, every
rule of ` + "`approve`" + ` is asked, and the transaction counts as signed by this node's key before the file is written: it
cannot be called back. Otherwise it is a plain copy. Takes at least 32 characters of the id.
JSON: {"proposal","wallet","txid","version","psbt","guarded","missing":["txid",…],"format","file"}; "warnings" as of
` + "`proposal show`" + `, where it is a plain copy.`,
		Args: cobra.ExactArgs(1),
		RunE: ask(c, func(ctx context.Context, node *api.Client, args []string) (exportedFile, error) {
			v := exportedFile{Format: format, File: file}
			if r.Version != 0 && r.Version != 2 {
				return v, api.Misuse("bad_version", fmt.Sprintf("PSBT version %d is not known", r.Version), "it is 0 or 2")
			}
			if format != "base64" && format != "binary" {
				return v, api.Misuse("bad_format", fmt.Sprintf("format %.20q is not known", format), "it is base64 or binary")
			}
			if format == "binary" && file == "" && !c.json && isTerminal(c.out) {
				return v, api.Misuse("bad_format", "binary is not for a terminal", "name a file with -o")
			}
			// Before the guard: a file that cannot be written is no reason to spend a signature.
			if err := mayWrite(file); err != nil {
				return v, err
			}
			var err error
			if v.ExportedPSBT, err = node.ExportPSBT(ctx, args[0], r); err != nil {
				return v, err
			}
			for _, id := range v.Missing {
				c.note("The previous transaction %s is not known to this node and is not in the PSBT.", clean(id))
			}
			if file == "" {
				return v, nil
			}
			content, err := psbtContent(v)
			if err != nil {
				return v, err
			}
			return v, writeFile(file, content)
		}, showExported),
	}
	cmd.Flags().IntVar(&r.Version, "version", 0, "PSBT `version`: 0 or 2")
	cmd.Flags().BoolVar(&r.ForSigning, "for-signing", false, "this node's own key will sign it elsewhere: guard it as a signature")
	cmd.Flags().StringVarP(&file, "output", "o", "", "write to this `file`")
	cmd.Flags().StringVar(&format, "format", "base64", "`form`: base64 or binary")
	allowFlag(cmd, &r.Allow)
	return cmd
}

// psbtContent is what is written in the form asked for.
func psbtContent(v exportedFile) ([]byte, error) {
	if v.Format == "base64" {
		return []byte(v.PSBT + "\n"), nil
	}
	raw, err := base64.StdEncoding.DecodeString(v.PSBT)
	if err != nil {
		return nil, api.Fail("bad_answer", "the node's answer is not a PSBT", "is the node of another version?")
	}
	return raw, nil
}

func showExported(w io.Writer, v exportedFile) {
	if v.File == "" {
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
	pairs(w, "file", v.File, "txid", v.TxID)
	if v.Guarded {
		fmt.Fprintln(w, "It counts as signed by this node's key. When the device has signed it: quorate psbt import FILE")
	}
	for _, x := range v.Warnings {
		fmt.Fprintf(w, "warning (%s): %s\n", clean(x.Code), clean(strings.TrimSpace(x.Message)))
	}
}
