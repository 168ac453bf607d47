package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
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
record, snapshot, view and guard, clock and space. Of a running node it looks at the files, and asks it how it is.
Exit status 1 where anything is wrong that was not mended.
JSON: {"items":[{"code","what","where","do","mended"}],"next":null}.`,
		Args: cobra.NoArgs,
		RunE: c.action(func(ctx context.Context, _ []string) error {
			pass, err := c.passphrase(ctx, passphraseFile, false)
			if err != nil {
				return err
			}
			defer clear(pass)
			found, err := ops.Doctor(ctx, ops.DoctorOptions{DataDir: c.dataDir, Passphrase: pass, Mend: mend, Now: time.Now(), Log: slog.New(slog.DiscardHandler)})
			if err != nil {
				return err
			}
			if err := answer(c, api.Page[ops.Ailment]{Items: found}, showAilments); err != nil {
				return err
			}
			left := 0
			for _, a := range found {
				if !a.Mended {
					left++
				}
			}
			if left > 0 {
				c.answered = true
				return api.Fail("ailing", fmt.Sprintf("%d things are wrong", left), "each says what to do")
			}
			return nil
		}),
	}
	cmd.Flags().BoolVar(&mend, "mend", false, "make right what is safe: modes, leftovers, and what is made anew from the rest")
	passphraseFlag(cmd, &passphraseFile)
	return cmd
}

func showAilments(w io.Writer, p api.Page[ops.Ailment]) {
	if len(p.Items) == 0 {
		fmt.Fprintln(w, "nothing is wrong")
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
}
