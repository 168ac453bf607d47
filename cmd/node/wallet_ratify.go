package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/quorate/quorate/api"
)

func (c *cli) walletRatifyCommand() *cobra.Command {
	var r api.RatifyWallet
	cmd := &cobra.Command{
		Use:   `ratify [WALLET] --words "six words"`,
		Short: "Ratify the cosigners' keys with the six words heard from every other one",
		Long: `Ratify the cosigners' keys with the six words heard from every other one, in person or by voice: words
that one cosigner passes on for another prove nothing. Exit status 4 if they are not this node's words, or if a key
of another cosigner is unproven (unproven_key), or another cosigner has no node (hosted_cosigner), and that is not
accepted. On a terminal --words may be left out: the command waits until the words are there, asks for what you heard, and
stays until the wallet is active. A word that is none is named as a typing error first. With --for it is said for a cosigner that this node hosts, who compared the words as well.
JSON: {"wallet","name","state","words","heard_from":[PERSON,…]}.`,
		Args: cobra.MaximumNArgs(1),
	}
	given := ask(c, func(ctx context.Context, node *api.Client, args []string) (api.Ratified, error) {
		wallet, err := which(ctx, node, args)
		if err != nil {
			return api.Ratified{}, err
		}
		r.Words = strings.Join(strings.Fields(strings.ToLower(r.Words)), " ")
		if len(strings.Fields(r.Words)) != 6 {
			return api.Ratified{}, api.Misuse("bad_words", "there are six words", `write --words "one two three four five six"`)
		}
		return node.RatifyWallet(ctx, wallet, r)
	}, showRatified)
	asked := c.action(func(ctx context.Context, args []string) error {
		q := c.asker()
		if q == nil || r.For != "" {
			return api.Misuse("usage", "the six words are missing", `give --words "…", with what you heard`)
		}
		node, err := api.Dial(c.dataDir)
		if err != nil {
			return err
		}
		defer node.Close()
		wallet, err := which(ctx, node, args)
		if err != nil {
			return err
		}
		return c.stay(ctx, node, q, wallet, r)
	})
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if cmd.Flags().Changed("words") {
			return given(cmd, args)
		}
		return asked(cmd, args)
	}
	cmd.Flags().BoolVar(&r.AcceptUnproven, "accept-unproven", false, "accept keys of others of which nothing shows that anybody holds them")
	cmd.Flags().BoolVar(&r.AcceptHosted, "accept-hosted", false, "accept cosigners without a node, whom others host")
	cmd.Flags().StringVar(&r.For, "for", "", "`name` of a cosigner that this node hosts")
	cmd.Flags().StringVar(&r.Words, "words", "", "the six `words`")
	return cmd
}

func showRatified(w io.Writer, v api.Ratified) {
	showSummary(w, v.WalletSummary)
	fmt.Fprintf(w, "\nRatified: %s\nYou must have heard these words from each of: %s.\n", clean(v.Words), clean(api.Called(v.HeardFrom)))
}
