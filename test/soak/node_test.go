package soak_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/quorate/quorate/api"
)

// patience is how long something that must happen may take. It is no measure:
// only a run that fails takes this long.
const patience = 5 * time.Minute

// node is a cosigner's data directory and, while it runs, its process.
type node struct {
	s       *soak
	name    string
	dir     string
	log     string // file that its standard error goes to
	ip      string
	backend string
	client  *api.Client
	peerID  string

	turn sync.Mutex // of those who start and stop it

	mu        sync.Mutex
	p         *process
	disturbed time.Time // when its process or its network last changed
}

// process is one run of a node.
type process struct {
	cmd     *exec.Cmd
	began   time.Time
	metrics string
	ready   chan struct{}
	done    chan struct{} // closed when it has ended and was waited for
	ours    atomic.Bool   // we end it
}

func (n *node) process() *process {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.p
}

func (n *node) set(p *process) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.p, n.disturbed = p, time.Now()
}

func (n *node) touch() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.disturbed = time.Now()
}

func (n *node) calmSince(at time.Time) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.p != nil && n.disturbed.Before(at)
}

// up says whether the node answers commands, as far as is known.
func (n *node) up() bool {
	p := n.process()
	if p == nil {
		return false
	}
	select {
	case <-p.done:
		return false
	case <-p.ready:
		return true
	default:
		return false
	}
}

// launch runs `quorate start` and does not wait until it is ready.
func (n *node) launch() (*process, error) {
	metrics, err := freeAddress()
	if err != nil {
		return nil, err
	}
	logs, err := os.OpenFile(n.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open log: %w", err)
	}
	defer func() { _ = logs.Close() }()
	cmd := exec.Command(n.s.o.binary, "--data-dir", n.dir, "start", "--json", "--passphrase-file", n.s.passFile,
		"--set", "network=regtest", "--set", "metrics.listen="+metrics)
	cmd.Env, cmd.Stderr = environ(), logs
	// Of its own group, so that an interrupt of the soak ends it in our order.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start: %w", err)
	}
	p := &process{cmd: cmd, began: time.Now(), metrics: metrics, ready: make(chan struct{}), done: make(chan struct{})}
	if err := n.s.spawn(cmd); err != nil {
		return nil, fmt.Errorf("start: %w", err)
	}
	go n.follow(p, out)
	n.set(p)
	return p, nil
}

func (n *node) follow(p *process, out io.Reader) {
	ready := false
	for lines := bufio.NewScanner(out); lines.Scan(); {
		var r struct{ Ready bool }
		if json.Unmarshal(lines.Bytes(), &r) == nil && r.Ready && !ready {
			ready = true
			close(p.ready)
		}
	}
	// How it ended is in ProcessState.
	_ = p.cmd.Wait()
	if !p.ours.Load() {
		n.s.fault("%s ended by itself: %v; see %s", n.name, p.cmd.ProcessState, n.log)
	}
	close(p.done)
}

// start runs the node and waits until it is ready; false if it ended before.
func (n *node) start() bool {
	n.turn.Lock()
	defer n.turn.Unlock()
	if n.process() != nil {
		return true
	}
	p, err := n.launch()
	if err != nil {
		n.s.fault("%s: %v", n.name, err)
		return false
	}
	select {
	case <-p.ready:
		n.touch()
		return true
	case <-p.done:
	case <-time.After(patience):
		n.s.fault("%s did not become ready in %v", n.name, patience)
		n.end(p)
	}
	n.set(nil)
	return false
}

// startAndKill kills the node while it starts.
func (n *node) startAndKill(after time.Duration) {
	n.turn.Lock()
	defer n.turn.Unlock()
	if n.process() != nil {
		return
	}
	p, err := n.launch()
	if err != nil {
		n.s.fault("%s: %v", n.name, err)
		return
	}
	select {
	case <-p.done:
	case <-time.After(after):
	}
	n.end(p)
	n.set(nil)
}

func (n *node) end(p *process) {
	p.ours.Store(true)
	// It may have ended by itself.
	_ = p.cmd.Process.Kill()
	<-p.done
}

// kill ends the process as a power cut of the machine's user would: at once.
func (n *node) kill() bool {
	n.turn.Lock()
	defer n.turn.Unlock()
	p := n.process()
	if p == nil {
		return false
	}
	n.end(p)
	n.set(nil)
	return true
}

// stall stops the process for a time, as a laptop's lid or a busy machine does.
func (n *node) stall(ctx context.Context, long time.Duration) bool {
	n.turn.Lock()
	defer n.turn.Unlock()
	p := n.process()
	if p == nil || p.cmd.Process.Signal(syscall.SIGSTOP) != nil {
		return false
	}
	n.touch()
	pause(ctx, long)
	// If it has ended, its end is told elsewhere.
	_ = p.cmd.Process.Signal(syscall.SIGCONT)
	n.touch()
	return true
}

// stop ends the process in order.
func (n *node) stop() {
	n.turn.Lock()
	defer n.turn.Unlock()
	p := n.process()
	if p == nil {
		return
	}
	p.ours.Store(true)
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
		if code := p.cmd.ProcessState.ExitCode(); code != 0 {
			n.s.fault("%s stopped with exit status %d", n.name, code)
		}
	case <-time.After(patience):
		n.s.fault("%s does not stop", n.name)
		n.end(p)
	}
	n.set(nil)
}

// initialize runs `quorate init`.
func (s *soak) initialize(i int) *node {
	s.t.Helper()
	n := &node{s: s, name: fmt.Sprintf("n%d", i+1), ip: fmt.Sprintf("127.0.7.%d", 10+i), backend: "core"}
	n.dir, n.log = filepath.Join(s.o.dir, n.name), filepath.Join(s.o.dir, n.name+".log")
	listen := "/ip4/" + n.ip + "/tcp/0"
	if i%2 == 0 {
		listen += ",/ip4/" + n.ip + "/udp/0/quic-v1"
	}
	args := []string{"--data-dir", n.dir, "--json", "init", "--network", "regtest", "--name", n.name,
		"--passphrase-file", s.passFile, "--set", "listen=" + listen}
	if i >= firstLight {
		n.backend = "neutrino"
		args = append(args, "--set", "chain.backend=neutrino", "--set", "chain.neutrino.peers="+s.bitcoin.P2P)
	} else {
		args = append(args, "--set", "chain.backend=core", "--set", "chain.core.url="+s.bitcoin.URL(),
			"--set", "chain.core.user="+s.bitcoin.User, "--set", "chain.core.password=@"+s.rpcFile)
	}
	cmd := exec.Command(s.o.binary, args...)
	cmd.Env = environ()
	if out, err := cmd.CombinedOutput(); err != nil {
		s.t.Fatalf("init %s: %v: %s", n.name, err, out)
	}
	var err error
	if n.client, err = api.Dial(n.dir); err != nil {
		s.t.Fatal(err)
	}
	return n
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

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String(), nil
}

// pause waits, and says whether the context still goes on.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
