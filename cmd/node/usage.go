package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/quorate/quorate/display"
)

// groups are the headings under which --help lists commands, in order.
func groups() []*cobra.Group {
	return []*cobra.Group{
		{ID: "node", Title: "A node:"},
		{ID: "wallet", Title: "Wallets:"},
		{ID: "receive", Title: "Money and addresses:"},
		{ID: "spend", Title: "Payments:"},
		{ID: "care", Title: "Care and repair:"},
		{ID: "other", Title: "Other:"},
	}
}

// groupOf says under which heading a command stands.
func groupOf(name string) string {
	for group, names := range map[string][]string{
		"node":    {"setup", "init", "seed", "start", "status", "peers", "passphrase", "token"},
		"wallet":  {"wallet", "presence", "ping", "policy", "robot"},
		"receive": {"address", "addresses", "coins", "coin", "history", "log", "label", "labels"},
		"spend":   {"propose", "bump", "cancel", "cpfp", "consolidate", "recurring", "pending", "proposals", "proposal", "approve", "reject", "comment", "withdraw", "freeze", "unfreeze", "wait", "tx", "psbt"},
		"care":    {"backup", "restore", "doctor"},
	} {
		if slices.Contains(names, name) {
			return group
		}
	}
	return "other"
}

// finish gives every command what all of them share: its heading, an example, the
// words for a wrong number of arguments, and what completes them.
func (c *cli) finish(root *cobra.Command) {
	root.AddGroup(groups()...)
	for _, cmd := range root.Commands() {
		cmd.GroupID = groupOf(cmd.Name())
	}
	root.SetHelpCommandGroupID("other")
	var visit func(*cobra.Command)
	visit = func(cmd *cobra.Command) {
		for _, sub := range cmd.Commands() {
			visit(sub)
		}
		if cmd.Example == "" {
			cmd.Example = examples()[strings.TrimPrefix(cmd.CommandPath(), "quorate ")]
		}
		cmd.Example = indented(cmd.Example)
		if cmd.RunE != nil && !cmd.HasSubCommands() {
			cmd.Args = arity(cmd)
			c.completes(cmd)
		}
	}
	visit(root)
}

func indented(s string) string {
	if s == "" {
		return ""
	}
	return "  " + strings.ReplaceAll(s, "\n", "\n  ")
}

// placeholders are the arguments that a usage line names, and those of them that it
// takes at least: those in brackets may be left out, before others too.
func placeholders(use string) (names, needed []string) {
	for _, word := range strings.Fields(use)[1:] {
		if strings.HasPrefix(word, "-") || word == "|" {
			break
		}
		name, optional := strings.CutPrefix(word, "[")
		name = strings.TrimSuffix(name, "]")
		names = append(names, name)
		if !optional {
			needed = append(needed, name)
		}
	}
	return names, needed
}

// arity checks how many arguments there are, and says which one is missing.
func arity(cmd *cobra.Command) cobra.PositionalArgs {
	names, needed := placeholders(cmd.Use)
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < len(needed):
			return fmt.Errorf("%s is missing", needed[len(args)])
		case len(args) > len(names):
			return fmt.Errorf("%q is an argument too many", clean(fmt.Sprintf("%.80s", args[len(names)])))
		case len(cmd.ValidArgs) > 0 && !slices.Contains(cmd.ValidArgs, args[0]):
			return fmt.Errorf("%q is none of %s%s", clean(fmt.Sprintf("%.80s", args[0])), strings.Join(cmd.ValidArgs, ", "), meant(args[0], cmd.ValidArgs))
		}
		return nil
	}
}

// meant asks whether something was meant that is written much like it.
func meant(typed string, words []string) string {
	if w := display.Nearest(typed, words); w != "" {
		return fmt.Sprintf("; did you mean %s?", w)
	}
	return ""
}

var (
	requiredFlags = regexp.MustCompile(`^required flag\(s\) (.*) not set$`)
	oneRequired   = regexp.MustCompile(`at least one of the flags in the group \[(.*?)\] is required`)
	unknownFlag   = regexp.MustCompile(`^unknown flag: --(.*)$`)
	quotedName    = regexp.MustCompile(`"([^"]+)"`)
)

// misused says in this program's words what the parser found wrong with a command line.
func misused(cmd *cobra.Command, err error) string {
	text := err.Error()
	if m := requiredFlags.FindStringSubmatch(text); m != nil {
		var names []string
		for _, n := range quotedName.FindAllStringSubmatch(m[1], -1) {
			names = append(names, "--"+n[1])
		}
		if len(names) == 1 {
			return names[0] + " is missing"
		}
		return strings.Join(names, " and ") + " are missing"
	}
	if m := oneRequired.FindStringSubmatch(text); m != nil {
		return "--" + strings.Join(strings.Fields(m[1]), " or --") + " is missing"
	}
	if m := unknownFlag.FindStringSubmatch(text); m != nil {
		var names []string
		add := func(f *pflag.Flag) { names = append(names, "--"+f.Name) }
		cmd.Flags().VisitAll(add)
		cmd.InheritedFlags().VisitAll(add)
		return text + meant("--"+m[1], names)
	}
	return text
}

// unknownCommand says that there is no such command, and which one may be meant.
func unknownCommand(g *cobra.Command, typed string) error {
	var names, deeper []string
	for _, sub := range g.Commands() {
		names = append(names, sub.Name())
		if best := display.Nearest(typed, []string{sub.Name()}); best == "" {
			for _, below := range sub.Commands() {
				if below.Name() == typed { // `quorate create` for `quorate wallet create`
					deeper = append(deeper, sub.Name()+" "+typed)
				}
			}
		}
	}
	if len(deeper) > 0 {
		return fmt.Errorf("unknown command %q; did you mean %s?", clean(typed), strings.Join(deeper, " or "))
	}
	return fmt.Errorf("unknown command %q%s", clean(typed), meant(typed, names))
}
