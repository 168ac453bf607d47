package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/quorate/quorate/api"
)

func (c *cli) txCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "tx PROPOSAL",
		Short: "Print the final transaction of a proposal",
		Long: `Print the final transaction of a proposal, in hex. Exit status 4 before it is final.
JSON: {"txid","wtxid","format":"hex","content"}.`,
		Args: cobra.ExactArgs(1),
		RunE: ask(c, func(ctx context.Context, node *api.Client, args []string) (api.Tx, error) {
			return node.Tx(ctx, args[0])
		}, func(w io.Writer, t api.Tx) { fmt.Fprintln(w, clean(t.Hex)) }),
	}
}
