package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/quorate/quorate/api"
)

func (c *cli) freezeCommand() *cobra.Command {
	var r api.FreezeWallet
	cmd := &cobra.Command{
		Use:   "freeze [WALLET]",
		Short: "Freeze all spending from a wallet, for all cosigners",
		Long: `Freeze all spending from a wallet, for all cosigners: from when they hear of it on, whoever approves a payment, or proposes one that its
node signs, is refused (frozen) without --allow frozen; and no node signs by itself, neither bumps that were agreed to beforehand nor
payments that recur. Signatures that are out already stay valid, and what has enough of them goes out. Every cosigner with a node may
freeze, and ` + "`unfreeze`" + ` lifts it once as many cosigners as sign are for that. Of one cosigner the last 8 freezes count; for 144 blocks
(24 hours) after one of them was lifted its others have no effect. A repeat without another reason changes nothing. See ` + "`coin freeze`" + ` for
a single coin.
JSON: {"wallet","wallet_name","freezes":[{"freeze_id","by":PERSON,"reason","time","lifts":[PERSON,…],"lifts_needed","rests_until"}]};
rests_until is null for one that has effect, else the height from which on it has.`,
		Args: cobra.MaximumNArgs(1),
		RunE: ask(c, func(ctx context.Context, node *api.Client, args []string) (api.WalletFreezes, error) {
			wallet, err := which(ctx, node, args)
			if err != nil {
				return api.WalletFreezes{}, err
			}
			return node.Freeze(ctx, wallet, r)
		}, showFreezes),
	}
	cmd.Flags().StringVar(&r.Reason, "reason", "", "why, as `text` for the other cosigners")
	allowFlag(cmd, &r.Allow)
	return cmd
}

func (c *cli) unfreezeCommand() *cobra.Command {
	var r api.UnfreezeWallet
	var yes bool
	cmd := &cobra.Command{
		Use:   "unfreeze [WALLET] [FREEZE…]",
		Short: "Be for lifting a freeze of all spending",
		Long: `Be for lifting freezes of all spending from a wallet: all that stand, or those whose ids (or the first characters of them) follow the
wallet, as ` + "`wallet show`" + ` lists them. On a terminal they are shown first. A freeze is lifted once as many cosigners as sign are for it, who
froze it among them or not; the height of this node's chain goes along, from which the 144 blocks count in which the same cosigner's
further freezes have no effect. A repeat changes nothing.
JSON: as of ` + "`freeze`.",
		Args: cobra.ArbitraryArgs,
		RunE: ask(c, func(ctx context.Context, node *api.Client, args []string) (api.WalletFreezes, error) {
			wallet, err := which(ctx, node, args)
			if err != nil {
				return api.WalletFreezes{}, err
			}
			w, err := node.Wallet(ctx, wallet)
			if err != nil {
				return api.WalletFreezes{}, err
			}
			now := api.WalletFreezes{Wallet: w.Wallet, WalletName: w.Name, Freezes: w.Freezes}
			if len(args) > 1 {
				if now.Freezes, err = named(w.Freezes, args[1:]); err != nil {
					return now, err
				}
			}
			if len(now.Freezes) == 0 {
				return now, nil
			}
			if !yes && c.asker() != nil {
				showFreezes(c.err, now)
			}
			if err := c.agreed(ctx, yes, "\nHave that lifted? Payments can be signed again then."); err != nil {
				return now, err
			}
			for _, f := range now.Freezes {
				r.Freezes = append(r.Freezes, f.Freeze)
			}
			return node.Unfreeze(ctx, w.Wallet, r)
		}, showFreezes),
	}
	yesFlag(cmd, &yes)
	allowFlag(cmd, &r.Allow)
	return cmd
}

// named are the freezes whose ids begin with what was given.
func named(all []api.GroupFreeze, given []string) (out []api.GroupFreeze, err error) {
	for _, text := range given {
		var fits []api.GroupFreeze
		for _, f := range all {
			if text != "" && strings.HasPrefix(f.Freeze, strings.ToLower(text)) {
				fits = append(fits, f)
			}
		}
		switch len(fits) {
		case 0:
			return nil, api.Missing("no_such_freeze", fmt.Sprintf("no freeze %.64q stands", text), "`quorate wallet show` lists those that do")
		case 1:
			out = append(out, fits[0])
		default:
			return nil, api.Misuse("ambiguous_freeze", fmt.Sprintf("several freezes begin with %.64q", text), "give more of the id")
		}
	}
	return out, nil
}

func showFreezes(w io.Writer, x api.WalletFreezes) {
	if len(x.Freezes) == 0 {
		fmt.Fprintln(w, "not frozen: payments can be signed")
		return
	}
	for _, f := range x.Freezes {
		showFreeze(w, f)
	}
}
