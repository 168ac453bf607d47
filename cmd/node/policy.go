package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/ops"
)

// shownPolicy is the answer of `policy check` and `policy show`.
type shownPolicy struct {
	Wallet     string           `json:"wallet"`
	WalletName string           `json:"wallet_name"`
	Title      string           `json:"title"`
	Rules      int              `json:"rule_count"`
	Bytes      int              `json:"byte_count"`
	Hash       string           `json:"hash"`
	Versions   api.List[string] `json:"versions"` // that say this, of those that are followed or voted on
	Sentences  api.List[string] `json:"sentences"`
	Worst      api.List[string] `json:"worst_case"`
	Warnings   api.List[string] `json:"warnings"`
}

// policyDiff is the answer of `policy diff`.
type policyDiff struct {
	Wallet  string                         `json:"wallet"`
	Tighter bool                           `json:"is_tighter"`
	From    string                         `json:"from_hash"`
	To      string                         `json:"to_hash"`
	Items   api.List[ops.PolicyDifference] `json:"items"`
}

// newPolicy is the answer of `policy new`.
type newPolicy struct {
	Wallet   string  `json:"wallet"`
	Template string  `json:"template"`
	Content  string  `json:"content"`
	File     *string `json:"file"`
}

// policyFile reads a file of a policy for a wallet of the node.
func (c *cli) policyFile(ctx context.Context, node *api.Client, w api.Wallet, path string) (ops.Policy, error) {
	content, err := c.readFile(path, ops.MaxPolicyFile)
	if err != nil {
		return ops.Policy{}, api.Misuse("bad_policy", "read: "+err.Error(), "name a file, or - for standard input")
	}
	status, err := node.Status(ctx)
	if err != nil {
		return ops.Policy{}, err
	}
	return ops.ReadPolicy(filepath.Base(path), content, w, status.Network)
}

// shownOf reads a file of a policy, and says what it comes to.
func (c *cli) shownOf(ctx context.Context, node *api.Client, args []string) (shownPolicy, error) {
	wallet, rest, err := whichAnd(ctx, node, args, 1)
	if err != nil {
		return shownPolicy{}, err
	}
	w, err := node.Wallet(ctx, wallet)
	if err != nil {
		return shownPolicy{}, err
	}
	p, err := c.policyFile(ctx, node, w, rest[0])
	if err != nil {
		return shownPolicy{}, err
	}
	shown := shownAs(w, p)
	shown.Versions, err = versionsOf(ctx, node, w, p)
	return shown, err
}

// versionsOf are those that say what a policy says.
func versionsOf(ctx context.Context, node *api.Client, w api.Wallet, p ops.Policy) ([]string, error) {
	all, err := node.Policies(ctx, w.Wallet)
	if err != nil {
		return nil, err
	}
	text := base64.StdEncoding.EncodeToString(p.Canonical)
	var out []string
	for _, listed := range all {
		b, err := node.Policy(ctx, w.Wallet, listed.Version)
		if err != nil {
			return nil, err
		}
		if b.Canonical != nil && *b.Canonical == text {
			out = append(out, b.Version)
		}
	}
	return out, nil
}

func shownAs(w api.Wallet, p ops.Policy, versions ...string) shownPolicy {
	return shownPolicy{
		Wallet: w.Wallet, WalletName: w.Name, Title: p.Title, Rules: p.Rules, Bytes: len(p.Canonical), Hash: p.Hash,
		Versions: versions, Sentences: p.Sentences, Worst: p.Worst, Warnings: p.Warnings,
	}
}

const shownPolicyJSON = `JSON: {"wallet","wallet_name","title","rule_count","byte_count","hash","versions":[…],"sentences":[…],"worst_case":[…],"warnings":[…]}.`

func (c *cli) policyCheckCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "check [WALLET] FILE|-",
		Short: "Check the file of a policy for robots",
		Long: `Check the file of a policy for robots, against the members, the network and the script of a wallet of this node. An
error names line, column, rule and field; docs/policy.md is the manual of the language. Nothing is proposed. The hash is
of what the file says, in whatever order, with whatever comments. What members vote on is a version, which also names what it takes the place
of: those that say what the file says, of all that are followed or voted on, are shown.
` + shownPolicyJSON,
		Args: cobra.RangeArgs(1, 2),
		RunE: ask(c, c.shownOf, func(w io.Writer, p shownPolicy) {
			fmt.Fprintf(w, "It is a policy for %s: %s\n", clean(p.WalletName), clean(p.Title))
			pairs(w, "rules", fmt.Sprint(p.Rules), "bytes", fmt.Sprint(p.Bytes), "hash", p.Hash)
			showVersions(w, p)
			for _, line := range p.Warnings {
				fmt.Fprintf(w, "warning: %s\n", clean(line))
			}
		}),
	}
}

func (c *cli) policyShowCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "show [WALLET] [FILE|-|VERSION]",
		Short: "Say in sentences all that a policy for robots says",
		Long: `Say in sentences all that a policy for robots says, as it will be followed: made from what robots read, not from the words of the
file. What is no file is a version that ` + "`policy list`" + ` shows; with neither it is the policy in force, which the robots of the wallet follow. Then the most that can leave in a window of each meter with none and with each number of bad robots, and what no meter bounds.
` + shownPolicyJSON,
		Args: cobra.MaximumNArgs(2),
		RunE: ask(c, c.shownNamed, func(w io.Writer, p shownPolicy) {
			showSentences(w, p)
			fmt.Fprintf(w, "\nhash %s\n", p.Hash)
			showVersions(w, p)
		}),
	}
}

// showVersions says what is voted on, which is not the hash.
func showVersions(w io.Writer, p shownPolicy) {
	for _, v := range p.Versions {
		fmt.Fprintf(w, "version %s\n", clean(v))
	}
	if len(p.Versions) == 0 {
		fmt.Fprintln(w, "no version says this: it is not voted on, and the robots do not follow it")
	}
}

// showSentences says all of a policy.
func showSentences(w io.Writer, p shownPolicy) {
	for _, part := range []struct {
		title string
		lines []string
	}{{"", p.Sentences}, {"At the worst:", p.Worst}, {"Warnings:", p.Warnings}} {
		if part.title != "" && len(part.lines) > 0 {
			fmt.Fprintf(w, "\n%s\n", part.title)
		}
		for _, line := range part.lines {
			fmt.Fprintln(w, clean(line))
		}
	}
}

func (c *cli) policyDiffCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "diff [WALLET] FILE FILE",
		Short: "Say how two policies for robots differ, and whether the second is tighter",
		Long: `Say how two policies for robots differ, and whether the second is tighter than the first. A tighter one signs nothing that the
first would not, and takes effect as soon as it is approved; any other waits for the first one's change_delay. Members and
addresses are compared, not the names of groups and recipients: one that was added to a group under the same name shows.
JSON: {"wallet","is_tighter","from_hash","to_hash","items":[{"mark":"tighter|looser|same","text"}]}.`,
		Args: cobra.RangeArgs(2, 3),
		RunE: ask(c, func(ctx context.Context, node *api.Client, args []string) (policyDiff, error) {
			wallet, rest, err := whichAnd(ctx, node, args, 2)
			if err != nil {
				return policyDiff{}, err
			}
			w, err := node.Wallet(ctx, wallet)
			if err != nil {
				return policyDiff{}, err
			}
			from, err := c.policyFile(ctx, node, w, rest[0])
			if err != nil {
				return policyDiff{}, err
			}
			to, err := c.policyFile(ctx, node, w, rest[1])
			if err != nil {
				return policyDiff{}, err
			}
			d := policyDiff{Wallet: w.Wallet, From: from.Hash, To: to.Hash}
			d.Tighter, d.Items = ops.ComparePolicies(from, to)
			return d, nil
		}, showPolicyDiff),
	}
}

func showPolicyDiff(w io.Writer, d policyDiff) {
	for _, x := range d.Items {
		fmt.Fprintf(w, "%-7s  %s\n", x.Mark, clean(x.Text))
	}
	switch {
	case d.From == d.To:
		fmt.Fprintln(w, "They say the same.")
	case d.Tighter:
		fmt.Fprintln(w, "The second is tighter: it takes effect as soon as it is approved.")
	default:
		fmt.Fprintln(w, "The second is looser: it takes effect after the first one's change_delay.")
	}
}

func (c *cli) policyNewCommand() *cobra.Command {
	var template, file string
	var robots []string
	cmd := &cobra.Command{
		Use:   "new [WALLET]",
		Short: "Write the file of a policy for robots, to begin with",
		Long: `Write the file of a policy for robots, to begin with: commented, with the members of the wallet filled in. The recipients and the
figures in it are to be replaced.

payroll   salaries in a budget of a month, stopped by anybody within an hour
treasury  small payments by the robot alone, larger ones when others approve too; after a start it hears as many others as spend
recovery  the robot signs only long after it was asked, unless somebody rejects
escrow    a neutral key signs what two parties agree on

JSON: {"wallet","template","content","file"}; file is null without --output.`,
		Args: cobra.MaximumNArgs(1),
		RunE: ask(c, func(ctx context.Context, node *api.Client, args []string) (newPolicy, error) {
			wallet, err := which(ctx, node, args)
			if err != nil {
				return newPolicy{}, err
			}
			w, err := node.Wallet(ctx, wallet)
			if err != nil {
				return newPolicy{}, err
			}
			status, err := node.Status(ctx)
			if err != nil {
				return newPolicy{}, err
			}
			content, err := ops.NewPolicy(template, w, status.Network, robots)
			if err != nil || file == "" {
				return newPolicy{Wallet: w.Wallet, Template: template, Content: content}, err
			}
			return newPolicy{w.Wallet, template, content, &file}, newFile(file, []byte(content))
		}, func(w io.Writer, p newPolicy) {
			if p.File != nil {
				fmt.Fprintf(w, "written to %s\nThen: quorate policy check %s\n", clean(*p.File), clean(*p.File))
				return
			}
			for line := range strings.Lines(p.Content) {
				fmt.Fprintln(w, clean(strings.TrimSuffix(line, "\n")))
			}
		}),
	}
	cmd.Flags().StringVar(&template, "template", "", "`name` of one of the above: "+strings.Join(ops.PolicyTemplates(), ", "))
	cmd.Flags().StringSliceVar(&robots, "robot", nil, "`name` of a member whose node is a robot (several times, or with commas; default: the last member)")
	cmd.Flags().StringVarP(&file, "output", "o", "", "write to a new `FILE`, which only its owner can read")
	require(cmd, "template")
	return cmd
}
