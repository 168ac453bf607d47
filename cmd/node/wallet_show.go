package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/quorate/quorate/api"
)

func (c *cli) walletShowCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "show [WALLET]",
		Short: "Show a wallet, its cosigners, its words and its balance",
		Long: `Show a wallet, its cosigners, its words and its balance.
JSON: {"wallet","name","state":"joining|forming|verifying|active|archived|abandoned|failed","threshold","cosigner_count","place_count",
"issued_invites":[{"invite","expires","taken_by":PERSON}] (of a forming wallet, on its founder's node; taken_by is null while nobody took it),
"cosigners":[{"name","peer_id","key","path","xpub","origin_warning","online","ratified","proof":"own|message|psbt|none",
"hosted_by":PERSON (null for one with a node)}],
"words":"six words","descriptor":"…#checksum" (null before active),
"balance":{"confirmed","unconfirmed","leased","frozen","spendable"},"awaiting_hosted":[PERSON,…],
"restored":{"since","unsynced":[PERSON,…],"unread_count","unread_by":[PERSON,…],"writes"} (null where it was not),
"incomplete":[{"branch":"receive|change","first","last"}] (addresses of which old payments may not be known yet: they
are being looked for),"replacements":[{"replacement","cosigner":PERSON,"peer_id","proven","approved":[PERSON,…],"threshold"}],
"freezes":[…] (of all spending, as of ` + "`freeze`).",
		Args: cobra.MaximumNArgs(1),
		RunE: ask(c, func(ctx context.Context, node *api.Client, args []string) (api.Wallet, error) {
			wallet, err := which(ctx, node, args)
			if err != nil {
				return api.Wallet{}, err
			}
			w, err := node.Wallet(ctx, wallet)
			if err == nil {
				c.sayBlind(ctx, node)
			}
			return w, err
		}, showWallet),
	}
}

func showWallet(w io.Writer, x api.Wallet) {
	descriptor := maybe(x.Descriptor)
	if descriptor != "" && narrow(w) {
		descriptor = "--wide shows it, `quorate wallet export` writes it"
	}
	pairs(w, "wallet", x.Wallet, "name", x.Name, "founder calls it", string(x.FounderName), "state", x.State,
		"keys", keysText(x.WalletSummary), "joined", joinedText(x.WalletSummary),
		"words", maybe(x.Words), "descriptor", descriptor,
		"confirmed", formatAmount(x.Balance.Confirmed), "unconfirmed", formatAmount(x.Balance.Unconfirmed),
		"leased", formatAmount(x.Balance.Leased), "frozen", yes(x.Balance.Frozen > 0, formatAmount(x.Balance.Frozen)), "spendable", formatAmount(x.Balance.Spendable))
	for _, v := range x.IssuedInvites {
		fmt.Fprintf(w, "invite %s  %s\n", short(v.Invite), clean(takenText(v)))
	}
	for _, f := range x.Freezes {
		showFreeze(w, f)
	}
	for _, r := range x.Incomplete {
		fmt.Fprintf(w, "incomplete  %s\n", incompleteText(r))
	}
	showUnsynced(w, x.WalletSummary)
	showReplacements(w, x)
	for _, line := range originWarnings(x) {
		fmt.Fprintln(w, clean(line))
	}
	awaits(w, x.WalletSummary)
	fmt.Fprintln(w)
	rows := [][]string{{"COSIGNER", "ONLINE", "RATIFIED", "PROOF", "KEY", "PEER ID"}}
	for _, k := range x.Cosigners {
		key := ""
		if k.Key != nil {
			key = "[" + *k.Key + "/" + k.Path + "]" + k.XPub
		}
		node := maybe(k.PeerID)
		if k.HostedBy != nil {
			node = "NO NODE, hosted by " + k.HostedBy.Called()
		}
		rows = append(rows, []string{k.Name, yes(k.Online, "online"), yes(k.Ratified, "ratified"), proofText(k.Proof), key, node})
	}
	table(w, rows, shrink{4, 22}, shrink{5, 14}, shrink{0, 8}, shrink{5, 0}, shrink{4, 12})
}

// originWarnings says whose key has an unusual origin: its device may not sign.
func originWarnings(x api.Wallet) []string {
	var out []string
	for _, k := range x.Cosigners {
		if k.OriginWarning != nil {
			out = append(out, fmt.Sprintf("warning: the key of %s has an unusual origin, its device may not sign: %s", k.Called(), *k.OriginWarning))
		}
	}
	return out
}

// joinedText is how many of how many have joined, nothing once all have.
func joinedText(x api.WalletSummary) string {
	if x.CosignerCount >= places(x) {
		return ""
	}
	return fmt.Sprintf("%d of %d", x.CosignerCount, places(x))
}

// takenText says who took an invite, or until when anybody may.
func takenText(v api.IssuedInvite) string {
	switch {
	case v.TakenBy == nil:
		return "open until " + when(v.Expires)
	case v.TakenBy.Name == "":
		return "taken by " + maybe(v.TakenBy.PeerID) + ", whose key is not in yet"
	}
	return "taken by " + v.TakenBy.Called()
}

// proofText makes an unproven key hard to overlook.
func proofText(proof string) string {
	if proof == "none" {
		return "UNPROVEN"
	}
	return proof
}
