// Command quorate is one cosigner's node, and the command line that talks to it.
package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"
	_ "time/tzdata" // the zones of recurring payments, where the system has none

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/app"
)

func main() {
	// Commands that hold a key say where this was refused.
	_ = app.Harden()
	os.Exit(run(os.Args[1:], os.Environ(), os.Stdin, os.Stdout, os.Stderr))
}

// run is main, so that what is deferred runs before the process exits.
func run(args, environ []string, in io.Reader, out, err io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// A second signal ends the process at once.
	context.AfterFunc(ctx, stop)
	c := &cli{in: in, out: out, err: err, environ: environ}
	return c.execute(ctx, args)
}

// execute runs one command line and returns the exit status.
func (c *cli) execute(ctx context.Context, args []string) int {
	root := c.root()
	root.SetArgs(args)
	root.SetIn(c.in)
	root.SetOut(c.out)
	root.SetErr(c.err)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return 0
	}
	c.path = cmd.CommandPath()
	var r *ran
	if !errors.As(err, &r) {
		// The flags may not have been read yet.
		c.json = c.json || slices.Contains(args, "--json")
		err = api.Misuse("usage", misused(cmd, err), "see `"+c.path+" --help`")
	} else {
		err = r.err
	}
	return c.report(api.AsError(err))
}
