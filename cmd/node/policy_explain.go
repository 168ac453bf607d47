package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/quorate/quorate/api"
)

func (c *cli) policyExplainCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "explain PROPOSAL",
		Short: "Say what each robot did about a proposal, and why, or what it waits for",
		Long: `Say in a sentence for each robot of the wallet what it did about a proposal, by which rule of the policy and why, or what it waits for. It is
what the robots themselves wrote into the group's history; every node shows the same.
JSON: {"proposal","wallet","wallet_name","txid","status","robots":[{"robot":PERSON,"outcome":"sign|wait|ask|deny"|null,"is_shadow","text",
"policy":{"version","title"}|null,"rule","rule_name","reasons":[{"code","message"}],"asks":[PERSON,…],"until","time"}]}; outcome is null
of a robot that said nothing.`,
		Args: cobra.ExactArgs(1),
		RunE: ask(c, func(ctx context.Context, node *api.Client, args []string) (api.Explanation, error) {
			return node.Explain(ctx, args[0])
		}, showExplanation),
	}
}

func showExplanation(w io.Writer, x api.Explanation) {
	if len(x.Robots) == 0 {
		fmt.Fprintf(w, "%s has no robots: no policy is in force, and none said anything.\n", clean(x.WalletName))
		return
	}
	for _, r := range x.Robots {
		fmt.Fprintln(w, clean(r.Text))
	}
}
