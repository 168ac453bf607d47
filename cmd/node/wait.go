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
		Use:   "wait PROPOSAL --status final|broadcast|confirmed",
		Short: "Wait until a proposal is final, broadcast or confirmed",
		Long: `Wait until a proposal is final, broadcast or confirmed, or beyond that. Exit status 4 at once when it can no
longer be, 6 when it did not come in time. JSON: as of ` + "`proposal show`.",
		Args: cobra.ExactArgs(1),
		RunE: ask(c, func(ctx context.Context, node *api.Client, args []string) (api.Proposal, error) {
			switch status {
			case api.StatusFinal, api.StatusBroadcast, api.StatusConfirmed:
			default:
				return api.Proposal{}, api.Misuse("bad_status", fmt.Sprintf("cannot wait for status %.20q", status), "it is final, broadcast or confirmed")
			}
			if timeout < 0 || timeout > 24*time.Hour {
				return api.Proposal{}, api.Misuse("bad_timeout", fmt.Sprintf("cannot wait for %s", timeout), "give from 0s to 24h")
			}
			c.progress("waiting for %s, at most %s; Ctrl-C ends the wait", status, timeout)
			return node.Wait(ctx, args[0], status, timeout)
		}, showProposal),
	}
	cmd.Flags().StringVar(&status, "status", "", "`status` to wait for")
	cmd.Flags().DurationVar(&timeout, "timeout", time.Minute, "how long to wait")
	require(cmd, "status")
	return cmd
}
