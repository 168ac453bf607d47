package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/quorate/quorate/api"
)

func (c *cli) addressCommand() *cobra.Command {
	var r api.NewAddress
	cmd := &cobra.Command{
		Use:   "address WALLET",
		Short: "Get a fresh receiving address",
		Long: `Get a fresh receiving address. Each call leases another one; exit status 4 when 20 unused ones are out. Cosigners
who ask at the same moment get different ones. If two that were apart handed out the same, ` + "`status`" + ` tells both.
JSON: {"address","index"}.`,
		Args: cobra.ExactArgs(1),
		RunE: ask(c, func(ctx context.Context, node *api.Client, args []string) (api.Address, error) {
			return node.NewAddress(ctx, args[0], r)
		}, func(w io.Writer, a api.Address) { fmt.Fprintln(w, clean(a.Address)) }),
	}
	cmd.Flags().BoolVar(&r.Peek, "peek", false, "show the next one without leasing it")
	cmd.Flags().BoolVar(&r.BeyondGap, "beyond-gap", false, "get one although 20 unused ones are out: other wallet software may not find its coins")
	return cmd
}
