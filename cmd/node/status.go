package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/quorate/quorate/api"
)

func (c *cli) statusCommand() *cobra.Command {
	var check, ready bool
	var exclude []string
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show the node, its view of the chain, its wallets and peers",
		Long: `Show the node, its view of the chain, its wallets and peers. For people, wallets that were given up (abandoned) are left out.
JSON: {"name","peer_id","addresses":[…],"network","version","chain":{"backend","height","tip","synced","problem","problem_since","note","target","bitcoin_peer_count",
"blind","sync"},"wallets":[…],"peers":[…],"pending_count","problem","alarms":[…],"disk_free_bytes","last_backup"}.
pending_count is how much waits for the user (` + "`pending`" + `), 51 for more than 50. "problem" of the chain is what is wrong with the backend, "note" what is no problem, "blind" says of a
backend that it sees no transaction before it is in a block, and "sync" is {"stage","height","target","rate","seconds_left"} of a
light client that is not synced; a wallet has "alarms" [{"code","message","since","txid"}], as long as there is something to look at:
coins spent by a transaction with fewer signatures than it takes (foreign_spend), an address that two nodes handed out
(address_tie); and "threshold", "cosigner_count", "incomplete", "restored", "freezes" as of ` + "`wallet show`" + `. The last "problem" is of connections from outside, such as very many that say nothing.
"alarms" of the whole are those of the node itself: an address of listen that is not listened on (not_listening), a full disk (disk_full).
With --check it exits with 0 where nothing is wrong, 1 where anything is, 5 where no node runs; JSON: {"ok","reasons":[{"code","message","wallet"}]}.
With --ready it says of each check whether it is right, and exits as with --check; --exclude leaves one out by its name. JSON:
{"ok","checks":[{"check","ok","codes":[…]}]}, which is what GET /readyz answers.
A wallet of the state "failed" could not be opened, "problem" says why; the others run. Its name stays its own: a command for it is refused (` + "`wallet_failed`).",
		Args: cobra.NoArgs,
	}
	cmd.Flags().BoolVar(&check, "check", false, "say only what is wrong, one reason a line, and exit with 1 where anything is")
	cmd.Flags().BoolVar(&ready, "ready", false, "say of each check whether it is right, and exit with 1 where one is not")
	cmd.Flags().StringArrayVar(&exclude, "exclude", nil, "with --ready: leave out the check with this `name`, as chain")
	cmd.MarkFlagsMutuallyExclusive("check", "ready")
	whole := ask(c, func(ctx context.Context, node *api.Client, _ []string) (api.Status, error) { return node.Status(ctx) }, showStatus)
	reasons := c.action(func(ctx context.Context, _ []string) error { return c.check(ctx) })
	probes := c.action(func(ctx context.Context, _ []string) error { return c.ready(ctx, exclude) })
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		switch {
		case check:
			return reasons(cmd, args)
		case ready:
			return probes(cmd, args)
		case len(exclude) > 0:
			return c.action(func(context.Context, []string) error {
				return api.Misuse("bad_flags", "--exclude is of --ready", "give --ready too")
			})(cmd, args)
		}
		return whole(cmd, args)
	}
	return cmd
}

// checked is what status --check answers.
type checked struct {
	OK      bool                 `json:"ok"`
	Reasons api.List[api.Reason] `json:"reasons"`
}

func (c *cli) check(ctx context.Context) error {
	node, err := api.Dial(c.dataDir)
	if err != nil {
		return err
	}
	defer node.Close()
	s, err := node.Status(ctx)
	if err != nil {
		return err
	}
	reasons := s.Check()
	if err := answer(c, checked{len(reasons) == 0, reasons}, showReasons); err != nil {
		return err
	}
	if len(reasons) > 0 {
		c.answered = true
		return api.Fail("unwell", thingsWrong(len(reasons)), "`quorate doctor` says what to do")
	}
	return nil
}

func (c *cli) ready(ctx context.Context, exclude []string) error {
	node, err := api.Dial(c.dataDir)
	if err != nil {
		return err
	}
	defer node.Close()
	s, err := node.Status(ctx)
	if err != nil {
		return err
	}
	p, err := api.Without(s.Ready(), exclude)
	if err != nil {
		return err
	}
	if err := answer(c, p, showProbes); err != nil {
		return err
	}
	if !p.OK {
		c.answered = true
		return api.Fail("not_ready", "the node is not ready", "`quorate status --check` says why")
	}
	return nil
}

func showProbes(w io.Writer, p api.Probes) {
	for _, c := range p.Checks {
		if c.OK {
			fmt.Fprintf(w, "%s: ok\n", c.Check)
		} else {
			fmt.Fprintf(w, "%s: %s\n", c.Check, clean(strings.Join(c.Codes, ", ")))
		}
	}
}

func thingsWrong(n int) string {
	if n == 1 {
		return "one thing is wrong"
	}
	return fmt.Sprintf("%d things are wrong", n)
}

func showReasons(w io.Writer, v checked) {
	for _, r := range v.Reasons {
		where := ""
		if r.Wallet != "" {
			where = clean(string(r.Wallet)) + ": "
		}
		fmt.Fprintf(w, "%s: %s%s\n", r.Code, where, clean(r.Message))
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
	for _, a := range s.Alarms {
		fmt.Fprintf(w, "ALARM  %s%s\n", clean(a.Message), sinceText(a.Since))
	}
	if s.LastBackup != nil {
		fmt.Fprintf(w, "last backup  %s\n", when(*s.LastBackup))
	}
	for _, a := range s.Addresses {
		fmt.Fprintf(w, "address  %s\n", clean(a))
	}
	if len(s.Wallets) > 0 {
		fmt.Fprintln(w)
		rows := [][]string{{"WALLET", "NAME", "STATE"}}
		gone := 0
		for _, x := range s.Wallets {
			if x.State == "abandoned" && len(x.Alarms) == 0 {
				gone++
				continue
			}
			rows = append(rows, []string{short(x.Wallet), x.Name, x.State})
		}
		if len(rows) > 1 {
			table(w, rows)
		}
		if gone > 0 {
			fmt.Fprintf(w, "(not shown: %d abandoned; `quorate wallet list --all` lists them)\n", gone)
		}
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
	if s.PendingCount > 0 {
		fmt.Fprintf(w, "\n%s\n", paint(w, bold, waitsText(s.PendingCount)))
	}
	if len(s.Peers) > 0 {
		fmt.Fprintln(w)
		showPeers(w, api.Page[api.Peer]{Items: s.Peers})
	}
}

// waitsText says how much waits for the user.
func waitsText(n int) string {
	if n == 1 {
		return "1 thing waits for you: quorate pending"
	}
	return fmt.Sprintf("%d things wait for you: quorate pending", n)
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
	return fmt.Sprintf(" (since %s, %s)", t.UTC().Format("2006-01-02 15:04 UTC"), away(t, time.Now()))
}
