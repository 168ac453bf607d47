package e2e_test

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/quorate/quorate/api"
)

// patience is how long a condition may take to come true. It is not a measure:
// only a test that fails takes this long.
const patience = 60 * time.Second

// slow is when a wait is worth a line in the log of a test.
const slow = 3 * time.Second

// eventually polls until a condition holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	began := time.Now()
	defer func() {
		if took := time.Since(began); took > slow {
			t.Logf("%v until %s", took.Round(time.Millisecond), what)
		}
	}()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-deadline.C:
			t.Fatalf("not within %v: %s", patience, what)
		case <-tick.C:
		}
	}
}

// node is a cosigner's data directory and, while it runs, its process.
type node struct {
	t      testing.TB
	name   string
	dir    string
	client *api.Client
	// program is what runs the node, world.binary where it is "".
	program string

	cmd  *exec.Cmd
	done chan struct{} // closed when the process has ended and was waited for
	log  syncBuffer
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// newNode runs `quorate init`. The node is killed when the test ends, and its
// log shown if the test failed.
func newNode(t testing.TB, name string) *node {
	t.Helper()
	return newNodeOn(t, name, "core")
}

// newNodeOn is newNode with another chain backend.
func newNodeOn(t testing.TB, name, backend string) *node {
	t.Helper()
	dir, err := os.MkdirTemp(world.dir, name+"-")
	if err != nil {
		t.Fatal(err)
	}
	return nodeIn(t, name, filepath.Join(dir, "n"), backend, world.bitcoin.URL(), world.bitcoin.P2P)
}

// nodeIn is a node whose Bitcoin node is at url (for core) or p2p (for neutrino).
func nodeIn(t testing.TB, name, dir, backend, url, p2p string, settings ...string) *node {
	t.Helper()
	return (&node{t: t, name: name, dir: dir}).create(backend, url, p2p, settings...)
}

// create makes the data directory.
func (n *node) create(backend, url, p2p string, settings ...string) *node {
	n.t.Helper()
	t, name, dir := n.t, n.name, n.dir
	args := []string{"init", "--network", "regtest", "--name", name, "--passphrase-file", world.passFile,
		"--set", "listen=/ip4/127.0.0.1/tcp/0", "--set", "chain.backend=" + backend}
	if backend == "neutrino" {
		args = append(args, "--set", "chain.neutrino.peers="+p2p)
	} else {
		args = append(args, "--set", "chain.core.url="+url, "--set", "chain.core.user="+world.bitcoin.User,
			"--set", "chain.core.password=@"+world.rpcFile)
	}
	for _, set := range settings {
		args = append(args, "--set", set)
	}
	n.run(args...).ok(t)
	var err error
	if n.client, err = api.Dial(dir); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		n.kill9()
		n.client.Close()
		if t.Failed() {
			t.Logf("log of %s:\n%s", name, n.log.String())
		}
	})
	return n
}

// start runs `quorate start` and returns when the node says that it is ready.
func (n *node) start() *node {
	n.t.Helper()
	n.cmd = exec.Command(cmp.Or(n.program, world.binary), "--data-dir", n.dir, "start", "--json", "--passphrase-file", world.passFile,
		"--set", "network=regtest", "--set", "log.level=debug")
	n.cmd.Env = environ()
	n.cmd.Stderr = &n.log
	out, err := n.cmd.StdoutPipe()
	if err != nil {
		n.t.Fatal(err)
	}
	if err := n.cmd.Start(); err != nil {
		n.t.Fatal(err)
	}
	n.done = make(chan struct{})
	ready := make(chan bool, 1)
	go func(cmd *exec.Cmd, done chan struct{}) {
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			var r struct{ Ready bool }
			if json.Unmarshal(lines.Bytes(), &r) == nil && r.Ready {
				ready <- true
			}
		}
		// How it ended is in ProcessState.
		_ = cmd.Wait()
		close(done)
	}(n.cmd, n.done)
	select {
	case <-ready:
	case <-n.done:
		n.t.Fatalf("%s ended before it was ready: %v\n%s", n.name, n.cmd.ProcessState, n.log.String())
	case <-time.After(patience):
		n.t.Fatalf("%s did not become ready", n.name)
	}
	return n
}

// synced waits until the node has caught up with the chain: until then it
// refuses to propose and to sign.
func (n *node) synced() *node {
	n.t.Helper()
	eventually(n.t, n.name+" is synced", func() bool {
		s, err := n.client.Status(context.Background())
		if err != nil {
			n.t.Fatalf("%s: status: %v", n.name, err)
		}
		return s.Chain.Synced
	})
	return n
}

// kill9 ends the process as a power cut would.
func (n *node) kill9() {
	if n.cmd == nil {
		return
	}
	// It may have ended by itself.
	_ = n.cmd.Process.Kill()
	<-n.done
	n.cmd = nil
}

// stop ends the process in order. The node itself exits with a failure when it
// takes more than five seconds.
func (n *node) stop() {
	n.t.Helper()
	if err := n.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		n.t.Fatalf("stop %s: %v", n.name, err)
	}
	select {
	case <-n.done:
	case <-time.After(patience):
		n.t.Fatalf("%s does not stop", n.name)
	}
	if code := n.cmd.ProcessState.ExitCode(); code != 0 {
		n.t.Fatalf("%s stopped with exit status %d", n.name, code)
	}
	n.cmd = nil
}

// environ is the environment without what would configure a node.
func environ() []string {
	var out []string
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "QUORATE_") && !strings.HasPrefix(e, "CREDENTIALS_DIRECTORY=") {
			out = append(out, e)
		}
	}
	return out
}

// answer is what one command line came to.
type answer struct {
	line   string
	status int
	out    []byte
	err    string
}

// run runs one command line of the node, with --json.
func (n *node) run(args ...string) answer { return n.runWith("", args...) }

// runWith is run with something on standard input.
func (n *node) runWith(in string, args ...string) answer {
	n.t.Helper()
	return n.finish(n.command(append([]string{"--json"}, args...)...), in)
}

func (n *node) command(args ...string) *exec.Cmd {
	cmd := exec.Command(cmp.Or(n.program, world.binary), append([]string{"--data-dir", n.dir}, args...)...)
	cmd.Env = environ()
	return cmd
}

func (n *node) finish(cmd *exec.Cmd, in string) answer {
	n.t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(in), &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		n.t.Fatalf("run %v: %v", cmd.Args, err)
	}
	return answer{strings.Join(cmd.Args[1:], " "), cmd.ProcessState.ExitCode(), stdout.Bytes(), stderr.String()}
}

// ok fails the test unless the command succeeded.
func (a answer) ok(t testing.TB) answer {
	t.Helper()
	if a.status != 0 {
		t.Fatalf("`quorate %s`: exit status %d: %s", a.line, a.status, a.err)
	}
	return a
}

// ask runs one command line that must succeed, and reads its one JSON value.
func ask[T any](n *node, args ...string) T {
	n.t.Helper()
	return read[T](n.t, n.run(args...))
}

func read[T any](t testing.TB, a answer) T {
	t.Helper()
	a.ok(t)
	var v T
	d := json.NewDecoder(bytes.NewReader(a.out))
	if err := d.Decode(&v); err != nil {
		t.Fatalf("`quorate %s` answered %q: %v", a.line, a.out, err)
	}
	if d.More() {
		t.Fatalf("`quorate %s` answered more than one value: %q", a.line, a.out)
	}
	return v
}

// status returns where a node sees a proposal, "" where it does not know it.
func (n *node) status(proposal string) string {
	n.t.Helper()
	p, err := n.client.Proposal(context.Background(), proposal)
	var e *api.Error
	if errors.As(err, &e) && e.Kind == api.NotFound {
		return ""
	}
	if err != nil {
		n.t.Fatalf("%s: look at proposal: %v", n.name, err)
	}
	return p.Status
}

// reaches waits until a node sees a proposal at a status, or beyond it.
func (n *node) reaches(proposal string, statuses ...string) {
	n.t.Helper()
	eventually(n.t, n.name+" sees the proposal "+strings.Join(statuses, " or "), func() bool {
		s := n.status(proposal)
		for _, want := range statuses {
			if s == want {
				return true
			}
		}
		return false
	})
}
