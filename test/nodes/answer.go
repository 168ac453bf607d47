package nodes

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Answer is what one command line came to.
type Answer struct {
	Line   string // without the program
	Status int    // with which it exited
	Out    []byte
	Err    string
}

// OK fails the test unless the command succeeded.
func (a Answer) OK(t testing.TB) Answer {
	t.Helper()
	if a.Status != 0 {
		t.Fatalf("`quorate %s`: exit status %d: %s", a.Line, a.Status, a.Err)
	}
	return a
}

// Ask runs one command line that must succeed, and reads its one JSON value.
func Ask[T any](n *Node, args ...string) T {
	n.T.Helper()
	return Read[T](n.T, n.Run(args...))
}

// Read reads the one JSON value of a command that must have succeeded.
func Read[T any](t testing.TB, a Answer) T {
	t.Helper()
	a.OK(t)
	var v T
	d := json.NewDecoder(bytes.NewReader(a.Out))
	if err := d.Decode(&v); err != nil {
		t.Fatalf("`quorate %s` answered %q: %v", a.Line, a.Out, err)
	}
	if d.More() {
		t.Fatalf("`quorate %s` answered more than one value: %q", a.Line, a.Out)
	}
	return v
}

// Run runs one command line of the program, with --json.
func (d *Daemon) Run(args ...string) Answer {
	d.T.Helper()
	return d.RunWith("", args...)
}

// RunWith is Run with something on standard input.
func (d *Daemon) RunWith(in string, args ...string) Answer {
	d.T.Helper()
	return d.Finish(d.Command(append([]string{"--json"}, args...)...), in)
}

// Command is a command line that is not started, without --json.
func (d *Daemon) Command(args ...string) *exec.Cmd {
	cmd := exec.Command(d.program, append([]string{"--data-dir", d.Dir}, args...)...)
	cmd.Env = Environ()
	return cmd
}

// Finish runs a command line to its end.
func (d *Daemon) Finish(cmd *exec.Cmd, in string) Answer {
	d.T.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(in), &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		d.T.Fatalf("run %v: %v", cmd.Args, err)
	}
	return Answer{strings.Join(cmd.Args[1:], " "), cmd.ProcessState.ExitCode(), stdout.Bytes(), stderr.String()}
}

// Environ is the environment without what would configure a node.
func Environ() []string {
	var out []string
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "QUORATE_") && !strings.HasPrefix(e, "CREDENTIALS_DIRECTORY=") {
			out = append(out, e)
		}
	}
	return out
}
