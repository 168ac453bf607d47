package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

var update = flag.Bool("update", false, "write docs/cli.md, and the shapes of answers in testdata")

// TestDocs checks that docs/cli.md is what the commands say of themselves.
func TestDocs(t *testing.T) {
	path := filepath.Join("..", "..", "docs", "cli.md")
	want := reference((&cli{}).root())
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(got), want); d != "" {
		t.Errorf("docs/cli.md is not current, run go test ./cmd/node -update: %s", d)
	}
}

// Every command says what it does, and every one that answers says what with.
func TestEveryCommandIsDescribed(t *testing.T) {
	each((&cli{}).root(), func(c *cobra.Command) {
		if c.Short == "" {
			t.Errorf("%s has no description", c.CommandPath())
		}
		if !c.HasSubCommands() && !strings.Contains(c.Long, "{") && !strings.Contains(c.Long, "JSON: as of") {
			t.Errorf("%s does not describe its JSON", c.CommandPath())
		}
		c.Flags().VisitAll(func(f *pflag.Flag) {
			if f.Usage == "" {
				t.Errorf("%s --%s has no description", c.CommandPath(), f.Name)
			}
		})
	})
}

func each(c *cobra.Command, do func(*cobra.Command)) {
	if c.Name() == "help" {
		return
	}
	do(c)
	for _, sub := range c.Commands() {
		each(sub, do)
	}
}

const intro = `# The command line

This file is generated from the commands; ` + "`go test ./cmd/node -update`" + ` writes it. Programs may rely on it.

- A node is named by ` + "`--data-dir DIR`" + ` (or ` + "`QUORATE_DATA_DIR`; by default `$XDG_DATA_HOME/quorate` or `~/.local/share/quorate`" + `).
  Commands other than ` + "`demo`, `setup`, `init`, `start` and `relay`" + ` talk to the running node over a Unix socket in it.
- ` + "`--json`" + ` prints exactly one JSON value on standard output; progress and logs go to standard error. Names are
  snake_case, amounts integer satoshis, fee rates sat/vB, times RFC 3339 in UTC. ` + "`created` is when a thing was made, `time`" + ` when
  something happened, both as the author claims; ` + "`since`" + ` is of what still stands. What a command asks for in seconds ends in ` + "`_in`" + `.
- Every key that is named here is always there. What is absent is null, never "" or 0; a list is never null. A number of
  things has a name that ends in ` + "`_count`" + `, which no list has; one name has one type in all answers.
- Lists are ` + "`{\"items\":[…],\"next\":…}`" + `; next is null on the last page. Over HTTP all take ` + "`limit` and `cursor`" + `.
- What is made for another program stands under ` + "`content`, with its `format`" + ` beside it.
- A cosigner is everywhere an object, below ` + "`PERSON`: `{\"name\",\"peer_id\",\"key\"}`" + `. ` + "`name`" + ` is what screens show;
  ` + "`peer_id`" + ` is that of the node it has now, null for one without a node and while two devices claim to be it; ` + "`key`" + ` is
  the fingerprint of its master key, 8 hex characters, null where that is not known yet.
- Amounts in arguments are ` + "`0.01`, `0.01btc` or `25000sat`" + `; an integer without a unit is refused.
- On a terminal (standard input and standard error) what cannot be undone is shown and asked about before; ` + "`--yes`" + ` does not ask.
  Without a terminal, and with ` + "`--json`" + `, nothing is ever asked. Text for people may change: programs read ` + "`--json`" + `.
- Tables are shortened to the width of a terminal; ` + "`--wide`" + `, and whatever is no terminal, has them whole. Colours are shown on a
  terminal only, and not where ` + "`NO_COLOR`" + ` is set.
- An error is one line on standard error: what was tried, why it failed, what to do. With ` + "`--json`" + ` also
  ` + "`{\"error\":{\"code\",\"message\",\"hint\"}}`" + ` on standard output.
- A wallet is named by its id, 6 characters or more of that, or its name on this node; where name and id lead to
  different wallets, the command is refused. Where [WALLET] is in brackets it may be left out on a node that has one wallet. A proposal's id may be shortened to a unique prefix of 6 characters or
  more to look at it; ` + "`approve`, `reject`, `withdraw` and `--replaces`" + ` need 32.
- The passphrase comes from ` + "`--passphrase-file`, `QUORATE_PASSPHRASE_FILE`, `$CREDENTIALS_DIRECTORY/passphrase`" + ` or a prompt.
- On a terminal some commands ask: for what was left out, and before what cannot be undone (--yes answers that). Without a
  terminal on standard input and standard error, and with ` + "`--json`" + `, nothing is asked but a passphrase: [terminal.md](terminal.md).
- Where a rule refuses, the code of the error is its name; ` + "`--allow NAME`" + ` overrides the ones that can be.

| exit status | meaning |
|---|---|
| 0 | done |
| 1 | failed |
| 2 | usage: the command, an option, an argument or the configuration is wrong |
| 3 | not found |
| 4 | refused by a rule, which is named |
| 5 | the node is not running or not reachable |
| 6 | timed out waiting |
`

func reference(root *cobra.Command) string {
	var b strings.Builder
	b.WriteString(intro)
	each(root, func(c *cobra.Command) {
		if c == root || c.HasSubCommands() && c.Long == "" {
			return
		}
		text := c.Long
		if text == "" {
			text = c.Short
		}
		fmt.Fprintf(&b, "\n## %s\n\n    %s\n\n%s\n", c.CommandPath(), strings.TrimSuffix(c.UseLine(), " [flags]"), text)
		var rows []string
		c.NonInheritedFlags().VisitAll(func(f *pflag.Flag) {
			if f.Name == "help" {
				return
			}
			name, usage := pflag.UnquoteUsage(f)
			if name != "" {
				name = " " + name
			}
			rows = append(rows, fmt.Sprintf("| `--%s%s` | %s | %s |", f.Name, name, shown(f), strings.ReplaceAll(usage, "|", `\|`)))
		})
		if len(rows) > 0 {
			b.WriteString("\n| option | default | |\n|---|---|---|\n" + strings.Join(rows, "\n") + "\n")
		}
	})
	return b.String()
}

func shown(f *pflag.Flag) string {
	switch f.DefValue {
	case "", "[]", "false", "0":
		return ""
	}
	return "`" + f.DefValue + "`"
}
