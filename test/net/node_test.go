package net_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/quorate/quorate/api"
)

// patience is how long a condition may take to come true. It is not a measure:
// only a test that fails takes this long.
const patience = 3 * time.Minute

// eventually polls until a condition holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
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

// node is a cosigner at a site.
type node struct {
	process
	dir    string
	peerID string
	client *api.Client
}

// chainPort is where a node finds the Bitcoin node, in its own namespace.
const chainPort = "127.0.0.1:18443"

// newNode runs `quorate init` with more settings, each KEY=VALUE. The node is
// killed when the test ends, and its log shown if the test failed.
func newNode(t testing.TB, s *site, name string, settings ...string) *node {
	t.Helper()
	dir, err := os.MkdirTemp(world.dir, name+"-")
	if err != nil {
		t.Fatal(err)
	}
	n := &node{process: process{t: t, name: name, site: s}, dir: filepath.Join(dir, "n")}
	n.chain()
	args := []string{"init", "--network", "regtest", "--name", name, "--passphrase-file", world.passFile}
	for _, set := range append([]string{
		"listen=/ip4/0.0.0.0/udp/4001/quic-v1,/ip4/0.0.0.0/tcp/4001",
		"chain.backend=core", "chain.core.url=http://" + chainPort,
		"chain.core.user=" + world.bitcoin.User, "chain.core.password=@" + world.rpcFile,
	}, settings...) {
		args = append(args, "--set", set)
	}
	n.peerID = read[struct {
		PeerID string `json:"peer_id"`
	}](t, n.run(args...)).PeerID
	if n.client, err = api.Dial(n.dir); err != nil {
		t.Fatal(err)
	}
	n.endsWithTest()
	t.Cleanup(n.client.Close)
	return n
}

// chain brings the Bitcoin node to the site: no packet of that goes over the
// internet of the test.
func (n *node) chain() {
	n.t.Helper()
	l := n.site.listen(chainPort)
	var all sync.WaitGroup
	ctx, cancel := context.WithCancel(context.Background())
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() { join(ctx, c) })
		}
	})
	n.t.Cleanup(func() {
		cancel()
		_ = l.Close()
		all.Wait()
	})
}

// start runs `quorate start` with more settings, and returns when the node says
// that it is ready.
func (n *node) start(settings ...string) *node {
	n.t.Helper()
	args := []string{"--data-dir", n.dir, "start", "--json", "--passphrase-file", world.passFile}
	for _, set := range append([]string{"log.level=debug"}, settings...) {
		args = append(args, "--set", set)
	}
	n.process.start(args...)
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
	cmd := exec.Command(world.binary, append([]string{"--data-dir", n.dir, "--json"}, args...)...)
	cmd.Env = environ()
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

// reaches waits until a node sees a proposal at one of these.
func (n *node) reaches(proposal string, statuses ...string) {
	n.t.Helper()
	eventually(n.t, fmt.Sprintf("%s sees the proposal %s", n.name, strings.Join(statuses, " or ")), func() bool {
		s := n.status(proposal)
		for _, want := range statuses {
			if s == want {
				return true
			}
		}
		return false
	})
}
