package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/quorate/quorate/api"
)

func (c *cli) policySimulateCommand() *cobra.Command {
	var since string
	cmd := &cobra.Command{
		Use:   "simulate [WALLET] FILE|-",
		Short: "Say what a policy for robots would have done with all that was ever proposed",
		Long: `Run the file of a policy over the whole history of a wallet of this node, before anybody votes on it: what one robot of that
policy would have signed, asked, denied or waited for, against what became of it, and the largest outflow in any window of each meter. Nothing
is proposed or changed. Times are those that members claim, and robots' own approvals are left out; docs/policy-past.md says what else
it goes by, and what it cannot know.

--since takes a day or a time (2026-01-31, 2026-01-31T12:00:00Z); meters are empty then.
JSON: {"wallet","wallet_name","robot":PERSON,"proposal_count","unsound_count","sign_count","wait_count","ask_count","deny_count",
"outflows":[{"meter","limit","window_seconds","signed":{"amount","from","initiator","recipient"},"mined":{…}}],
"items":[{"proposal","txid","time","by":PERSON,"amount","outcome":"sign|wait|ask|deny","at","rule","rule_name","codes":["…"],"status"}]}.`,
		Args: cobra.RangeArgs(1, 2),
		RunE: ask(c, func(ctx context.Context, node *api.Client, args []string) (api.Simulation, error) {
			from, err := parseDay("--since", since, false)
			if err != nil {
				return api.Simulation{}, err
			}
			wallet, rest, err := whichAnd(ctx, node, args, 1)
			if err != nil {
				return api.Simulation{}, err
			}
			w, err := node.Wallet(ctx, wallet)
			if err != nil {
				return api.Simulation{}, err
			}
			p, err := c.policyFile(ctx, node, w, rest[0])
			if err != nil {
				return api.Simulation{}, err
			}
			r := api.SimulatePolicy{Policy: base64.StdEncoding.EncodeToString(p.Canonical), Limit: api.MaxPage}
			if !from.IsZero() {
				r.Since = &from
			}
			return wholeSimulation(ctx, node, w.Wallet, r)
		}, showSimulation),
	}
	cmd.Flags().StringVar(&since, "since", "", "only what was proposed from this `day` or time on")
	return cmd
}

// wholeSimulation asks for all pages.
func wholeSimulation(ctx context.Context, node *api.Client, wallet string, r api.SimulatePolicy) (api.Simulation, error) {
	out, err := node.SimulatePolicy(ctx, wallet, r)
	for err == nil && out.Next != "" {
		var more api.Simulation
		r.Cursor = string(out.Next)
		more, err = node.SimulatePolicy(ctx, wallet, r)
		out.Items, out.Next = append(out.Items, more.Items...), more.Next
	}
	return out, err
}

func showSimulation(w io.Writer, s api.Simulation) {
	fmt.Fprintf(w, "Of %s in %s the robot of %s would have signed %d, asked about %d, denied %d, and waited for something in %d.\n",
		plural(int64(s.Proposals), "proposal"), clean(s.WalletName), clean(s.Robot.Called()), s.Signed, s.Asked, s.Denied, s.Waiting)
	if s.Unsound > 0 {
		fmt.Fprintf(w, "%s no transaction of the wallet.\n", plural(int64(s.Unsound), "further proposal")+" describe")
	}
	if len(s.Items) > 0 {
		rows := [][]string{{"PROPOSED", "PROPOSAL", "BY", "AMOUNT", "WOULD", "WHY", "BECAME"}}
		for _, x := range s.Items {
			rows = append(rows, []string{x.Time.UTC().Format("2006-01-02 15:04"), short(x.Proposal), x.By.Called(), formatAmount(x.Amount), x.Outcome, strings.Join(x.Codes, ", "), x.Status})
		}
		table(w, rows, shrink{5, 20}, shrink{2, 8})
	}
	for _, m := range s.Meters {
		fmt.Fprintf(w, "Meter %s, limit %s: at the most it would have signed %s in a window, of which were mined in one %s.\n", clean(m.Meter), formatAmount(m.Limit), mostText(m.Signed), mostText(m.Mined))
	}
}

func mostText(m api.SimulatedMost) string {
	text := formatAmount(m.Amount)
	switch {
	case m.Initiator != nil:
		text += " for " + clean(m.Initiator.Called())
	case m.Recipient != "":
		text += " to " + clean(string(m.Recipient))
	}
	return text
}

// replayedPolicy is the answer of `policy replay`: of the verdicts those that are to be told.
type replayedPolicy struct {
	Wallet  string                 `json:"wallet"`
	Count   int                    `json:"verdict_count"`
	Differ  int                    `json:"differ_count"`
	Unclear int                    `json:"open_count"`
	Items   api.List[api.Replayed] `json:"items"`
}

func (c *cli) policyReplayCommand() *cobra.Command {
	var since string
	cmd := &cobra.Command{
		Use:   "replay [WALLET]",
		Short: "Make the verdicts of robots again, and say which robot did not tell the truth",
		Long: `Make every verdict that a robot of the wallet ever wrote again, of the facts that it wrote with it, and those facts of the transaction, the
signatures and what the robot wrote before. What differs is listed with its field, and so is a signature that no verdict goes before; exit status 1
where anything differs. What this node cannot tell is listed as open: it lacks an entry that is still on its way, for the most part.
docs/policy-past.md says which fields are compared.

--since takes a day or a time (2026-01-31, 2026-01-31T12:00:00Z), as the robot claims.
JSON: {"wallet","verdict_count","differ_count","open_count","items":[{"entry","robot":PERSON,"time","proposal","outcome","differs":[{"field","said","should"}],
"open":[{"field","why"}]}]}; items are those that differ or are open.`,
		Args: cobra.MaximumNArgs(1),
		RunE: askAndStay(c, func(ctx context.Context, node *api.Client, args []string) (replayedPolicy, error) {
			from, err := parseDay("--since", since, false)
			if err != nil {
				return replayedPolicy{}, err
			}
			wallet, err := which(ctx, node, args)
			if err != nil {
				return replayedPolicy{}, err
			}
			return wholeReplay(ctx, node, wallet, api.ReplayQuery{Since: from, Limit: api.MaxPage})
		}, showReplay, func(_ context.Context, _ *api.Client, r replayedPolicy) error {
			if r.Differ == 0 {
				return nil
			}
			c.answered = true
			return api.Fail("verdicts_differ", fmt.Sprintf("%s as it should be", notAs(r.Differ)), "look at that robot's machine; `quorate robot pause` stops one at its node")
		}),
	}
	cmd.Flags().StringVar(&since, "since", "", "only what was written from this `day` or time on")
	return cmd
}

func notAs(n int) string {
	if n == 1 {
		return "1 verdict is not"
	}
	return fmt.Sprintf("%d verdicts are not", n)
}

// wholeReplay asks for all pages, and keeps what is to be told.
func wholeReplay(ctx context.Context, node *api.Client, wallet string, q api.ReplayQuery) (replayedPolicy, error) {
	out := replayedPolicy{Wallet: wallet}
	for {
		p, err := node.ReplayPolicy(ctx, wallet, q)
		if err != nil {
			return out, err
		}
		out.Count += len(p.Items)
		for _, x := range p.Items {
			if len(x.Differs) > 0 {
				out.Differ++
			}
			if len(x.Open) > 0 {
				out.Unclear++
			}
			if len(x.Differs) > 0 || len(x.Open) > 0 {
				out.Items = append(out.Items, x)
			}
		}
		if q.Cursor = string(p.Next); p.Next == "" {
			return out, nil
		}
	}
}

func showReplay(w io.Writer, r replayedPolicy) {
	for _, x := range r.Items {
		said := "signed"
		if x.Outcome != nil {
			said = "says " + *x.Outcome
		}
		fmt.Fprintf(w, "%s  %s %s of %s:\n", x.Time.UTC().Format("2006-01-02 15:04"), clean(x.Robot.Called()), said, short(x.Proposal))
		for _, d := range x.Differs {
			fmt.Fprintf(w, "  %s: wrote %s, should be %s\n", clean(d.Field), clean(orNothing(d.Said)), clean(orNothing(d.Should)))
		}
		for _, o := range x.Open {
			fmt.Fprintf(w, "  %s: cannot be told: %s\n", clean(o.Field), clean(o.Why))
		}
	}
	fmt.Fprintf(w, "%s: %d differ, of %d something cannot be told here.\n", plural(int64(r.Count), "verdict"), r.Differ, r.Unclear)
}

func orNothing(s string) string {
	if s == "" {
		return "nothing"
	}
	return s
}
