package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/quorate/quorate/api"
)

func (c *cli) peersPendingCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "pending",
		Short: "List strangers who tried to connect and were refused",
		Long: `List strangers who tried to connect and were refused.
JSON: as of ` + "`peers`.",
		Args: cobra.NoArgs,
		RunE: ask(c, func(ctx context.Context, node *api.Client, _ []string) (api.Page[api.Peer], error) {
			items, err := node.PendingPeers(ctx)
			return api.Page[api.Peer]{Items: items}, err
		}, showPeers),
	}
}
