package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/quorate/quorate/api"
)

func (c *cli) statusCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "Show the node, its view of the chain, its wallets and peers",
		Long: `Show the node, its view of the chain, its wallets and peers.
JSON: {"name","peer_id","addresses":[…],"network","version","chain":{"backend","height","tip","synced","problem","problem_since","note","target","bitcoin_peer_count",
"blind","sync"},"wallets":[…],"peers":[…],"problem"}. "problem" of the chain is what is wrong with the backend, "note" what is no problem, "blind" says of a
backend that it sees no transaction before it is in a block, and "sync" is {"stage","height","target","rate","seconds_left"} of a
light client that is not synced; a wallet has "alarms" [{"code","message","since","txid"}], as long as there is something to look at:
coins spent by a transaction with fewer signatures than it takes (foreign_spend), an address that two nodes handed out
(address_tie); and "threshold", "cosigner_count", "incomplete", "restored" as of ` + "`wallet show`" + `. The last "problem" is of connections from outside, such as very many that say nothing.
A wallet of the state "failed" could not be opened, "problem" says why; the others run. Its name stays its own: a command for it is refused (` + "`wallet_failed`).",
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
		"chain", fmt.Sprintf("%s, %s%s", s.Chain.Backend, heightText(s.Chain.Height), synced),
		"sync", syncText(s.Chain.Sync), "tip", string(s.Chain.Tip), "problem", problemText(s.Chain), "note", string(s.Chain.Note))
	if s.Chain.Blind {
		fmt.Fprintln(w, blindText)
	}
	if s.Problem != "" {
		fmt.Fprintf(w, "connections  %s\n", clean(s.Problem))
	}
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
		for _, x := range s.Wallets {
			if x.Problem != "" {
				fmt.Fprintf(w, "FAILED  %s: %s: stop the node and run `quorate doctor`\n", short(x.Wallet), clean(x.Problem))
			}
			for _, a := range x.Alarms {
				fmt.Fprintf(w, "ALARM  %s: %s%s\n", clean(x.Name), clean(a.Message), sinceText(a.Since))
			}
			for _, r := range x.Incomplete {
				fmt.Fprintf(w, "incomplete  %s: %s\n", clean(x.Name), incompleteText(r))
			}
			if x.Restored != nil {
				fmt.Fprintf(w, "\n%s:", clean(x.Name))
				showUnsynced(w, x)
			}
		}
	}
	if len(s.Peers) > 0 {
		fmt.Fprintln(w)
		showPeers(w, api.Page[api.Peer]{Items: s.Peers})
	}
}

// incompleteText says of which addresses old payments may not be known yet.
func incompleteText(r api.AddressRange) string {
	return fmt.Sprintf("%s addresses %d to %d are being looked for in old blocks: what was paid to them there may not be known yet", clean(r.Branch), r.First, r.Last)
}

// syncText says how far a light client is, or nothing.
func syncText(s *api.ChainSync) string {
	if s == nil {
		return ""
	}
	text := fmt.Sprintf("%s %d of %d", s.Stage, s.Height, s.Target)
	if s.Rate > 0 {
		text += fmt.Sprintf(", %.0f a second", s.Rate)
	}
	if s.SecondsLeft != nil {
		text += fmt.Sprintf(", %v left", time.Duration(*s.SecondsLeft)*time.Second)
	}
	return text
}

// heightText says up to which block the chain is known, if it is.
func heightText(height *int32) string {
	if height == nil {
		return ""
	}
	return fmt.Sprintf("height %d, ", *height)
}

// problemText says what is wrong with the chain, and since when.
func problemText(c api.ChainStatus) string {
	if c.Problem == "" || c.Since == nil {
		return string(c.Problem)
	}
	return string(c.Problem) + sinceText(*c.Since)
}

// sinceText says since when, where that is known.
func sinceText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return " (since " + when(t) + ")"
}
