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
		Use:   `ratify WALLET --words "six words"`,
		Short: "Ratify the cosigners' keys with the six words heard from every other one",
		Long: `Ratify the cosigners' keys with the six words heard from every other one, in person or by voice: words
that one cosigner passes on for another prove nothing. Exit status 4 if they are not this node's words, or if a key
of another cosigner is unproven (unproven_key), or another cosigner has no node (hosted_cosigner), and that is not
accepted. With --for it is said for a cosigner that this node hosts, who compared the words as well.
JSON: {"wallet","name","state","words","heard_from":[PERSON,…]}.`,
		Args: cobra.ExactArgs(1),
		RunE: ask(c, func(ctx context.Context, node *api.Client, args []string) (api.Ratified, error) {
			r.Words = strings.Join(strings.Fields(strings.ToLower(r.Words)), " ")
			if len(strings.Fields(r.Words)) != 6 {
				return api.Ratified{}, api.Misuse("bad_words", "there are six words", `write --words "one two three four five six"`)
			}
			return node.RatifyWallet(ctx, args[0], r)
		}, showRatified),
	}
	cmd.Flags().BoolVar(&r.AcceptUnproven, "accept-unproven", false, "accept keys of others of which nothing shows that anybody holds them")
	cmd.Flags().BoolVar(&r.AcceptHosted, "accept-hosted", false, "accept cosigners without a node, whom others host")
	cmd.Flags().StringVar(&r.For, "for", "", "`name` of a cosigner that this node hosts")
	cmd.Flags().StringVar(&r.Words, "words", "", "the six `words`")
	require(cmd, "words")
	return cmd
}

func showRatified(w io.Writer, v api.Ratified) {
	showSummary(w, v.WalletSummary)
	fmt.Fprintf(w, "\nRatified: %s\nYou must have heard these words from each of: %s.\n", clean(v.Words), clean(api.Called(v.HeardFrom)))
}
