package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/quorate/quorate/api"
)

func (c *cli) walletProofCommand() *cobra.Command {
	var form proofForm
	var hosted string
	cmd := &cobra.Command{
		Use:   "proof [WALLET]",
		Short: "Print what a device must sign so that this node's external key is entered",
		Long: `Print what a device must sign so that this node's external key is entered: a message for the address shown, or
the same as a PSBT that can never be mined. Give the signature back with ` + "`wallet prove`" + `.
JSON: {"wallet","key","message","address","path","fingerprint","psbt"}.`,
		Args: cobra.MaximumNArgs(1),
		RunE: ask(c, func(ctx context.Context, node *api.Client, args []string) (api.Proof, error) {
			if err := form.check(); err != nil {
				return api.Proof{}, err
			}
			wallet, err := which(ctx, node, args)
			if err != nil {
				return api.Proof{}, err
			}
			p, err := node.Proof(ctx, wallet, hosted)
			if err != nil || form.file == "" {
				return p, err
			}
			content, err := form.content(p)
			if err != nil {
				return p, err
			}
			return p, writeFile(form.file, content)
		}, func(w io.Writer, p api.Proof) {
			showProof(w, p, form, hosted)
			if form.code {
				c.showCode(w, form.text(p))
			}
		}),
	}
	form.flags(cmd)
	cmd.Flags().StringVar(&hosted, "for", "", "`name` of a cosigner that this node hosts, for that one's key")
	return cmd
}

func showProof(w io.Writer, p api.Proof, form proofForm, hosted string) {
	showToSign(w, p, form)
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
