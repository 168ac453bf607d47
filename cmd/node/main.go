// Command quorate is one cosigner's node, and the command line that talks to it.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"

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
