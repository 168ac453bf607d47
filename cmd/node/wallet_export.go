package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/quorate/quorate/api"
)

// exported is what the command answers with.
type exported struct {
	api.WalletFile
	File *string `json:"file"`
}

func (c *cli) walletExportCommand() *cobra.Command {
	var format, file string
	var code bool
	cmd := &cobra.Command{
		Use:   "export [WALLET]",
		Short: "Write an active wallet in a form that other wallets read",
		Long: `Write an active wallet in a form that other wallets read, to standard output or to a file.
No form holds a key that spends; each of them shows every address of the wallet.

descriptor  one line with both branches and a checksum (Sparrow, Core from 28 on, Liana, Nunchuk)
bsms        BIP129, with the first address to check (Coldcard, Nunchuk, Sparrow)
core        the argument of Bitcoin Core's importdescriptors
coldcard    the multisig text of Coldcard, Passport, Keystone, SeedSigner and others
sparrow     Sparrow's file of descriptors
caravan     Caravan and Unchained
electrum    a watch-only wallet file, to be opened with Electrum (4.0 or newer)
specter     Specter Desktop, FullyNoded
nunchuk     BSMS with a checksum
page        one page to print and keep: how to get at the money without any quorate node

JSON: {"wallet","format","content","file"}; file is null without --output.`,
		Args: cobra.MaximumNArgs(1),
		RunE: ask(c, func(ctx context.Context, node *api.Client, args []string) (exported, error) {
			wallet, err := which(ctx, node, args)
			if err != nil {
				return exported{}, err
			}
			w, err := node.ExportWallet(ctx, wallet, format)
			if err != nil || file == "" {
				return exported{WalletFile: w}, err
			}
			return exported{w, &file}, newFile(file, []byte(w.Content))
		}, func(w io.Writer, e exported) {
			if e.File != nil {
				fmt.Fprintf(w, "written to %s\n", clean(*e.File))
			} else {
				// The node has cleaned what others named.
				fmt.Fprint(w, e.Content)
			}
			if code {
				c.showCode(w, strings.TrimSpace(e.Content))
			}
		}),
	}
	cmd.Flags().StringVar(&format, "format", "descriptor", "`NAME` of the form, as above")
	cmd.Flags().BoolVar(&code, "qr", false, "show it as a QR code too, on a terminal")
	cmd.Flags().StringVarP(&file, "output", "o", "", "write to a new `FILE`, which only its owner can read")
	return cmd
}

// newFile writes a file that was not there, for its owner only, or none.
func newFile(name string, content []byte) error {
	return newFileOf(name, func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	})
}

// newFileOf is newFile of what is written piece by piece. An error of the API that comes
// from write is returned as it is.
func newFileOf(name string, write func(io.Writer) error) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return api.Refuse("file_exists", fmt.Sprintf("write: %s is there already", name), "name another file, or remove it first")
	}
	if err != nil {
		return api.Fail("not_written", err.Error(), "")
	}
	err = write(f)
	var said *api.Error
	if errors.As(err, &said) {
		_, _ = f.Close(), os.Remove(name)
		return said
	}
	err = errors.Join(err, f.Sync(), f.Close())
	if err != nil {
		return api.Fail("not_written", errors.Join(err, os.Remove(name)).Error(), "")
	}
	// The name too is to outlive a power cut; not every system lets a directory be synced.
	if dir, err := os.Open(filepath.Dir(name)); err == nil {
		_ = dir.Sync()
		_ = dir.Close()
	}
	return nil
}
