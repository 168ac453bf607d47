package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/ops"
)

func (c *cli) walletCreateCommand() *cobra.Command {
	var r api.CreateWallet
	var from, key, token string
	var noStay, code bool
	scripts := api.Scripts()
	var cmd *cobra.Command
	cmd = &cobra.Command{
		Use:   "create NAME --threshold K --cosigners N | --from FILE",
		Short: "Found a wallet and get an invite for each other cosigner",
		Long: `Found a wallet and get an invite for each other cosigner. Each invite is a secret for one of them. With --external
this node's place waits until the key is proved (` + "`wallet proof`, `wallet prove`" + `). A key at another origin than BIP48's, as TAPSIGNER
has it (m/48h/0h/0h), is refused (key_origin) but with --allow key_origin; the other cosigners see it before they ratify.
With --from the group is made around a wallet that exists: its keys, their order and its addresses stay, and its history
is looked for from --birthday on. This node's key is the one of the wallet that its seed derives, or else the one named
by --key, which is external; each other cosigner brings one of the others (` + "`wallet join`, there --external takes a fingerprint too" + `).
On a terminal it stays until the others have joined, asks for the six words that you hear from them, and ratifies
(--no-stay leaves that out; "wallet ratify" goes on).
What the file was taken in spite of is in "warnings": look at each before money goes there.
JSON: {"wallet","name","state":"forming","invites":["quorate1…",…],"issued_invites":[{"invite","expires","taken_by":null},…],"own_key":{"key","external"},"warnings":[{"code","message"}]};
"awaiting_proof":true where a proof is awaited, "warnings" where there are any.`,
		Args: cobra.ExactArgs(1),
		RunE: askAndStay(c, func(ctx context.Context, node *api.Client, args []string) (api.WalletInvites, error) {
			r.Name = args[0]
			if from != "" {
				if err := c.existing(ctx, cmd, node, &r, from, key, token); err != nil {
					return api.WalletInvites{}, err
				}
				return node.CreateWallet(ctx, r)
			}
			if key != "" || token != "" || r.Birthday != "" {
				return api.WalletInvites{}, api.Misuse("bad_request", "--key, --token and --birthday are of a wallet that exists", "give --from as well")
			}
			if r.Cosigners < 1 || r.Cosigners > 20 || r.Threshold < 1 || r.Threshold > r.Cosigners {
				return api.WalletInvites{}, api.Misuse("bad_threshold", "there can be 1 to 20 cosigners, and the threshold can be from 1 to their number", "try --cosigners 3 --threshold 2")
			}
			if !slices.Contains(scripts, r.Script) {
				return api.WalletInvites{}, api.Misuse("bad_script", fmt.Sprintf("script type %.20q is not known", r.Script), "it is "+strings.Join(scripts, " or "))
			}
			return node.CreateWallet(ctx, r)
		}, func(w io.Writer, v api.WalletInvites) { c.showInvites(w, v, code) }, func(ctx context.Context, node *api.Client, v api.WalletInvites) error {
			return c.mayStay(ctx, node, v.WalletSummary, noStay)
		}),
	}
	cmd.Flags().IntVar(&r.Threshold, "threshold", 0, "how many must sign")
	cmd.Flags().IntVar(&r.Cosigners, "cosigners", 0, "how many there are, this node included")
	cmd.Flags().StringVar(&r.Script, "script", scripts[0], "script `type`: "+strings.Join(scripts, " or "))
	externalFlag(cmd, &r.External, &r.Unproven)
	allowFlag(cmd, &r.Allow)
	stayFlag(cmd, &noStay)
	invitesQRFlag(cmd, &code)
	cmd.Flags().StringVar(&from, "from", "", "make the group around the wallet in this `file`: descriptor, BSMS, or what another wallet exports; - for standard input")
	cmd.Flags().StringVar(&key, "key", "", "with --from: `fingerprint` of this node's key, where its seed does not derive it")
	cmd.Flags().StringVar(&token, "token", "", "with --from: `token` of an encrypted BSMS record, in hex, as a number or in words; asked for on a terminal")
	cmd.Flags().StringVar(&r.Birthday, "birthday", "", "with --from: `height` or date (2024-12-31) before which the wallet was not paid")
	return cmd
}

// maxWalletFile is what one request holds.
const maxWalletFile = 900_000

// existing reads the file of an existing wallet into a request.
func (c *cli) existing(ctx context.Context, cmd *cobra.Command, node *api.Client, r *api.CreateWallet, from, key, token string) error {
	for _, f := range []string{"threshold", "cosigners", "script"} {
		if cmd.Flags().Changed(f) {
			return api.Misuse("bad_request", "--"+f+" does not go with --from: the file says it", "leave it out")
		}
	}
	if key != "" && r.External != "" {
		return api.Misuse("bad_request", "--key and --external both name this node's key", "leave one out")
	}
	if key != "" {
		r.External = key
	}
	content, err := c.readFile(from, maxWalletFile)
	if err != nil {
		return api.Misuse("bad_wallet_file", "the wallet file could not be read: "+err.Error(), "give its descriptor, where the file is a large one")
	}
	status, err := node.Status(ctx)
	if err != nil {
		return err
	}
	r.Script = ""
	r.From, err = ops.OpenWalletFile(content, status.Network, token)
	var e *api.Error
	if q := c.prompter(); errors.As(err, &e) && e.Code == "token_needed" && token == "" && from != "-" && q != nil {
		given, err := q.secret(ctx, "Token of the encrypted BSMS record: ")
		if err != nil {
			return err
		}
		r.From, err = ops.OpenWalletFile(content, status.Network, string(given))
		return err
	}
	return err
}

// readFile reads a file, or standard input for -, of at most so many bytes.
func (c *cli) readFile(name string, most int64) ([]byte, error) {
	from := c.in
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer func() { _ = f.Close() }() // only read
		from = f
	}
	b, err := io.ReadAll(io.LimitReader(from, most+1))
	if err == nil && int64(len(b)) > most {
		err = fmt.Errorf("it is over %d bytes", most)
	}
	return b, err
}

func externalFlag(cmd *cobra.Command, into *string, unproven *bool) {
	cmd.Flags().StringVar(into, "external", "", "account key with origin, `[fp/48h/…]xpub`, whose private key lives elsewhere; see `wallet proof`")
	cmd.Flags().BoolVar(unproven, "unproven", false, "with --external: enter the key although nothing shows that anybody holds it")
}

// require marks flags that must be given.
func require(cmd *cobra.Command, flags ...string) {
	for _, f := range flags {
		if err := cmd.MarkFlagRequired(f); err != nil {
			// Only for a flag that does not exist, which the tests of every command would show.
			cmd.Args = func(*cobra.Command, []string) error { return err }
		}
	}
}

func invitesQRFlag(cmd *cobra.Command, into *bool) {
	cmd.Flags().BoolVar(into, "qr", false, "show each invite as a QR code too, on a terminal: whoever sees it can take the place")
}

func (c *cli) showInvites(w io.Writer, v api.WalletInvites, code bool) {
	pairs(w, "wallet", v.Wallet, "name", v.Name, "state", v.State, "your key", ownKey(v.WalletSummary))
	awaits(w, v.WalletSummary)
	for _, x := range v.Warnings {
		fmt.Fprintf(w, "warning: %s (%s)\n", clean(x.Message), clean(x.Code))
	}
	if len(v.Invites) == 0 {
		return
	}
	fmt.Fprintln(w, "\nGive one invite to each other cosigner, over a channel you trust. Each is a\nsecret, and good for one node. `quorate wallet invite` makes another.")
	for n, i := range v.Invites {
		until := ""
		if n < len(v.Issued) {
			until = fmt.Sprintf(" (%s), until %s", short(v.Issued[n].Invite), v.Issued[n].Expires.UTC().Format("2006-01-02 15:04 UTC"))
		}
		fmt.Fprintf(w, "\nInvite %d of %d%s:\n%s\n", n+1, len(v.Invites), clean(until), clean(i))
		if code {
			c.showCode(w, i)
		}
	}
}
