package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/quorate/quorate/api"
)

func (c *cli) walletProofCommand() *cobra.Command {
	var format, file, hosted string
	var code bool
	cmd := &cobra.Command{
		Use:   "proof [WALLET]",
		Short: "Print what a device must sign so that this node's external key is entered",
		Long: `Print what a device must sign so that this node's external key is entered: a message for the address shown, or
the same as a PSBT that can never be mined. Give the signature back with ` + "`wallet prove`" + `.
JSON: {"wallet","key","message","address","path","fingerprint","psbt"}.`,
		Args: cobra.MaximumNArgs(1),
		RunE: ask(c, func(ctx context.Context, node *api.Client, args []string) (api.Proof, error) {
			if format != "message" && format != "psbt" {
				return api.Proof{}, api.Misuse("bad_format", fmt.Sprintf("format %.20q is not known", format), "it is message or psbt")
			}
			wallet, err := which(ctx, node, args)
			if err != nil {
				return api.Proof{}, err
			}
			p, err := node.Proof(ctx, wallet, hosted)
			if err != nil || file == "" {
				return p, err
			}
			content := []byte(p.Message)
			if format == "psbt" {
				if content, err = base64.StdEncoding.DecodeString(p.PSBT); err != nil {
					return p, api.Fail("bad_answer", "the node's answer is not a PSBT", "is the node of another version?")
				}
			}
			return p, writeFile(file, content)
		}, func(w io.Writer, p api.Proof) {
			showProof(w, p, format, file, hosted)
			if text := map[string]string{"message": p.Message, "psbt": p.PSBT}[format]; code {
				c.showCode(w, text)
			}
		}),
	}
	cmd.Flags().StringVar(&format, "format", "message", "`form`: message or psbt")
	cmd.Flags().StringVar(&hosted, "for", "", "`name` of a cosigner that this node hosts, for that one's key")
	cmd.Flags().BoolVar(&code, "qr", false, "show what is to be signed as a QR code, on a terminal")
	cmd.Flags().StringVarP(&file, "output", "o", "", "write what is to be signed to this `file`")
	return cmd
}

func showProof(w io.Writer, p api.Proof, format, file, hosted string) {
	pairs(w, "key", p.Key, "sign with", p.Path, "address", p.Address)
	fmt.Fprintln(w)
	switch {
	case file != "":
		fmt.Fprintf(w, "Sign what is in %s\n", clean(file))
	case format == "psbt":
		fmt.Fprintln(w, clean(p.PSBT))
	default:
		fmt.Fprintln(w, "message, to be signed exactly as it stands:")
		fmt.Fprintln(w, clean(p.Message))
	}
	whose := ""
	if hosted != "" {
		whose = fmt.Sprintf("--for %q ", clean(hosted))
	}
	fmt.Fprintln(w, "\nThen: quorate wallet prove "+short(p.Wallet)+" "+whose+"SIGNATURE|FILE")
}

// mayWrite refuses a file that is there already, before anything is done.
func mayWrite(name string) error {
	if name == "" {
		return nil
	}
	if _, err := os.Lstat(name); err == nil {
		return api.Refuse("file_exists", fmt.Sprintf("%.200s is there already, nothing was done", name), "name another file, or remove it")
	}
	return nil
}

// writeFile writes what a command produces; one that is there already stays.
func writeFile(name string, content []byte) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if os.IsExist(err) {
		return api.Refuse("file_exists", fmt.Sprintf("%.200s is there already, nothing was written", name), "name another file, or remove it")
	}
	if err != nil {
		return api.Fail("not_written", "the file could not be made: "+err.Error(), "")
	}
	_, err = f.Write(content)
	if end := f.Close(); err == nil {
		err = end
	}
	if err != nil {
		return api.Fail("not_written", "the file could not be written: "+err.Error(), "")
	}
	return nil
}
