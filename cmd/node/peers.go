package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/quorate/quorate/api"
)

func (c *cli) peersCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "peers",
		Short: "List the members of this node's wallets and whether they are connected",
		Long: `List the members of this node's wallets and whether they are connected.
JSON: {"items":[{"peer_id","member":PERSON,"addresses","connected","relayed","last_seen","reject_counts"}],"next":null}; member is null for a stranger, and its
peer_id another where the peer is a device that was replaced.`,
		Args: cobra.NoArgs,
		RunE: ask(c, func(ctx context.Context, node *api.Client, _ []string) (api.Page[api.Peer], error) {
			items, err := node.Peers(ctx)
			return api.Page[api.Peer]{Items: items}, err
		}, showPeers),
	}
	cmd.AddCommand(c.peersPendingCommand(), c.peersAddCommand())
	return cmd
}

func showPeers(w io.Writer, p api.Page[api.Peer]) {
	rows := [][]string{{"PEER", "NAME", "CONNECTED", "LAST SEEN", "REFUSED", "ADDRESSES"}}
	for _, x := range p.Items {
		connected, seen := yes(x.Connected, "connected"), ""
		if x.Connected && x.Relayed {
			connected = "over a relay"
		}
		if x.LastSeen != nil {
			seen = away(*x.LastSeen, time.Now())
		}
		var refused []string
		for rule, n := range x.Rejects {
			refused = append(refused, fmt.Sprintf("%d %s", n, rule))
		}
		slices.Sort(refused)
		name := ""
		if x.Member != nil {
			name = x.Member.Called()
		}
		rows = append(rows, []string{x.PeerID, name, connected, seen, strings.Join(refused, ", "), strings.Join(x.Addresses, " ")})
	}
	table(w, rows, shrink{5, 0}, shrink{0, 16}, shrink{4, 10}, shrink{1, 12}, shrink{3, 0}, shrink{4, 0})
}
