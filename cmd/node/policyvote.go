package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/ops"
)

const policyJSON = `JSON: {"wallet","version","title","problem","follows":[…],"proposed":[{"by":PERSON,"time"}],"for":[PERSON,…],"against":[PERSON,…],"for_needed",
"against_most","passed","counts","robots":[{"robot":PERSON,"anchor_height","anchor_time","is_followed"}],"canonical"}; canonical is base64.`

func (c *cli) policyProposeCommand() *cobra.Command {
	var r api.ProposePolicy
	var yes bool
	cmd := &cobra.Command{
		Use:   "propose [WALLET] FILE|-",
		Short: "Put a policy for robots to the vote, and be for it",
		Long: `Put a policy for robots to the vote, in the place of what robots follow now, and be for it. On a terminal it is said in sentences first,
with how it differs from what robots follow. Robots follow it once as many cosigners as sign are for it (` + "`policy approve`" + `) and no more are against it
(` + "`policy object`" + `) than leave so many: the first policy and a tighter one at once, any other after the delay of the one before, as long as
its votes stand. What is proposed already is not proposed again.
` + policyJSON,
		Args: cobra.RangeArgs(1, 2),
		RunE: ask(c, func(ctx context.Context, node *api.Client, args []string) (api.Policy, error) {
			w, rest, err := walletAnd(ctx, node, args, 1)
			if err != nil {
				return api.Policy{}, err
			}
			p, err := c.policyFile(ctx, node, w, rest[0])
			if err != nil {
				return api.Policy{}, err
			}
			if !yes && c.asker() != nil {
				showSentences(c.err, shownAs(w, p))
				if err := c.showChange(ctx, node, w, p); err != nil {
					return api.Policy{}, err
				}
			}
			if err := c.agreed(ctx, yes, "\nPut it to the vote, and be for it?"); err != nil {
				return api.Policy{}, err
			}
			r.Canonical = base64.StdEncoding.EncodeToString(p.Canonical)
			return node.ProposePolicy(ctx, w.Wallet, r)
		}, showBallot),
	}
	yesFlag(cmd, &yes)
	allowFlag(cmd, &r.Allow)
	return cmd
}

func (c *cli) policyVoteCommand(against bool) *cobra.Command {
	r := api.VotePolicy{Against: against}
	var yes bool
	name, short, question := "approve", "Be for a policy for robots", "\nBe for it?"
	if against {
		name, short, question = "object", "Be against a policy for robots", "\nBe against it?"
	}
	cmd := &cobra.Command{
		Use:   name + " [WALLET] VERSION",
		Short: short,
		Long: short + `, in the place of what this node's member said of it before. On a terminal it is said in sentences first. Of all that take the place of
the same one a member is for that which it approved last. What robots follow already they go on following. Takes at least 32 characters of the version.
JSON: as of ` + "`policy propose`.",
		Args: cobra.RangeArgs(1, 2),
		RunE: ask(c, func(ctx context.Context, node *api.Client, args []string) (api.Policy, error) {
			w, rest, err := walletAnd(ctx, node, args, 1)
			if err != nil {
				return api.Policy{}, err
			}
			if !yes && c.asker() != nil {
				b, p, err := decoded(ctx, node, w, rest[0])
				switch {
				case err == nil:
					showSentences(c.err, shownAs(w, p))
					if err := c.showChange(ctx, node, w, p); err != nil {
						return api.Policy{}, err
					}
				case !against || b.Version == "":
					return api.Policy{}, err
				}
			}
			if err := c.agreed(ctx, yes, question); err != nil {
				return api.Policy{}, err
			}
			return node.VotePolicy(ctx, w.Wallet, rest[0], r)
		}, showBallot),
	}
	yesFlag(cmd, &yes)
	allowFlag(cmd, &r.Allow)
	return cmd
}

func (c *cli) policyListCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "list [WALLET]",
		Short: "List the policies for robots that are followed or voted on",
		Long: `List the policies for robots that are followed, that may come next, and that each cosigner proposed last, the newest first: who is for and
against each, and which robots noted its votes and follow it.
JSON: {"items":[…],"next"}, each as of ` + "`policy propose`" + ` with canonical null.`,
		Args: cobra.MaximumNArgs(1),
		RunE: ask(c, func(ctx context.Context, node *api.Client, args []string) (api.Page[api.Policy], error) {
			wallet, err := which(ctx, node, args)
			if err != nil {
				return api.Page[api.Policy]{}, err
			}
			items, err := node.Policies(ctx, wallet)
			return api.Page[api.Policy]{Items: items}, err
		}, func(w io.Writer, page api.Page[api.Policy]) {
			if len(page.Items) == 0 {
				fmt.Fprintln(w, "no policy was proposed: robots sign nothing")
			}
			for _, p := range page.Items {
				showBallot(w, p)
			}
		}),
	}
}

// walletAnd is whichAnd with the wallet itself.
func walletAnd(ctx context.Context, node *api.Client, args []string, n int) (api.Wallet, []string, error) {
	wallet, rest, err := whichAnd(ctx, node, args, n)
	if err != nil {
		return api.Wallet{}, nil, err
	}
	w, err := node.Wallet(ctx, wallet)
	return w, rest, err
}

// decoded reads a version of a wallet.
func decoded(ctx context.Context, node *api.Client, w api.Wallet, version string) (api.Policy, ops.Policy, error) {
	b, err := node.Policy(ctx, w.Wallet, version)
	if err != nil {
		return b, ops.Policy{}, err
	}
	status, err := node.Status(ctx)
	if err != nil {
		return b, ops.Policy{}, err
	}
	if b.Canonical == nil {
		return b, ops.Policy{}, api.Fail("bad_answer", "the node sent no policy", "is it of another version?")
	}
	text, err := base64.StdEncoding.DecodeString(*b.Canonical)
	if err != nil {
		return b, ops.Policy{}, api.Fail("bad_answer", "the node's policy is not in base64", "is it of another version?")
	}
	p, err := ops.DecodePolicy(text, w, status.Network)
	return b, p, err
}

// showChange says how a policy differs from those that robots follow now.
func (c *cli) showChange(ctx context.Context, node *api.Client, w api.Wallet, p ops.Policy) error {
	all, err := node.Policies(ctx, w.Wallet)
	if err != nil {
		return err
	}
	for _, b := range all {
		followed := false
		for _, r := range b.Robots {
			followed = followed || r.Follows
		}
		if !followed || b.Problem != "" {
			continue
		}
		_, old, err := decoded(ctx, node, w, b.Version)
		if err != nil {
			return err
		}
		d := policyDiff{From: old.Hash, To: p.Hash}
		d.Tighter, d.Items = ops.ComparePolicies(old, p)
		fmt.Fprintf(c.err, "\nAgainst what robots follow now (%s):\n", clean(b.Version[:16]))
		showPolicyDiff(c.err, d)
	}
	return nil
}

// shownNamed is what `policy show` names: a file, else a wallet whose policy in force it is,
// else a version.
func (c *cli) shownNamed(ctx context.Context, node *api.Client, args []string) (shownPolicy, error) {
	if len(args) == 0 {
		return c.shownInForce(ctx, node, nil)
	}
	name := args[len(args)-1]
	if _, err := os.Stat(name); name == "-" || !errors.Is(err, fs.ErrNotExist) {
		return c.shownOf(ctx, node, args)
	}
	if len(args) == 1 && api.CheckWallet(name) == nil {
		var e *api.Error
		if p, err := c.shownInForce(ctx, node, args); !errors.As(err, &e) || e.Code != "unknown_wallet" {
			return p, err
		}
	}
	if !isHex(name) {
		return c.shownOf(ctx, node, args) // says that there is no such file
	}
	w, rest, err := walletAnd(ctx, node, args, 1)
	if err != nil {
		return shownPolicy{}, err
	}
	b, p, err := decoded(ctx, node, w, rest[0])
	if err != nil {
		return shownPolicy{}, err
	}
	return shownAs(w, p, b.Version), nil
}

// shownInForce is the policy that the robots of a wallet follow.
func (c *cli) shownInForce(ctx context.Context, node *api.Client, args []string) (shownPolicy, error) {
	ref, err := which(ctx, node, args)
	if err != nil {
		return shownPolicy{}, err
	}
	w, err := node.Wallet(ctx, ref)
	if err != nil {
		return shownPolicy{}, err
	}
	all, err := node.Policies(ctx, w.Wallet)
	if err != nil {
		return shownPolicy{}, err
	}
	followed := slices.DeleteFunc(slices.Clone(all), func(p api.Policy) bool {
		return !slices.ContainsFunc(p.Robots, func(r api.PolicyRobot) bool { return r.Follows })
	})
	switch len(followed) {
	case 0:
		return shownPolicy{}, api.Missing("no_policy", "no policy is in force: robots sign nothing", "`quorate policy list` shows what is voted on")
	case 1:
		b, p, err := decoded(ctx, node, w, followed[0].Version)
		if err != nil {
			return shownPolicy{}, err
		}
		return shownAs(w, p, b.Version), nil
	}
	var names []string
	for _, p := range followed {
		names = append(names, p.Version[:16])
	}
	return shownPolicy{}, api.Misuse("which_policy", "robots follow several policies: "+strings.Join(names, ", "), "name one; `quorate policy list` says which robot follows which")
}

func isHex(text string) bool {
	for _, r := range text {
		if (r < '0' || r > '9') && (r < 'a' || r > 'f') {
			return false
		}
	}
	return len(text) >= api.MinRead
}

// showBallot says how far a version is.
func showBallot(w io.Writer, p api.Policy) {
	state := "open"
	if p.Passed {
		state = "has its votes"
	}
	if !p.Counts {
		state = "does not count: its author proposed too many"
	}
	fmt.Fprintf(w, "%s, %s\n  %s\n", clean(string(p.Title)), state, clean(p.Version))
	if p.Problem != "" {
		fmt.Fprintf(w, "  no robot could follow it: %s\n", clean(string(p.Problem)))
	}
	for _, x := range p.Proposed {
		fmt.Fprintf(w, "  proposed by %s, %s\n", clean(x.By.Called()), when(x.Time))
	}
	fmt.Fprintf(w, "  for: %d of %d", len(p.For), p.Needed)
	if len(p.For) > 0 {
		fmt.Fprintf(w, " (%s)", clean(api.Called(p.For)))
	}
	if len(p.Against) > 0 {
		fmt.Fprintf(w, ", against: %d, at most %d (%s)", len(p.Against), p.Most, clean(api.Called(p.Against)))
	}
	fmt.Fprintln(w)
	for _, r := range p.Robots {
		how := "has not noted its votes"
		if r.Height != nil {
			how = fmt.Sprintf("noted its votes at height %d", *r.Height)
		}
		if r.Follows {
			how = "follows it"
		}
		fmt.Fprintf(w, "  robot %s %s\n", clean(r.Robot.Called()), how)
	}
}
