package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/quorate/quorate/app"
)

func (c *cli) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version of this program, with its commit",
		Long: `Print the version of this program, with its commit. That of the running node is in ` + "`status`" + `.
JSON: {"version","commit","modified","go"}; commit is empty where the build did not know it, and modified says that the
source was not just that commit.`,
		Args: cobra.NoArgs,
		RunE: c.action(func(context.Context, []string) error {
			return answer(c, app.ThisBuild(), func(w io.Writer, b app.Build) {
				pairs(w, "version", app.Version(), "commit", b.Commit, "modified", yes(b.Modified, "modified"), "go", b.Go)
			})
		}),
	}
}

func (c *cli) completionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "completion bash|zsh|fish|powershell",
		Short: "Print a script that completes commands in a shell",
		Long: `Print a script that completes commands in a shell; the Debian package brings all of them.
For bash: quorate completion bash > ~/.local/share/bash-completion/completions/quorate
JSON: {"format":"bash|zsh|fish","content"}.`,
		Args:      cobra.MatchAll(cobra.ExactArgs(1), cobra.OnlyValidArgs),
		ValidArgs: []string{"bash", "zsh", "fish", "powershell"},
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.action(func(context.Context, []string) error { return c.completion(cmd.Root(), args[0]) })(cmd, args)
		},
	}
}

// completion prints the script for a shell, which cobra makes of the commands.
func (c *cli) completion(root *cobra.Command, shell string) (err error) {
	var script strings.Builder
	switch shell {
	case "bash":
		err = root.GenBashCompletionV2(&script, true)
	case "zsh":
		err = root.GenZshCompletion(&script)
	case "powershell":
		err = root.GenPowerShellCompletionWithDesc(&script)
	case "fish":
		err = root.GenFishCompletion(&script, true)
	}
	if err != nil {
		return fmt.Errorf("write completion: %w", err)
	}
	return answer(c, completion{shell, script.String()}, func(w io.Writer, x completion) { fmt.Fprint(w, x.Script) })
}

// completion is what the command answers with.
type completion struct {
	Shell  string `json:"format"`
	Script string `json:"content"`
}
