package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"

	"github.com/quorate/quorate/api"
)

// cli is one invocation of the command line.
type cli struct {
	in       io.Reader
	out, err io.Writer
	environ  []string

	dataDir string
	json    bool
	wide    bool // tables are as wide as what is in them
	// path is the command that ran, for errors: what was tried.
	path string
	// answered is set when the one JSON value is on standard output.
	answered bool
}

// ran marks an error of a command that ran; every other error of the parser is
// one of usage.
type ran struct{ err error }

func (r *ran) Error() string { return r.err.Error() }

// report tells of an error: one line on standard error and, with --json, one
// value on standard output.
func (c *cli) report(e *api.Error) int {
	line := c.path + ": " + clean(e.Message)
	if e.Hint != "" {
		line += ": " + clean(e.Hint)
	}
	fmt.Fprintln(c.err, line)
	if c.json && !c.answered {
		// There is nowhere else to report to.
		_ = c.encode(e.Body())
	}
	return e.Kind.ExitStatus()
}

// getenv returns the last value of an environment variable.
func (c *cli) getenv(key string) string {
	v, _ := c.lookupenv(key)
	return v
}

// lookupenv returns the last value of an environment variable, and whether it is set.
func (c *cli) lookupenv(key string) (string, bool) {
	for _, e := range slices.Backward(c.environ) {
		if v, ok := strings.CutPrefix(e, key+"="); ok {
			return v, true
		}
	}
	return "", false
}

// defaultDataDir follows the XDG base directory specification.
func (c *cli) defaultDataDir() string {
	if d := c.getenv("QUORATE_DATA_DIR"); d != "" {
		return d
	}
	if d := c.getenv("XDG_DATA_HOME"); filepath.IsAbs(d) {
		return filepath.Join(d, "quorate")
	}
	return filepath.Join(c.getenv("HOME"), ".local", "share", "quorate")
}

// action wraps what a command does, so that its errors are told from usage.
func (c *cli) action(do func(ctx context.Context, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		c.path = cmd.CommandPath()
		if err := c.nothingEmpty(cmd, args); err != nil {
			return &ran{err}
		}
		if c.dataDir == "" {
			c.dataDir = c.defaultDataDir()
		}
		if err := do(cmd.Context(), args); err != nil {
			return &ran{err}
		}
		return nil
	}
}

// mayBeEmpty are the flags whose text may as well be left out: nothing is taken in
// place of it.
var mayBeEmpty = []string{"note"}

// nothingEmpty refuses what is given without a value. A script whose variable is not
// set writes --external "", and this node's own key, or another directory, would be
// taken in silence.
func (c *cli) nothingEmpty(cmd *cobra.Command, args []string) (err error) {
	cmd.Flags().Visit(func(f *pflag.Flag) {
		values := []string{f.Value.String()}
		if list, ok := f.Value.(pflag.SliceValue); ok {
			if values = list.GetSlice(); len(values) == 0 {
				values = []string{""}
			}
		}
		for _, v := range values {
			if strings.TrimSpace(v) == "" && !slices.Contains(mayBeEmpty, f.Name) && err == nil {
				err = api.Misuse("empty_value", "--"+f.Name+" is given without a value", "give one, or leave the flag out; is a variable of your script not set?")
			}
		}
	})
	for n, a := range args {
		clears := cmd.Name() == "label" && n == 2 // an empty text takes a label away
		if strings.TrimSpace(a) == "" && !clears && err == nil {
			err = api.Misuse("empty_value", fmt.Sprintf("argument %d is empty", n+1), "is a variable of your script not set?")
		}
	}
	for _, name := range []string{"QUORATE_DATA_DIR", "QUORATE_PASSPHRASE_FILE"} {
		if v, set := c.lookupenv(name); set && strings.TrimSpace(v) == "" && err == nil {
			err = api.Misuse("empty_value", "the environment variable "+name+" is set and empty", "give it a value, or unset it")
		}
	}
	return err
}

// ask wraps a command that asks the running node one thing and shows the answer.
func ask[T any](c *cli, do func(ctx context.Context, node *api.Client, args []string) (T, error), show func(w io.Writer, v T)) func(*cobra.Command, []string) error {
	return askAndStay(c, do, show, func(context.Context, *api.Client, T) error { return nil })
}

// askAndStay is ask, and goes on after the answer was shown.
func askAndStay[T any](c *cli, do func(ctx context.Context, node *api.Client, args []string) (T, error), show func(w io.Writer, v T),
	then func(ctx context.Context, node *api.Client, v T) error,
) func(*cobra.Command, []string) error {
	return withNode(c, func(ctx context.Context, node *api.Client, args []string) error {
		v, err := do(ctx, node, args)
		if err != nil {
			return err
		}
		if err := answer(c, v, show); err != nil {
			return err
		}
		return then(ctx, node, v)
	})
}

// withNode wraps a command that talks to the running node and answers by itself.
func withNode(c *cli, do func(ctx context.Context, node *api.Client, args []string) error) func(*cobra.Command, []string) error {
	return c.action(func(ctx context.Context, args []string) error {
		node, err := api.Dial(c.dataDir)
		if err != nil {
			return err
		}
		defer node.Close()
		return c.noNode(do(ctx, node, args))
	})
}

// noNode says of a data directory that is not there that it has to be made first.
func (c *cli) noNode(err error) error {
	if err == nil || api.AsError(err).Code != "not_running" {
		return err
	}
	if _, missing := os.Stat(c.dataDir); !errors.Is(missing, os.ErrNotExist) {
		return err
	}
	return api.Unreachable("not_running", "there is no node in "+c.dataDir, "`quorate init` makes one there, or name another directory with --data-dir")
}

// sayBlind tells people, below a list of coins, what the node cannot see. That it
// cannot be asked is no reason to fail: the list was shown.
func (c *cli) sayBlind(ctx context.Context, node *api.Client) {
	if c.json {
		return
	}
	if s, err := node.Status(ctx); err == nil && s.Chain.Blind {
		c.note("%s", blindText)
	}
}

// blindText is what a light client cannot see.
const blindText = "(This node sees transactions in blocks only: what is on its way in does not show yet.)"

// note writes a line for people to standard error.
func (c *cli) note(format string, args ...any) { fmt.Fprintf(c.err, format+"\n", args...) }

// progress writes a line of progress: on a terminal only.
func (c *cli) progress(format string, args ...any) {
	if isTerminal(c.err) {
		c.note(format, args...)
	}
}

// isTerminal says whether a reader or writer is a terminal.
func isTerminal(v any) bool {
	f, ok := v.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
