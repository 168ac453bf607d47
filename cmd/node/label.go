package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/ops"
)

func (c *cli) labelCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "label [WALLET] REF TEXT",
		Short: "Give a transaction, an address or a coin a label that all cosigners see",
		Long: `Give a transaction (its txid), a receive or change address of the wallet, or an output (TXID:VOUT) a label that all
cosigners see: in ` + "`coins`" + `, in ` + "`history`" + ` and in ` + "`labels list`" + `. It takes the place of the one that shows; an empty TEXT
takes that away. A label is at most 256 bytes, and what is not the wallet's is refused (exit status 4). A repeat
changes nothing.
JSON: {"wallet","set_count","unchanged_count","not_of_wallet_count"}.`,
		Args: cobra.RangeArgs(2, 3),
		RunE: ask(c, func(ctx context.Context, node *api.Client, args []string) (api.LabelsSet, error) {
			wallet, rest, err := whichAnd(ctx, node, args, 2)
			if err != nil {
				return api.LabelsSet{}, err
			}
			ref, label := rest[0], rest[1]
			if len(label) > 256 {
				return api.LabelsSet{}, api.Misuse("long_label", fmt.Sprintf("the label is %d bytes long", len(label)), "at most 256 bytes")
			}
			return node.SetLabels(ctx, wallet, api.SetLabels{Labels: []api.SetLabel{{Ref: ref, Label: label}}})
		}, func(w io.Writer, v api.LabelsSet) {
			if v.Set == 0 {
				fmt.Fprintln(w, "it is labelled so already")
				return
			}
			fmt.Fprintln(w, "labelled, for all cosigners")
		}),
	}
}

func (c *cli) labelsListCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "list [WALLET]",
		Short: "List the labels that show, and who wrote them",
		Long: `List the labels that show, and who wrote them. They are the words of cosigners; nothing verifies them.
JSON: {"items":[{"type","ref","label","by":PERSON,"time"}],"next":null}.`,
		Args: cobra.MaximumNArgs(1),
		RunE: ask(c, func(ctx context.Context, node *api.Client, args []string) (api.Page[api.Label], error) {
			wallet, err := which(ctx, node, args)
			if err != nil {
				return api.Page[api.Label]{}, err
			}
			items, err := node.Labels(ctx, wallet)
			return api.Page[api.Label]{Items: items}, err
		}, func(w io.Writer, p api.Page[api.Label]) {
			rows := [][]string{{"TYPE", "REF", "BY", "TIME", "LABEL"}}
			for _, x := range p.Items {
				rows = append(rows, []string{x.Type, x.Ref, x.By.Called(), when(x.Time), x.Label})
			}
			table(w, rows, shrink{1, 20}, shrink{4, 20}, shrink{3, 0}, shrink{2, 8}, shrink{4, 10})
		}),
	}
}

// exportedLabels is the answer of `labels export`.
type exportedLabels struct {
	Labels  int     `json:"label_count"`
	Frozen  int     `json:"frozen_count"`
	Format  string  `json:"format"`
	Content string  `json:"content"`
	File    *string `json:"file"`
}

func (c *cli) labelsExportCommand() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "export [WALLET]",
		Short: "Write the labels for other wallets (BIP329)",
		Long: `Write the labels of transactions, addresses and outputs for other wallets, as JSON lines of BIP329, to standard output
or to a file. No line has an origin, since all are of one wallet; coins that are frozen are there with "spendable":false.
JSON: {"label_count","frozen_count","format":"bip329","content","file"}; file is null without --output.`,
		Args: cobra.MaximumNArgs(1),
		RunE: ask(c, func(ctx context.Context, node *api.Client, args []string) (exportedLabels, error) {
			wallet, err := which(ctx, node, args)
			if err != nil {
				return exportedLabels{}, err
			}
			items, err := node.Labels(ctx, wallet)
			if err != nil {
				return exportedLabels{}, err
			}
			coins, err := node.Coins(ctx, wallet)
			if err != nil {
				return exportedLabels{}, err
			}
			b, err := ops.WriteLabelFile(items, coins)
			if err != nil {
				return exportedLabels{}, err
			}
			frozen := 0
			for _, x := range coins {
				if x.Frozen != nil {
					frozen++
				}
			}
			out := exportedLabels{Labels: len(items), Frozen: frozen, Format: "bip329", Content: string(b)}
			if file == "" {
				return out, nil
			}
			out.File = &file
			return out, newFile(file, b)
		}, func(w io.Writer, e exportedLabels) {
			if e.File != nil {
				fmt.Fprintf(w, "%d labels written to %s\n", e.Labels, clean(*e.File))
				return
			}
			// Control characters are escaped in it, or refused in labels.
			fmt.Fprint(w, e.Content)
		}),
	}
	cmd.Flags().StringVarP(&file, "output", "o", "", "write to a new `FILE`, which only its owner can read")
	return cmd
}

// importedLabels is the answer of `labels import`.
type importedLabels struct {
	api.LabelsSet
	Lines  int `json:"line_count"`
	Odd    int `json:"not_label_count"`
	Other  int `json:"other_type_count"`
	Empty  int `json:"without_label_count"`
	Again  int `json:"repeated_count"`
	Cut    int `json:"cut_count"`
	Frozen int `json:"frozen_count"`
	Idle   int `json:"spendable_ignored_count"`
}

func (c *cli) labelsImportCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "import [WALLET] FILE|-",
		Short: "Take labels from another wallet (BIP329), for all cosigners",
		Long: `Take labels from another wallet, for all cosigners: JSON lines of BIP329, at most 20,000 lines and 16 MiB. Labels of
transactions, addresses and outputs of this wallet take the place of those that show. Counted and left out are other
types (pubkey, input, xpub, and those of later versions), what is not this wallet's as far as this node knows, what
names another wallet's keys as its origin, lines without a label, and lines that are no label at all. A label over 256
bytes is cut. Coins of the wallet that a line of an output says are not "spendable" are frozen, for all cosigners; one that says
that an output is lifts no freeze. The same file again changes nothing. A file in which no line is a label changes nothing at all.
JSON: {"wallet","set_count","unchanged_count","not_of_wallet_count","line_count","not_label_count","other_type_count",
"without_label_count","repeated_count","cut_count","frozen_count","spendable_ignored_count"}.`,
		Args: cobra.RangeArgs(1, 2),
		RunE: ask(c, func(ctx context.Context, node *api.Client, args []string) (importedLabels, error) {
			wallet, rest, err := whichAnd(ctx, node, args, 1)
			if err != nil {
				return importedLabels{}, err
			}
			content, err := c.readFile(rest[0], ops.MaxLabelFile)
			if err != nil {
				return importedLabels{}, api.Misuse("bad_labels", "import: "+err.Error(), "name a file, or - for standard input")
			}
			w, err := node.Wallet(ctx, wallet)
			if err != nil {
				return importedLabels{}, err
			}
			f, err := ops.ReadLabelFile(content, w)
			if err != nil {
				return importedLabels{}, err
			}
			out := importedLabels{Lines: f.Lines, Odd: f.Odd, Other: f.Other, Empty: f.Empty, Again: f.Again, Cut: f.Cut, Idle: f.Idle}
			out.Wallet, out.Foreign = w.Wallet, f.Origin
			for rest := f.Labels; len(rest) > 0; {
				n := min(len(rest), api.MaxLabels)
				done, err := node.SetLabels(ctx, w.Wallet, api.SetLabels{Labels: rest[:n], SkipForeign: true})
				if err != nil {
					if out.Set > 0 {
						c.note("%d labels were set before this; the same file again goes on", out.Set)
					}
					return importedLabels{}, err
				}
				out.Set, out.Unchanged, out.Foreign = out.Set+done.Set, out.Unchanged+done.Unchanged, out.Foreign+done.Foreign
				rest = rest[n:]
			}
			out.Frozen, err = freezeAll(ctx, node, w.Wallet, f.Frozen)
			return out, err
		}, showImportedLabels),
	}
}

// freezeAll freezes those of some outputs that are coins of a wallet, and that nobody froze.
func freezeAll(ctx context.Context, node *api.Client, wallet string, refs []string) (n int, err error) {
	if len(refs) == 0 {
		return 0, nil
	}
	coins, err := node.Coins(ctx, wallet)
	if err != nil {
		return 0, err
	}
	free := map[string]bool{}
	for _, x := range coins {
		free[x.OutPoint] = x.Frozen == nil
	}
	for _, ref := range refs {
		if !free[ref] {
			continue
		}
		if _, err := node.FreezeCoin(ctx, wallet, ref, api.FreezeCoin{Note: "not spendable in imported labels"}); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

func showImportedLabels(w io.Writer, v importedLabels) {
	fmt.Fprintf(w, "%d lines: %d labels set, %d were so already\n", v.Lines, v.Set, v.Unchanged)
	for _, x := range []struct {
		n    int
		text string
	}{
		{v.Foreign, "left out: not of this wallet, as far as this node knows"},
		{v.Other, "left out: of a type that is not kept"},
		{v.Empty, "left out: no label"},
		{v.Odd, "left out: no line of BIP329"},
		{v.Again, "left out: a later line is of the same"},
		{v.Cut, "cut to 256 bytes, or cleaned"},
		{v.Frozen, "coins frozen, which the file says are not spendable"},
		{v.Idle, "say that an output may be spent, or say it of what is none: that changes nothing"},
	} {
		if x.n > 0 {
			fmt.Fprintf(w, "%d %s\n", x.n, x.text)
		}
	}
}
