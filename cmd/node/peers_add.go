package main

import (
	"context"
	"io"

	"github.com/spf13/cobra"

	"github.com/quorate/quorate/api"
)

func (c *cli) peersAddCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "add MULTIADDR",
		Short: "Make the address of a member known, and connect to it",
		Long: `Make the address of a member known, and connect to it. It ends in /p2p/ and the peer id.
JSON: {"peer_id","member":PERSON,"addresses","connected","relayed","last_seen"}.`,
		Args: cobra.ExactArgs(1),
		RunE: ask(c, func(ctx context.Context, node *api.Client, args []string) (api.Peer, error) {
			return node.AddPeer(ctx, api.AddPeer{Multiaddr: args[0]})
		}, func(w io.Writer, p api.Peer) { showPeers(w, api.Page[api.Peer]{Items: []api.Peer{p}}) }),
	}
}
