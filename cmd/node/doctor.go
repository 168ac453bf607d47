package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/ops"
)

func (c *cli) doctorCommand() *cobra.Command {
	var passphraseFile string
	var mend bool
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Look at everything that the node holds, and say what is wrong and what to do",
		Long: `Look at everything that the node holds: files, keystore, configuration, every entry, chain, signature, index and
record, snapshot, view and guard, clock and space. A running node is had to look at these by itself, and at its listeners, its
Bitcoin node, the transactions it could not send and all alarms; the passphrase is then needed for the keystore alone, and not asked for.
Every look is fine, wrong, or not_looked_at: what was not looked at is said. Exit status 1 where anything is wrong that was not mended.
JSON: {"items":[{"code","what","where","do","mended"}],"next":null,"looks":[{"look","verdict":"fine|wrong|not_looked_at","note"}]}.`,
		Args: cobra.NoArgs,
		RunE: c.action(func(ctx context.Context, _ []string) error {
			pass, err := c.doctorPassphrase(ctx, passphraseFile)
			if err != nil {
				return err
			}
			defer clear(pass)
			x, err := ops.Doctor(ctx, ops.DoctorOptions{DataDir: c.dataDir, Passphrase: pass, Mend: mend, Now: time.Now(), Log: slog.New(slog.DiscardHandler)})
			if err != nil {
				return err
			}
			if err := answer(c, ops.Diagnosis{Page: api.Page[ops.Ailment]{Items: x.Items}, Looks: x.Looks}, showAilments); err != nil {
				return err
			}
			left := 0
			for _, a := range x.Items {
				if !a.Mended {
					left++
				}
			}
			if left > 0 {
				c.answered = true
				return api.Fail("ailing", thingsWrong(left), "each says what to do")
			}
			return nil
		}),
	}
	cmd.Flags().BoolVar(&mend, "mend", false, "make right what is safe: modes, leftovers, and what is made anew from the rest")
	passphraseFlag(cmd, &passphraseFile)
	return cmd
}

// doctorPassphrase asks nobody for a passphrase while the node runs: a script that
// looks after it need not have the key to the keys.
func (c *cli) doctorPassphrase(ctx context.Context, file string) ([]byte, error) {
	given := file != "" || c.getenv("QUORATE_PASSPHRASE_FILE") != "" || c.getenv("CREDENTIALS_DIRECTORY") != ""
	if !given && ops.NodeRuns(ctx, c.dataDir) {
		return nil, nil
	}
	return c.passphrase(ctx, file, false)
}

func showAilments(w io.Writer, p ops.Diagnosis) {
	if len(p.Items) == 0 {
		fmt.Fprintln(w, "nothing is wrong in what was looked at")
	}
	for _, a := range p.Items {
		state := ""
		if a.Mended {
			state = " (mended)"
		}
		fmt.Fprintf(w, "%s%s\n  %s\n  where: %s\n", a.Code, state, clean(a.What), clean(a.Where))
		if !a.Mended {
			fmt.Fprintf(w, "  do:    %s\n", clean(a.Do))
		}
	}
	fmt.Fprintln(w)
	for _, l := range p.Looks {
		note := ""
		if l.Note != "" {
			note = ": " + clean(string(l.Note))
		}
		fmt.Fprintf(w, "%-14s %s%s\n", l.Look, strings.ReplaceAll(l.Verdict, "_", " "), note)
	}
}
