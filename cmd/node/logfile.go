package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/ops"
)

// logExported is the answer of `log export`.
type logExported struct {
	File string `json:"file"`
	ops.LogProof
}

const logProofJSON = `"wallet","name","network","threshold","exporter":PERSON,"as_of","keys","only":[…],"cosigners":[PERSON,…],
"entry_count","opened_count","sealed":[{"by":PERSON,"entry_count"}],"proposals":[{"proposal","txid","author":PERSON,"status",
"approvals":[{"cosigner":PERSON,"time","signature_count"}],"rejections":[{"cosigner":PERSON,"reason","time"}],
"mined":{"txid","height","block"}}],"frontier":[{"by":PERSON,"incarnation","seq","past_fork_count"}],
"forks":[{"by":PERSON,"incarnation","seq","entries":[…]}],"reused_nonces":[…],"log":[…]`

func (c *cli) logExportCommand() *cobra.Command {
	var r api.ExportLog
	var yes bool
	cmd := &cobra.Command{
		Use:   "export FILE [WALLET]",
		Short: "Write the log to a file that an outsider can check without a node",
		Long: `Write the log of a wallet to a new file: every entry with its author's signature, and of each the key that opens this
entry alone. Whoever has the file can check it with ` + "`quorate log verify FILE`" + `: who proposed, signed and voted, that nothing
was changed, taken out of the middle or put in another order, and that each Bitcoin signature is over the transaction proposed. It is
signed by this node, with the time and how far each cosigner's entries go.

The file holds the cosigners' extended public keys: whoever has it knows every address of the wallet, past and coming.
--without-keys leaves them sealed; then names are not tied to keys, and no Bitcoin signature can be verified. With
--proposal only that proposal is opened, and who is who; all other entries are in the file, sealed.

JSON: {"file",` + logProofJSON + `}.`,
		Args: cobra.RangeArgs(1, 2),
		RunE: ask(c, func(ctx context.Context, node *api.Client, args []string) (logExported, error) {
			none := logExported{}
			wallet, err := which(ctx, node, args[1:])
			if err != nil {
				return none, err
			}
			if !r.WithoutKeys {
				if err := c.agreed(ctx, yes, "The file will hold the cosigners' xpubs: whoever has it knows every address of the wallet, past and coming. Write it?"); err != nil {
					return none, err
				}
			}
			err = newFileOf(args[0], func(w io.Writer) error { return node.ExportLog(ctx, wallet, r, w) })
			if err != nil {
				return none, err
			}
			v, err := verifyFile(args[0], false)
			if err != nil {
				return none, errors.Join(err, os.Remove(args[0]))
			}
			return logExported{args[0], v}, nil
		}, func(w io.Writer, v logExported) {
			fmt.Fprintf(w, "written to %s: %d of %d entries are opened\n", clean(v.File), v.Opened, v.Entries)
			if v.Keys {
				fmt.Fprintln(w, "It holds the xpubs: whoever has it knows every address of the wallet.")
			}
			showReused(w, v.LogProof)
			fmt.Fprintln(w, "Whoever gets it checks it with: quorate log verify FILE")
		}),
	}
	f := cmd.Flags()
	f.StringArrayVar(&r.Proposals, "proposal", nil, "open only what is about this `PROPOSAL`, and who is who; may be repeated")
	f.BoolVar(&r.WithoutKeys, "without-keys", false, "leave the cosigners' xpubs sealed")
	f.BoolVar(&yes, "yes", false, "do not ask")
	return cmd
}

func (c *cli) logVerifyCommand() *cobra.Command {
	var entries bool
	cmd := &cobra.Command{
		Use:   "verify FILE",
		Short: "Check an exported log, without a node",
		Long: `Check a file that ` + "`quorate log export`" + ` wrote, and say what it proves. No node is needed. A file is refused (exit status 4)
where a byte was changed, an entry is missing or out of its order, a signature is not its author's, an entry does not open with
its key, the chains end elsewhere than the exporter said, or the exporter is no cosigner.

What it cannot show: that nobody wrote more after the place to which the file goes, which is the exporter's word; what is sealed
in it; what became of a transaction on the chain, beyond the exporter's word; and that an author and the exporter did not together
prepare an entry that opens in two ways. Signatures cannot be made up. Compare the wallet's id, or its cosigners' peer
ids, with what you know from elsewhere: anybody can make a wallet of his own.

JSON: {` + logProofJSON + `}.`,
		Args: cobra.ExactArgs(1),
		RunE: c.action(func(_ context.Context, args []string) error {
			v, err := verifyFile(args[0], entries)
			if err != nil {
				return err
			}
			return answer(c, v, showLogProof)
		}),
	}
	cmd.Flags().BoolVar(&entries, "entries", false, "tell each entry, too")
	return cmd
}

func verifyFile(name string, entries bool) (ops.LogProof, error) {
	f, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return ops.LogProof{}, api.Missing("no_file", "there is no file "+name, "")
	}
	if err != nil {
		return ops.LogProof{}, api.Fail("not_read", err.Error(), "")
	}
	defer func() { _ = f.Close() }()
	return ops.VerifyLog(f, entries)
}

func showReused(w io.Writer, v ops.LogProof) {
	for _, id := range v.Reused {
		fmt.Fprintf(w, "WARNING  entry %s was sealed with a nonce whose beginning its author used before: one key opens both\n", clean(short(id)))
	}
}

func showLogProof(w io.Writer, v ops.LogProof) {
	fmt.Fprintln(w, paint(w, green, "it holds: every entry is signed by its author, in order, and nothing was changed"))
	keys := "names are tied to keys, and every Bitcoin signature was verified"
	if !v.Keys {
		keys = "none in the file: names are not tied to keys, and no Bitcoin signature was verified"
	}
	var names []string
	for _, p := range v.Cosigners {
		names = append(names, p.Called())
	}
	pairs(w, "wallet", fmt.Sprintf("%s (%s)", clean(v.Name), v.Wallet), "network", v.Network,
		"as of", v.AsOf.UTC().Format("2006-01-02 15:04:05 UTC")+", as "+clean(v.Exporter.Called())+" says", "cosigners", clean(strings.Join(names, ", ")),
		"threshold", fmt.Sprint(v.Threshold), "keys", keys, "entries", fmt.Sprintf("%d, of which %d are opened", v.Entries, v.Opened))
	for _, s := range v.Sealed {
		fmt.Fprintf(w, "sealed: %d by %s\n", s.Count, clean(s.By.Called()))
	}
	for _, f := range v.Forks {
		fmt.Fprintf(w, "WARNING  %s wrote two entries number %d: %s and %s\n", clean(f.By.Called()), f.Seq, short(f.Entries[0]), short(f.Entries[1]))
	}
	showReused(w, v)
	if len(v.Proposals) > 0 {
		fmt.Fprintln(w)
		rows := [][]string{{"PROPOSAL", "STATUS", "BY", "SIGNED", "AGAINST", "IN A BLOCK (EXPORTER'S WORD)"}}
		for _, p := range v.Proposals {
			var signed, against []string
			for _, a := range p.Approvals {
				signed = append(signed, a.Cosigner.Called())
			}
			for _, a := range p.Rejections {
				against = append(against, a.Cosigner.Called())
			}
			block := ""
			if p.Mined != nil {
				block = fmt.Sprintf("%d %s", p.Mined.Height, p.Mined.Block)
			}
			rows = append(rows, []string{short(p.Proposal), string(p.Status), p.Author.Called(), strings.Join(signed, ", "), strings.Join(against, ", "), block})
		}
		table(w, rows, shrink{5, 12}, shrink{3, 8}, shrink{4, 0}, shrink{2, 0})
	}
	fmt.Fprintln(w)
	rows := [][]string{{"THE FILE GOES AS FAR AS", "ENTRY", "PAST A FORK"}}
	for _, e := range v.Frontier {
		who := e.By.Called()
		if e.Incarnation > 1 {
			who += fmt.Sprintf(" (after restore %d)", e.Incarnation-1)
		}
		rows = append(rows, []string{who, fmt.Sprint(e.Seq), fmt.Sprint(e.Loose)})
	}
	table(w, rows, shrink{0, 20}, shrink{2, 0})
	if len(v.Log) > 0 {
		fmt.Fprintln(w)
		showLog(w, api.Page[api.LogEntry]{Items: v.Log})
	}
}
