package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/ops"
)

// changed is what passphrase answers.
type changed struct {
	DataDir string `json:"data_dir"`
	Changed bool   `json:"changed"`
}

func (c *cli) passphraseCommand() *cobra.Command {
	var oldFile, newFile string
	cmd := &cobra.Command{
		Use:   "passphrase",
		Short: "Change the passphrase of the keystore",
		Long: `Change the passphrase of the keystore. The node may run meanwhile; it takes the new one at its next start.
Backups, and copies of the keystore made before, still open with the old one: if somebody may have both, move the coins.
JSON: {"data_dir","changed"}.`,
		Args: cobra.NoArgs,
		RunE: c.action(func(ctx context.Context, _ []string) error { return c.changePassphrase(ctx, oldFile, newFile) }),
	}
	passphraseFlag(cmd, &oldFile)
	cmd.Flags().StringVar(&newFile, "new-passphrase-file", "", "`file` with the new passphrase; asked for on a terminal otherwise")
	return cmd
}

func (c *cli) changePassphrase(ctx context.Context, oldFile, newFile string) error {
	old, err := c.passphrase(ctx, oldFile, false)
	if err != nil {
		return err
	}
	defer clear(old)
	fresh, err := c.newPassphrase(ctx, newFile)
	if err != nil {
		return err
	}
	defer clear(fresh)
	if err := ops.ChangePassphrase(c.dataDir, old, fresh); err != nil {
		return err
	}
	if len(fresh) == 0 {
		c.note("warning: the passphrase is empty: whoever reads the keystore has the keys")
	}
	return answer(c, changed{c.dataDir, true}, func(w io.Writer, v changed) { fmt.Fprintln(w, "passphrase changed") })
}

// newPassphrase never takes what names the old one: the environment.
func (c *cli) newPassphrase(ctx context.Context, file string) ([]byte, error) {
	if file != "" {
		return readSecret("passphrase", file)
	}
	q := c.prompter()
	if q == nil {
		return nil, api.Misuse("no_passphrase", "no new passphrase was given, and there is no terminal to ask on", "use --new-passphrase-file FILE")
	}
	return q.twice(ctx, "New passphrase: ")
}
