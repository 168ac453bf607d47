package main

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/app/config"
	"github.com/quorate/quorate/ops"
)

// completeTime bounds what a person waits for a completion.
const completeTime = 2 * time.Second

// completes has a shell complete what the node knows: wallets and proposals, by what the
// usage line calls an argument, and the values of flags.
func (c *cli) completes(cmd *cobra.Command) {
	names, _ := placeholders(cmd.Use)
	if len(names) > 0 && len(cmd.ValidArgs) == 0 && cmd.ValidArgsFunction == nil {
		cmd.ValidArgsFunction = func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
			if len(args) >= len(names) {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			switch names[len(args)] {
			case "WALLET":
				return c.known(cmd, typed, wallets)
			case "PROPOSAL":
				return c.known(cmd, typed, proposals)
			}
			if strings.Contains(names[len(args)], "FILE") || strings.Contains(names[len(args)], "DIR") {
				return nil, cobra.ShellCompDirectiveDefault
			}
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
	}
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		complete := c.valuesOf(cmd.CommandPath(), f)
		if complete == nil {
			return
		}
		// An error says that its command completes it by itself.
		_ = cmd.RegisterFlagCompletionFunc(f.Name, complete)
	})
}

// fixed are the values that flags of these names take.
func fixed(path, flag string) []string {
	switch flag {
	case "network":
		return []string{"mainnet", "testnet4", "signet", "regtest"}
	case "script":
		return api.Scripts()
	case "log-level":
		return []string{"debug", "info", "warn", "error"}
	case "log-format":
		return []string{"text", "json"}
	case "status":
		if strings.HasSuffix(path, " wait") {
			return []string{api.StatusFinal, api.StatusBroadcast, api.StatusConfirmed}
		}
		return []string{api.StatusPending, api.StatusFinal, api.StatusBroadcast, api.StatusConfirmed, api.StatusConflicted, api.StatusWithdrawn, api.StatusRejected, api.StatusExpired, api.StatusReplaced}
	case "template":
		return ops.PolicyTemplates()
	case "format":
		switch {
		case strings.HasSuffix(path, " wallet export"):
			return []string{"descriptor", "bsms", "core", "coldcard", "sparrow", "caravan", "electrum", "specter", "nunchuk", "page"}
		case strings.HasSuffix(path, " wallet proof"):
			return []string{"message", "psbt"}
		}
		return []string{"base64", "binary", "bbqr", "ur"}
	}
	return nil
}

func (c *cli) valuesOf(path string, f *pflag.Flag) cobra.CompletionFunc {
	if values := fixed(path, f.Name); values != nil {
		return cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)
	}
	switch f.Name {
	case "replaces":
		return func(cmd *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
			return c.known(cmd, typed, proposals)
		}
	case "coin":
		return func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
			return c.known(cmd, typed, func(ctx context.Context, node *api.Client) (out []string) {
				wallet, err := which(ctx, node, args)
				if err != nil {
					return nil
				}
				coins, _ := node.Coins(ctx, wallet) // without an answer there is nothing to complete
				for _, x := range coins {
					out = append(out, x.OutPoint+"\t"+formatAmount(x.Amount))
				}
				return out
			})
		}
	case "set":
		return func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			var keys []string
			for _, k := range config.Keys() {
				keys = append(keys, k+"=")
			}
			return keys, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
		}
	}
	return nil
}

// known completes with what the running node answers. Where it does not, there is nothing
// to complete, and no error to show.
func (c *cli) known(cmd *cobra.Command, typed string, list func(context.Context, *api.Client) []string) ([]string, cobra.ShellCompDirective) {
	dir := c.dataDir
	if dir == "" {
		dir = c.defaultDataDir()
	}
	node, err := api.Dial(dir)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	defer node.Close()
	ctx, cancel := context.WithTimeout(cmd.Context(), completeTime)
	defer cancel()
	var out []string
	for _, s := range list(ctx, node) {
		if strings.HasPrefix(s, typed) {
			out = append(out, clean(strings.ReplaceAll(s, "\t", "\x00")))
			out[len(out)-1] = strings.ReplaceAll(out[len(out)-1], clean("\x00"), "\t")
		}
	}
	return out, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
}

func wallets(ctx context.Context, node *api.Client) (out []string) {
	all, _ := node.Wallets(ctx) // without an answer there is nothing to complete
	for _, w := range all {
		if w.Name != "" {
			out = append(out, w.Name+"\t"+w.State)
		}
	}
	return out
}

// proposals are those that wait first.
func proposals(ctx context.Context, node *api.Client) (out []string) {
	seen := map[string]bool{}
	page, _ := node.Pending(ctx, api.PendingQuery{}) // without an answer there is nothing to complete
	for _, p := range page.Items {
		if p.Proposal != nil {
			seen[*p.Proposal] = true
			out = append(out, *p.Proposal+"\t"+p.WalletName+", waits: "+formatAmount(value(p.Sends)))
		}
	}
	all, _ := node.Wallets(ctx)
	for _, w := range all {
		page, _ := node.Proposals(ctx, w.Wallet, api.ProposalQuery{Limit: 20})
		for _, p := range page.Items {
			if !seen[p.Proposal] {
				out = append(out, p.Proposal+"\t"+w.Name+", "+p.Status)
			}
		}
	}
	return out
}
