package main

import (
	"context"
	"slices"
	"strings"

	"github.com/quorate/quorate/api"
)

// which is the wallet that a command is about: the one that is named, or the only
// one of the node. Wallets that were given up or put aside do not count.
func which(ctx context.Context, node *api.Client, args []string) (string, error) {
	if len(args) > 0 {
		return args[0], nil
	}
	all, err := node.Wallets(ctx)
	if err != nil {
		return "", err
	}
	all = slices.DeleteFunc(slices.Clone(all), func(w api.WalletItem) bool { return w.State == "abandoned" || w.State == "archived" })
	switch len(all) {
	case 0:
		return "", api.Missing("no_wallet", "this node has no wallet", "`quorate wallet create` founds one, `quorate wallet join -` takes an invite")
	case 1:
		return all[0].Wallet, nil
	}
	names := make([]string, 0, len(all))
	for _, w := range all {
		names = append(names, called(w.WalletSummary))
	}
	return "", api.Misuse("which_wallet", "this node has several wallets: "+strings.Join(names[:min(len(names), 10)], ", "), "name one")
}

// whichAnd is which for a command that takes n further arguments after the wallet: it
// returns them too.
func whichAnd(ctx context.Context, node *api.Client, args []string, n int) (string, []string, error) {
	if len(args) > n {
		return args[0], args[1:], nil
	}
	wallet, err := which(ctx, node, nil)
	return wallet, args, err
}

// called is what a wallet is called, or the start of its id before it has a name.
func called(w api.WalletSummary) string {
	if w.Name == "" {
		return short(w.Wallet)
	}
	return w.Name
}
