package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/filetext"
)

func (c *cli) walletProveCommand() *cobra.Command {
	var r api.ProveWallet
	cmd := &cobra.Command{
		Use:   "prove [WALLET] [SIGNATURE|FILE|-]",
		Short: "Enter this node's external key, with the signature of what `wallet proof` prints",
		Long: `Enter this node's external key, with the signature of what ` + "`wallet proof`" + ` prints: a signed message (also BIP322), or
the signed PSBT, in base64, hex or binary, in armor, JSON or whatever a device writes; as an argument, in a file, or on
standard input. With --unproven it is
entered without, and every other cosigner has to accept it by name.
JSON: {"wallet","name","state"}.`,
		Args: cobra.MaximumNArgs(2),
		RunE: ask(c, func(ctx context.Context, node *api.Client, args []string) (api.WalletSummary, error) {
			r.Signature = ""
			n := 0
			if len(args) == 1 && !r.Unproven && maySign(args[0]) {
				n = 1 // it is the signature, not the wallet
			}
			wallet, rest, err := whichAnd(ctx, node, args, n)
			if err != nil {
				return api.WalletSummary{}, err
			}
			if len(rest) > 0 {
				if r.Signature, err = c.signatureText(rest[0]); err != nil {
					return api.WalletSummary{}, err
				}
			}
			if (r.Signature == "") != r.Unproven {
				return api.WalletSummary{}, api.Misuse("bad_proof", "give either a signature or --unproven", "`quorate wallet proof` prints what is to be signed")
			}
			return node.ProveWallet(ctx, wallet, r)
		}, showSummary),
	}
	cmd.Flags().StringVar(&r.For, "for", "", "`name` of a cosigner that this node hosts, whose key it is")
	cmd.Flags().BoolVar(&r.Unproven, "unproven", false, "enter the key although nothing shows that anybody holds it")
	return cmd
}

// Limits of a proof: of a file, which may be UTF-16 or a mail, and of what a
// request holds of it.
const (
	maxProofFile = 64 << 10
	maxProof     = 16 << 10
)

// maySign says whether a single argument is a proof rather than a wallet: no name and
// no id of one is as long.
func maySign(arg string) bool {
	info, err := os.Stat(arg)
	return arg == "-" || len(arg) > 64 || err == nil && info.Mode().IsRegular()
}

// signatureText reads a proof from an argument, a file of that name, or
// standard input; what is binary comes out in base64.
func (c *cli) signatureText(arg string) (string, error) {
	raw := []byte(arg)
	var err error
	if arg == "-" {
		raw, err = io.ReadAll(io.LimitReader(c.in, maxProofFile+1))
	} else if info, e := os.Stat(arg); e == nil && info.Mode().IsRegular() {
		if info.Size() > maxProofFile {
			return "", api.Misuse("bad_proof", fmt.Sprintf("%.200s is too long to be a signature", arg), "")
		}
		raw, err = os.ReadFile(arg)
	}
	if err != nil {
		return "", api.Misuse("bad_proof", "the signature could not be read: "+err.Error(), "")
	}
	text, ok := filetext.Text(raw)
	if !ok {
		text = base64.StdEncoding.EncodeToString(raw)
	}
	if text = strings.TrimSpace(text); len(text) > maxProof {
		return "", api.Misuse("bad_proof", "it is too long to be a signature", "")
	}
	return text, nil
}
