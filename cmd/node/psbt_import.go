package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/ops"
)

func (c *cli) psbtImportCommand() *cobra.Command {
	var r api.ImportPSBT
	var sure bool
	cmd := &cobra.Command{
		Use:   "import FILE|DIR|-",
		Short: "Take in a PSBT that a device, a colleague or another wallet signed",
		Long: `Take in a PSBT that a device, a colleague or another wallet signed, in base64, hex or binary, by itself or in what a
program or a mail puts around it, of version 0 or 2; or the finished transaction, which the last signer may write instead;
or the frames of a BBQr or a UR (crypto-psbt), one a line in any order; or a PNG of such a code, or a directory with a
PNG of each.
Each signature is verified against the proposal as this node derives it. Those that are new are entered: by this
node's key as its approval, by the rules of ` + "`approve`" + `; by others as carried. A PSBT that changed anything is refused,
and what it changed is named. On a terminal it first shows the payment and whose signatures are new, and asks (--yes does not).
JSON: {"proposal","wallet","txid","status","added":[{"cosigner":PERSON,"signature_count","own"}],"known_count","signed_count","threshold"}.`,
		Args: cobra.ExactArgs(1),
		RunE: ask(c, func(ctx context.Context, node *api.Client, args []string) (api.ImportedPSBT, error) {
			content, err := c.readPSBT(args[0])
			if err != nil {
				return api.ImportedPSBT{}, err
			}
			if r.PSBT, err = ops.SlimPSBT(content); err != nil {
				return api.ImportedPSBT{}, err
			}
			if err := c.agreedToTake(ctx, node, r, sure); err != nil {
				return api.ImportedPSBT{}, err
			}
			return node.ImportPSBT(ctx, r)
		}, showImported),
	}
	yesFlag(cmd, &sure)
	allowFlag(cmd, &r.Allow)
	return cmd
}

// agreedToTake shows on a terminal what a PSBT brings, and asks before it is entered: a
// signature that the others have cannot be called back, and the last one sends the money.
func (c *cli) agreedToTake(ctx context.Context, node *api.Client, r api.ImportPSBT, sure bool) error {
	if sure || c.asker() == nil {
		return nil
	}
	r.DryRun = true
	v, err := node.ImportPSBT(ctx, r)
	if err != nil || len(v.Added) == 0 {
		return err
	}
	p, err := node.Proposal(ctx, v.Proposal)
	if err != nil {
		return err
	}
	w := c.paper(c.err)
	showReview(w, p)
	fmt.Fprintln(w)
	showAdded(w, v)
	c.note("")
	return c.agreed(ctx, false, "Take these signatures in? They cannot be called back.")
}

// maxPSBTFile bounds a file: 16 MiB of PSBT, in hex.
const maxPSBTFile = 33 << 20

func (c *cli) readPSBT(name string) ([]byte, error) {
	if info, err := os.Stat(name); err == nil && info.IsDir() {
		return c.readPictures(name)
	}
	b, err := c.readFile(name, maxPSBTFile)
	if err != nil {
		return nil, api.Misuse("bad_psbt", "the PSBT could not be read: "+err.Error(), "name a file, or - for standard input")
	}
	if b, err = scanned(name, b); err != nil {
		return nil, err
	}
	return joined(b)
}

func showAdded(w io.Writer, v api.ImportedPSBT) {
	for _, x := range v.Added {
		fmt.Fprintf(w, "new: %d signature(s) of %s\n", x.Signatures, clean(x.Cosigner.Called()))
	}
}

func showImported(w io.Writer, v api.ImportedPSBT) {
	showAdded(w, v)
	if len(v.Added) == 0 {
		fmt.Fprintln(w, "nothing new: all its signatures were held already")
	}
	pairs(w, "proposal", v.Proposal, "txid", v.TxID, "status", v.Status, "signed", fmt.Sprintf("%d of %d", v.Signed, v.Threshold))
}
