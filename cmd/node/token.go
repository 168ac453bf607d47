package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/quorate/quorate/api"
)

func (c *cli) tokenCommand() *cobra.Command {
	return c.group("token", "Let programs on this machine use the node over TCP", c.tokenCreateCommand(), c.tokenListCommand(), c.tokenRevokeCommand())
}

// tokenFields is what is shown of a token, in help.
const tokenFields = `"token","name","verbs":[…],"wallet_ids":[…],"max_amount","spent","until","created","made_by","last_used"`

func (c *cli) tokenCreateCommand() *cobra.Command {
	var r api.CreateToken
	var amount string
	var until span
	cmd := &cobra.Command{
		Use:   "create NAME",
		Short: "Make a token, which is shown once",
		Long: `Make a token for a program that asks the node over HTTP, where api.listen is set. The node keeps a digest of it alone: it is shown
this once. What it may do is a set of verbs: read, address, propose (without this node's signature), withdraw, comment, label,
freeze (coins; sign besides lifts it), vote (against a proposal; and freeze all spending), sign, manage (wallets and peers), allow (override rules by name) and token (make lesser tokens, which
end with it). --role names some of them: read; propose has read, address, propose, withdraw, comment, label and freeze; sign has these,
vote, sign and manage. --wallet binds it to wallets, of which alone it is told. --max-amount bounds what it and those it makes
propose or have signed within 24 hours: payments, fees, and bumps that are agreed to beforehand. A backup has no tokens.
JSON: {` + tokenFields + `,"secret"}.`,
		Args: cobra.ExactArgs(1),
		RunE: ask(c, func(ctx context.Context, node *api.Client, args []string) (api.TokenMade, error) {
			r.Name = args[0]
			if r.Role == "" && len(r.Verbs) == 0 {
				return api.TokenMade{}, api.Misuse("bad_token", "a token that may do nothing", "give --role or --verb")
			}
			if amount != "" {
				sat, err := parseAmount(amount)
				if err != nil {
					return api.TokenMade{}, err
				}
				if sat == 0 {
					return api.TokenMade{}, api.Misuse("bad_amount", "a limit of nothing", "leave sign and propose out of its verbs instead")
				}
				r.MaxAmount = sat
			}
			if until != 0 {
				at := api.Time(time.Now().Add(time.Duration(until)))
				r.Until = &at
			}
			return node.CreateToken(ctx, r)
		}, func(w io.Writer, v api.TokenMade) {
			fmt.Fprintln(w, v.Secret)
			fmt.Fprintln(w)
			fmt.Fprintf(w, "This is token %q, %s. It is shown this once: give it to its program as the bearer token.\n", v.Name, v.Token)
			for _, line := range addsUpTo(v.TokenInfo) {
				fmt.Fprintln(w, "- "+line)
			}
		}),
	}
	cmd.Flags().StringVar(&r.Role, "role", "", "read, propose or sign: a name for verbs")
	cmd.Flags().StringSliceVar(&r.Verbs, "verb", nil, "a verb, in place of a role or besides; repeat it, or put commas between")
	cmd.Flags().StringSliceVar(&r.Wallets, "wallet", nil, "a wallet that it is bound to; repeat it for more")
	cmd.Flags().StringVar(&amount, "max-amount", "", "how much it may propose or have signed within 24 hours, as 0.01 or 500000sat")
	cmd.Flags().Var(&until, "until", "how long from now it is good for, as 30d; for ever where left out")
	return cmd
}

// addsUpTo says what a token comes to, the gravest first.
func addsUpTo(t api.TokenInfo) (lines []string) {
	may := func(verb string) bool { return slices.Contains(t.Verbs, verb) }
	if may("sign") {
		line := "it has this node's key sign, without limit"
		if t.MaxAmount != nil {
			line = fmt.Sprintf("it has this node's key sign, up to %s within 24 hours", formatAmount(*t.MaxAmount))
		}
		lines = append(lines, line)
	}
	if may("allow") {
		lines = append(lines, "it overrides rules that refuse, by name")
	}
	if may("manage") {
		lines = append(lines, "it founds, joins, ratifies and archives wallets, and exports their logs")
	}
	if may("token") {
		lines = append(lines, "it makes tokens that may do what it may, and less")
	}
	rest := slices.DeleteFunc(slices.Clone(t.Verbs), func(v string) bool {
		return slices.Contains([]string{"sign", "allow", "manage", "token"}, v)
	})
	if len(rest) > 0 {
		lines = append(lines, "it may "+strings.Join(rest, ", "))
	}
	where := "of all wallets, those to come as well"
	if n := len(t.Wallets); n > 0 {
		where = "of these wallets alone: " + strings.Join(shorts(t.Wallets), ", ")
	}
	lines = append(lines, "that is "+where)
	if t.Until == nil {
		return append(lines, "it has no end: `quorate token revoke` ends it")
	}
	return append(lines, "it ends at "+when(*t.Until))
}

func shorts(ids []string) (out []string) {
	for _, id := range ids {
		out = append(out, short(id))
	}
	return out
}

func (c *cli) tokenListCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List tokens, and what they may do",
		Long: `List the tokens that were made here, those of the configuration left out, the newest first. Of when one was last used the hour
is kept, and so of what it spent: an amount counts for 24 to 25 hours.
JSON: {"items":[{` + tokenFields + `}],"next":null}.`,
		Args: cobra.NoArgs,
		RunE: ask(c, func(ctx context.Context, node *api.Client, _ []string) (api.Page[api.TokenInfo], error) {
			items, err := node.Tokens(ctx)
			return api.Page[api.TokenInfo]{Items: items}, err
		}, func(w io.Writer, p api.Page[api.TokenInfo]) {
			rows := [][]string{{"NAME", "VERBS", "WALLETS", "LIMIT", "SPENT", "ENDS", "LAST USED"}}
			for _, t := range p.Items {
				row := []string{t.Name, strings.Join(t.Verbs, ","), "all", "none", "", "never", "never"}
				if len(t.Wallets) > 0 {
					row[2] = strings.Join(shorts(t.Wallets), ",")
				}
				if t.MaxAmount != nil {
					row[3] = formatAmount(*t.MaxAmount)
				}
				if t.Spent != nil {
					row[4] = formatAmount(*t.Spent)
				}
				if t.Until != nil {
					row[5] = when(*t.Until)
				}
				if t.Used != nil {
					row[6] = when(*t.Used)
				}
				rows = append(rows, row)
			}
			table(w, rows, shrink{1, 8}, shrink{2, 8}, shrink{6, 0}, shrink{0, 8}, shrink{4, 0})
		}),
	}
}

func (c *cli) tokenRevokeCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "revoke TOKEN",
		Short: "End a token and all that it made, at once",
		Long: `End a token, named by its name or its id, and all that it made, at once and for ever: requests are refused from then on, and
streams and waits that are open end. What it signed stays signed.
JSON: {` + tokenFields + `,"revoked_count"}.`,
		Args: cobra.ExactArgs(1),
		RunE: ask(c, func(ctx context.Context, node *api.Client, args []string) (api.TokenRevoked, error) {
			return node.RevokeToken(ctx, args[0])
		}, func(w io.Writer, v api.TokenRevoked) {
			if v.Revoked > 1 {
				fmt.Fprintf(w, "token %q has ended, and %d that came from it\n", v.Name, v.Revoked-1)
				return
			}
			fmt.Fprintf(w, "token %q has ended\n", v.Name)
		}),
	}
}
