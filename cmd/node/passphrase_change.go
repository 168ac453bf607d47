package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"

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
		RunE: c.action(func(_ context.Context, _ []string) error { return c.changePassphrase(oldFile, newFile) }),
	}
	passphraseFlag(cmd, &oldFile)
	cmd.Flags().StringVar(&newFile, "new-passphrase-file", "", "`file` with the new passphrase; asked for on a terminal otherwise")
	return cmd
}

func (c *cli) changePassphrase(oldFile, newFile string) error {
	old, err := c.passphrase(oldFile, false)
	if err != nil {
		return err
	}
	defer clear(old)
	fresh, err := c.newPassphrase(newFile)
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
func (c *cli) newPassphrase(file string) ([]byte, error) {
	if file != "" {
		return readSecret("passphrase", file)
	}
	f, ok := c.in.(*os.File)
	if !ok || !isTerminal(f) {
		return nil, api.Misuse("no_passphrase", "no new passphrase was given, and there is no terminal to ask on", "use --new-passphrase-file FILE")
	}
	p, err := c.prompt(f, "New passphrase: ")
	if err != nil {
		return nil, err
	}
	again, err := c.prompt(f, "The same passphrase again: ")
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(p, again) {
		return nil, api.Misuse("passphrase_differs", "the two passphrases differ", "try again")
	}
	return p, nil
}
