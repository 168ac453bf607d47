package nodes

import (
	"cmp"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// Daemon is a quorate with a data directory of its own that a test runs, ends and
// runs again: a node, a relay, a signer.
type Daemon struct {
	T    testing.TB
	Name string
	Dir  string
	Log  *Log // standard error of all its runs, unless Config.Stderr takes it

	world   *World
	program string
	through []string
	stderr  io.Writer
	onEnd   func(*Process)
	p       *Process // nil while it does not run
	spent   time.Duration
}

// Config says what a daemon is, and how a node is made. Only Name has no default.
type Config struct {
	Name string
	// Dir is the data directory; a new one in the World's without.
	Dir string
	// Program runs and asks it; that of the World without.
	Program string
	// Through is a command that runs the program, for what runs in a place of
	// its own. Command lines ask from here.
	Through []string
	// Stderr takes the log instead of Daemon.Log.
	Stderr io.Writer
	// OnEnd is told of each run that has ended, before anybody who waits for it.
	OnEnd func(*Process)

	// Listen is where a node listens; one port of TCP on the loopback without.
	Listen string
	// Backend is core or neutrino; core without.
	Backend string
	// RPC and P2P are where the Bitcoin node is for core and for neutrino; at
	// the World's without.
	RPC, P2P string
	// Settings are more of a node, each KEY=VALUE.
	Settings []string
}

// Daemon makes nothing but a name: of a program that is not a node. It is killed
// when the test ends, and its log shown if the test failed.
func (w *World) Daemon(t testing.TB, c Config) *Daemon {
	t.Helper()
	if c.Dir == "" {
		c.Dir = filepath.Join(w.TempDir(t, c.Name), "n")
	}
	d := &Daemon{
		T: t, Name: c.Name, Dir: c.Dir, Log: &Log{}, world: w, program: cmp.Or(c.Program, w.Binary),
		through: c.Through, stderr: c.Stderr, onEnd: c.OnEnd,
	}
	if d.stderr == nil {
		d.stderr = d.Log
	}
	t.Cleanup(func() {
		d.Kill()
		if said := d.Log.String(); t.Failed() && said != "" {
			t.Logf("log of %s:\n%s", d.Name, said)
		}
	})
	return d
}

// Spawn runs a command that goes on until it is ended, and leaves it to the caller.
func (d *Daemon) Spawn(args ...string) (*Process, error) {
	line := append(append(append([]string{}, d.through...), d.program, "--data-dir", d.Dir), args...)
	cmd := exec.Command(line[0], line[1:]...)
	cmd.Env, cmd.Stderr = Environ(), d.stderr
	return d.world.run(cmd, d.onEnd)
}

// Begin runs a command that goes on until Kill or Stop, and does not wait until
// it is ready.
func (d *Daemon) Begin(args ...string) *Process {
	d.T.Helper()
	var err error
	if d.p, err = d.Spawn(args...); err != nil {
		d.p = nil
		d.T.Fatalf("%s: %v", d.Name, err)
	}
	return d.p
}

// Up is Begin, and returns what the program prints when it is ready.
func (d *Daemon) Up(args ...string) []byte {
	d.T.Helper()
	said, err := d.Begin(args...).Await(d.world.Patience)
	if err != nil {
		d.T.Fatalf("%s: %v\n%s", d.Name, err, d.Log)
	}
	return said
}

// Kill ends the process as a power cut would, if there is one.
func (d *Daemon) Kill() {
	if d.p == nil {
		return
	}
	d.p.Kill()
	d.over()
}

// Stop ends the process in order. A node exits with a failure when that takes it
// more than 25 seconds.
func (d *Daemon) Stop() {
	d.T.Helper()
	if err := d.p.Stop(d.world.Patience); err != nil {
		d.T.Fatalf("stop %s: %v", d.Name, err)
	}
	d.over()
}

func (d *Daemon) over() {
	d.spent = d.p.State().UserTime() + d.p.State().SystemTime()
	d.p = nil
}

// Running says whether the process was begun, and not ended by Kill or Stop.
func (d *Daemon) Running() bool { return d.p != nil }

// PID is the number of the process that runs.
func (d *Daemon) PID() int { return d.p.PID() }

// Signal sends a signal to the process that runs.
func (d *Daemon) Signal(s os.Signal) {
	d.T.Helper()
	if err := d.p.Signal(s); err != nil {
		d.T.Fatalf("signal %s: %v", d.Name, err)
	}
}

// Spent is the processor time of the last run that was ended.
func (d *Daemon) Spent() time.Duration { return d.spent }
