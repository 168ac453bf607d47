package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/quorate/quorate/api"
)

// robotJSON is the form of what `robot` answers.
const robotJSON = `JSON: {"wallet","wallet_name","mode":"off|shadow|sign","is_paused","policy":{"version","title"}|null,"silent":{"code","message"}|null,"heard_count",
"needed_count","meters":[{"meter","initiator":PERSON|null,"recipient","taken","share","limit","window_seconds"}],"outstanding_count"}.`

func (c *cli) robotStatusCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "status [WALLET]",
		Short: "Show whether this node signs by itself, by which policy, and what it has used",
		Long: `Show whether this node is a robot (robot.mode in config.toml), by which policy of the group it signs, why it is silent where it is, and how
much of each meter it has used by itself. What was signed counts until it is mined and the meter's window has passed; of what it signed
more than 7 days ago and what still lies there is an alarm (charges_outstanding).
` + robotJSON,
		Args: cobra.MaximumNArgs(1),
		RunE: ask(c, func(ctx context.Context, node *api.Client, args []string) (api.Robot, error) {
			wallet, err := which(ctx, node, args)
			if err != nil {
				return api.Robot{}, err
			}
			return node.Robot(ctx, wallet)
		}, showRobot),
	}
}

func (c *cli) robotPauseCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "pause WALLET",
		Short: "Stop this robot: it signs nothing until it is resumed",
		Long: `Stop this robot in a wallet, at once and over restarts, until ` + "`robot resume`" + `. It writes that it waits, and signs nothing; what it signed
before stays signed. To stop all robots of the group, freeze the wallet.
` + robotJSON,
		Args: cobra.ExactArgs(1),
		RunE: ask(c, func(ctx context.Context, node *api.Client, args []string) (api.Robot, error) {
			return node.PauseRobot(ctx, args[0])
		}, func(w io.Writer, r api.Robot) {
			fmt.Fprintf(w, "Paused: this robot signs nothing for %s until `quorate robot resume %s`.\n", clean(r.WalletName), short(r.Wallet))
		}),
	}
}

func (c *cli) robotResumeCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "resume WALLET",
		Short: "Have this robot go on signing by the policy",
		Long:  "Have this robot go on in a wallet after `robot pause`. It looks at all that waits at once.\n" + robotJSON,
		Args:  cobra.ExactArgs(1),
		RunE: ask(c, func(ctx context.Context, node *api.Client, args []string) (api.Robot, error) {
			return node.ResumeRobot(ctx, args[0])
		}, showRobot),
	}
}

func showRobot(w io.Writer, r api.Robot) {
	if r.Mode == "off" {
		fmt.Fprintf(w, "This node is no robot in %s: what it signs, a person has it sign.\n", clean(r.WalletName))
		return
	}
	mode := "it signs by the policy, by itself"
	if r.Mode == "shadow" {
		mode = "shadow: it says what a robot would do, and signs nothing by itself"
	}
	by, silent := "none", ""
	if r.Policy != nil {
		by = fmt.Sprintf("%s %s", short(r.Policy.Version), quotedTitle(r.Policy.Title))
	}
	if r.Silent != nil {
		silent = r.Silent.Message + " (" + r.Silent.Code + ")"
	}
	pairs(w, "wallet", clean(r.WalletName)+" ("+short(r.Wallet)+")", "mode", mode, "paused", yes(r.Paused, "yes"), "policy", by, "silent", silent,
		"heard", fmt.Sprintf("%d other members since the start, %d needed", r.Heard, r.Needed))
	if r.Waiting > 0 {
		fmt.Fprintf(w, "%d that it signed more than 7 days ago are not mined, and go on to count: spend their coins back to the wallet to free them\n", r.Waiting)
	}
	if len(r.Meters) == 0 {
		return
	}
	fmt.Fprintln(w)
	rows := [][]string{{"METER", "OF", "USED", "OWN SHARE", "LIMIT", "WINDOW"}}
	for _, m := range r.Meters {
		of := string(m.Recipient)
		if m.Initiator != nil {
			of = m.Initiator.Called()
		}
		rows = append(rows, []string{m.Meter, of, formatAmount(m.Taken), formatAmount(m.Share), formatAmount(m.Limit), window(m.Window)})
	}
	table(w, rows, shrink{0, 8}, shrink{1, 8})
}

// quotedTitle is a policy's title as it is shown.
func quotedTitle(title api.Text) string {
	if title == "" {
		return "(this version of the program cannot read it)"
	}
	return fmt.Sprintf("%q", clean(title))
}

// window says how long a meter's window is.
func window(seconds int64) string {
	for _, u := range []struct {
		of   int64
		name string
	}{{86400, "d"}, {3600, "h"}, {60, "min"}} {
		if seconds%u.of == 0 {
			return fmt.Sprintf("%d %s", seconds/u.of, u.name)
		}
	}
	return fmt.Sprintf("%d s", seconds)
}

// showRobotsSaid shows the verdicts of robots in short.
func showRobotsSaid(w io.Writer, proposal string, said []api.RobotSaid) {
	for _, v := range said {
		var why []string
		for _, r := range v.Reasons {
			why = append(why, clean(r.Message))
		}
		text := clean(v.Robot.Called()) + yes(v.Shadow, " (shadow)")
		fmt.Fprintf(w, "robot %s: %s%s\n", text, v.Outcome, yes(len(why) > 0, ": "+strings.Join(why, "; ")))
	}
	if len(said) > 0 {
		fmt.Fprintf(w, "          `quorate policy explain %s` says more\n", short(proposal))
	}
}
