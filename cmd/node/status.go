package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/quorate/quorate/api"
)

func (c *cli) statusCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "Show the node, its view of the chain, its wallets and peers",
		Long: `Show the node, its view of the chain, its wallets and peers.
JSON: {"name","peer_id","addresses":[…],"network","version","chain":{"backend","height","tip","synced"},"wallets":[…],"peers":[…]};
chain also has "problem" while something is wrong.`,
		Args: cobra.NoArgs,
		RunE: ask(c, func(ctx context.Context, node *api.Client, _ []string) (api.Status, error) {
			return node.Status(ctx)
		}, showStatus),
	}
}

func showStatus(w io.Writer, s api.Status) {
	synced := "not synced"
	if s.Chain.Synced {
		synced = "synced"
	}
	pairs(w, "name", s.Name, "peer id", s.PeerID, "network", s.Network, "version", s.Version,
		"chain", fmt.Sprintf("%s, height %d, %s", s.Chain.Backend, s.Chain.Height, synced),
		"tip", s.Chain.Tip, "problem", s.Chain.Problem)
	for _, a := range s.Addresses {
		fmt.Fprintf(w, "address  %s\n", clean(a))
	}
	if len(s.Wallets) > 0 {
		fmt.Fprintln(w)
		rows := [][]string{{"WALLET", "NAME", "STATE"}}
		for _, x := range s.Wallets {
			rows = append(rows, []string{short(x.Wallet), x.Name, x.State})
		}
		table(w, rows)
	}
	if len(s.Peers) > 0 {
		fmt.Fprintln(w)
		showPeers(w, api.Page[api.Peer]{Items: s.Peers})
	}
}
