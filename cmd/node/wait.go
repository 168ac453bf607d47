package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/quorate/quorate/api"
)

func (c *cli) waitCommand() *cobra.Command {
	var status string
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:   "wait [PROPOSAL] --status final|broadcast|confirmed",
		Short: "Wait until a proposal is final, broadcast or confirmed",
		Long: `Wait until a proposal is final, broadcast or confirmed, or beyond that. Exit status 4 at once when it can no
longer be, 6 when it did not come in time. PROPOSAL may be left out where only one of this node's wallets' proposals is
under way: pending, final or broadcast. A node that is started again meanwhile is asked again. JSON: as of ` + "`proposal show`.",
		Args: cobra.MaximumNArgs(1),
		RunE: ask(c, func(ctx context.Context, node *api.Client, args []string) (api.Proposal, error) {
			switch status {
			case api.StatusFinal, api.StatusBroadcast, api.StatusConfirmed:
			default:
				return api.Proposal{}, api.Misuse("bad_status", fmt.Sprintf("cannot wait for status %.20q", status), "it is final, broadcast or confirmed")
			}
			if timeout < 0 || timeout > 24*time.Hour {
				return api.Proposal{}, api.Misuse("bad_timeout", fmt.Sprintf("cannot wait for %s", timeout), "give from 0s to 24h")
			}
			id, err := underWay(ctx, node, args)
			if err != nil {
				return api.Proposal{}, err
			}
			c.progress("waiting for %s, at most %s; Ctrl-C ends the wait", status, timeout)
			return waitOver(ctx, node, id, status, timeout)
		}, showProposal),
	}
	cmd.Flags().StringVar(&status, "status", "", "`status` to wait for")
	cmd.Flags().DurationVar(&timeout, "timeout", time.Minute, "how long to wait")
	require(cmd, "status")
	return cmd
}

// waitAgain is how long a wait waits for a node that stopped.
const waitAgain = time.Second

// waitOver waits, also over a restart of the node: what it waits for is durable.
func waitOver(ctx context.Context, node waiter, id, status string, timeout time.Duration) (api.Proposal, error) {
	end := time.Now().Add(timeout)
	for begun := false; ; {
		p, err := node.Wait(ctx, id, status, max(0, time.Until(end)))
		e := api.AsError(err)
		if err == nil || e.Kind != api.Unavailable || ctx.Err() != nil {
			return p, err
		}
		begun = begun || e.Code == "not_reachable" || e.Code == "stopping" // it was there
		if !begun || time.Until(end) < waitAgain {
			return p, err
		}
		select {
		case <-ctx.Done():
		case <-time.After(waitAgain):
		}
	}
}

type waiter interface {
	Wait(ctx context.Context, proposal, status string, timeout time.Duration) (api.Proposal, error)
}

// underWay is the proposal that is named, or the only one that is under way. To wait
// for the wrong one does no harm, so this is the same without a terminal.
func underWay(ctx context.Context, node *api.Client, args []string) (string, error) {
	if len(args) > 0 {
		return args[0], nil
	}
	wallets, err := node.Wallets(ctx)
	if err != nil {
		return "", err
	}
	var found []string
	for _, w := range wallets {
		if w.State != "active" {
			continue
		}
		for _, status := range []string{api.StatusPending, api.StatusFinal, api.StatusBroadcast} {
			q := api.ProposalQuery{Status: status, Limit: 2}
			for more := true; more && len(found) < 2; {
				page, err := node.Proposals(ctx, w.Wallet, q)
				if err != nil {
					return "", err
				}
				for _, p := range page.Items {
					found = append(found, p.Proposal)
				}
				q.Cursor, more = string(page.Next), page.Next != ""
			}
		}
	}
	switch len(found) {
	case 0:
		return "", api.Missing("nothing_under_way", "no proposal is under way", "`quorate proposals WALLET` lists them all")
	case 1:
		return found[0], nil
	}
	return "", api.Misuse("no_proposal", "more than one proposal is under way", "name one; `quorate proposals WALLET` lists them")
}
