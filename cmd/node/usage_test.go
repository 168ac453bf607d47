package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Every command stands under a heading and has examples, and each of those is a line that
// the command takes: its flags are there, and it has as many arguments as it says.
func TestExamples(t *testing.T) {
	root := (&cli{}).root()
	for _, c := range root.Commands() {
		if c.GroupID == "" && c.Name() != "help" {
			t.Errorf("%s stands under no heading", c.Name())
		}
	}
	for path := range examples() {
		if c, _, err := root.Find(strings.Fields(path)); err != nil || c.CommandPath() != "quorate "+path {
			t.Errorf("there is an example of %q, and no such command", path)
		}
	}
	each(root, func(c *cobra.Command) {
		if c.RunE == nil || c.HasSubCommands() && c.Args == nil || c == root || c.HasSubCommands() && c.Example == "" {
			return
		}
		if c.Example == "" {
			t.Errorf("%s has no example", c.CommandPath())
		}
		for line := range strings.Lines(c.Example) {
			line, _, _ = strings.Cut(strings.TrimSpace(line), " |")
			line, _, _ = strings.Cut(line, " >")
			words := shellWords(line)
			if len(words) == 0 || words[0] != "quorate" {
				t.Errorf("%s: %q does not begin with quorate", c.CommandPath(), line)
				continue
			}
			fresh := (&cli{}).root()
			found, rest, err := fresh.Find(words[1:])
			if err != nil || found.CommandPath() != c.CommandPath() {
				t.Errorf("%s: %q is of %v, %v", c.CommandPath(), line, found.CommandPath(), err)
				continue
			}
			if err := found.ParseFlags(rest); err != nil {
				t.Errorf("%s: %q: %v", c.CommandPath(), line, err)
				continue
			}
			if err := found.ValidateArgs(found.Flags().Args()); err != nil {
				t.Errorf("%s: %q: %v", c.CommandPath(), line, err)
			}
			if err := found.ValidateRequiredFlags(); err != nil {
				t.Errorf("%s: %q: %v", c.CommandPath(), line, err)
			}
		}
	})
}

// shellWords splits a line at spaces that are not in single quotes.
func shellWords(line string) (out []string) {
	quoted := false
	word := ""
	for _, r := range line + " " {
		switch {
		case r == '\'':
			quoted = !quoted
		case r == ' ' && !quoted:
			if word != "" {
				out = append(out, word)
			}
			word = ""
		default:
			word += string(r)
		}
	}
	return out
}

// What cannot be undone asks before, so each of these has --yes.
func TestWhatCannotBeUndoneAsks(t *testing.T) {
	root := (&cli{}).root()
	for _, path := range []string{
		"propose", "bump", "cancel", "cpfp", "consolidate", "approve", "reject", "withdraw", "wallet abandon", "wallet archive", "wallet rekey", "wallet host", "wallet invite", "wallet approve-replacement", "psbt import",
	} {
		c, _, err := root.Find(strings.Fields(path))
		if err != nil || c.Flags().Lookup("yes") == nil {
			t.Errorf("%s has no --yes: %v", path, err)
		}
	}
}

func TestPlaceholders(t *testing.T) {
	for use, want := range map[string][]string{
		"coins WALLET": {"WALLET"}, "status": nil, "wallet prove [WALLET] [SIGNATURE|FILE|-]": {"prove"}, "label [WALLET] REF TEXT": {"REF", "TEXT"}, "approve [PROPOSAL]": nil,
		"propose WALLET --to ADDRESS=AMOUNT…": {"WALLET"}, "create NAME --threshold K --cosigners N | --from FILE": {"NAME"}, "import WALLET FILE|-": {"WALLET", "FILE|-"},
	} {
		if _, got := placeholders(use); !slices.Equal(got, want) {
			t.Errorf("%q needs %v, want %v", use, got, want)
		}
	}
}

// A table is as wide as the terminal at most, and what is no terminal gets all of it.
func TestTablesFit(t *testing.T) {
	long := strings.Repeat("0123456789abcdef", 4)
	rows := func() [][]string {
		return [][]string{{"ID", "AMOUNT", "LABEL", "ADDRESS"}, {long, "1.00000000 BTC", strings.Repeat("word ", 20), long}, {long, "0.10000000 BTC", "", ""}}
	}
	by := []shrink{{3, 16}, {0, 24}, {2, 10}, {3, 0}}
	for _, width := range []int{60, 80, 100, 132, 400} {
		var b strings.Builder
		w := &failing{w: &b, width: width}
		table(w, rows(), by...)
		for line := range strings.Lines(b.String()) {
			if n := len([]rune(strings.TrimRight(line, "\n"))); n > width {
				t.Errorf("%d characters of %d: %s", n, width, line)
			}
		}
		if !strings.Contains(b.String(), "1.00000000 BTC") || !strings.Contains(b.String(), long[:12]) {
			t.Errorf("at %d an amount or an id is not told:\n%s", width, &b)
		}
	}
	var b strings.Builder
	table(&failing{w: &b}, rows(), by...)
	if !strings.Contains(b.String(), long+"  1.00000000 BTC  word") {
		t.Errorf("cut without a terminal:\n%s", &b)
	}
}

func TestMisusedSpeaksPlainly(t *testing.T) {
	cmd := &cobra.Command{Use: "x"}
	cmd.Flags().String("words", "", "")
	cmd.Flags().AddFlag(&pflag.Flag{Name: "fee-rate", Value: new(span)})
	for in, want := range map[string]string{
		`required flag(s) "words" not set`:             "--words is missing",
		`required flag(s) "external", "words" not set`: "--external and --words are missing",
		"unknown flag: --fe-rate":                      "unknown flag: --fe-rate; did you mean --fee-rate?",
		"unknown flag: --zzz":                          "unknown flag: --zzz",
		"something else":                               "something else",
	} {
		if got := misused(cmd, errorText(in)); got != want {
			t.Errorf("%q is told as %q, want %q", in, got, want)
		}
	}
}

type errorText string

func (e errorText) Error() string { return string(e) }
