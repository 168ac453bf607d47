package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/ops"
)

func (c *cli) seedShowCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "show",
		Short: "Show the words of this node's seed, on a terminal",
		Long: `Show the words of this node's seed (or, with its --data-dir, of a signer's): on a terminal only, after the passphrase,
which is asked for there, and on a screen apart, which is wiped when you press Enter. The node may run meanwhile.
There is no JSON of it: with --json it is refused, {"error":{"code":"no_terminal",…}}.`,
		Args: cobra.NoArgs,
		RunE: c.action(func(ctx context.Context, _ []string) error { return c.showSeed(ctx) }),
	}
}

func (c *cli) showSeed(ctx context.Context) error {
	q := c.asker()
	if q == nil || !isTerminal(c.out) {
		return api.Refuse("no_terminal", "the words are shown on a terminal only", "run it on one, without --json and without redirection")
	}
	pass, err := q.secret(ctx, "Passphrase: ")
	if err != nil {
		return err
	}
	defer clear(pass)
	seed, err := ops.ShowSeed(c.dataDir, pass)
	if err != nil {
		return err
	}
	return q.apart(func() error {
		q.say("The words of the key %s. Whoever has them can sign for you.", seed.Fingerprint)
		q.grid(seed.Words)
		if seed.Passphrase != "" {
			q.say("\nThey go with a passphrase of their own (BIP39):\n  %s", seed.Passphrase)
		}
		_, err := q.line(ctx, "\nPress Enter: the screen is then wiped. ")
		return err
	})
}
