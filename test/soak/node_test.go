package soak_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/quorate/quorate/test/nodes"
)

// patience is how long something that must happen may take. It is no measure:
// only a run that fails takes this long.
const patience = 5 * time.Minute

// node is a cosigner that is killed, stalled and started again by many at once.
type node struct {
	*nodes.Node
	s       *soak
	log     string // file that its standard error goes to
	ip      string
	backend string

	turn sync.Mutex // of those who start and stop it

	mu        sync.Mutex
	p         *process
	disturbed time.Time // when its process or its network last changed
}

// process is one run of a node.
type process struct {
	*nodes.Process
	metrics string
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
	return p != nil && p.Up()
}

// launch runs `quorate start` and does not wait until it is ready.
func (n *node) launch() (*process, error) {
	metrics, err := freeAddress()
	if err != nil {
		return nil, err
	}
	run, err := n.Launch("metrics.listen=" + metrics)
	if err != nil {
		return nil, err
	}
	p := &process{Process: run, metrics: metrics}
	n.set(p)
	return p, nil
}

// ended notes a process that ended by itself.
func (n *node) ended(p *nodes.Process) {
	if !p.Asked() {
		n.s.fault("%s ended by itself: %v; see %s", n.Name, p.State(), n.log)
	}
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
		n.s.fault("%s: %v", n.Name, err)
		return false
	}
	if _, err := p.Await(patience); err == nil {
		n.touch()
		return true
	} else if !errors.Is(err, nodes.ErrEnded) {
		n.s.fault("%s: %v", n.Name, err)
		p.Kill()
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
		n.s.fault("%s: %v", n.Name, err)
		return
	}
	select {
	case <-p.Done():
	case <-time.After(after):
	}
	p.Kill()
	n.set(nil)
}

// kill ends the process as a power cut of the machine's user would: at once.
func (n *node) kill() bool {
	n.turn.Lock()
	defer n.turn.Unlock()
	p := n.process()
	if p == nil {
		return false
	}
	p.Kill()
	n.set(nil)
	return true
}

// stall stops the process for a time, as a laptop's lid or a busy machine does.
func (n *node) stall(ctx context.Context, long time.Duration) bool {
	n.turn.Lock()
	defer n.turn.Unlock()
	p := n.process()
	if p == nil || p.Signal(syscall.SIGSTOP) != nil {
		return false
	}
	n.touch()
	pause(ctx, long)
	// If it has ended, its end is told elsewhere.
	_ = p.Signal(syscall.SIGCONT)
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
	if err := p.Stop(patience); err != nil {
		n.s.fault("stop %s: %v", n.Name, err)
	}
	n.set(nil)
}

// initialize makes a node.
func (s *soak) initialize(i int) *node {
	s.t.Helper()
	n := &node{s: s, ip: fmt.Sprintf("127.0.7.%d", 10+i), backend: "core"}
	c := nodes.Config{Name: fmt.Sprintf("n%d", i+1), Listen: "/ip4/" + n.ip + "/tcp/0", OnEnd: n.ended}
	c.Dir = filepath.Join(s.o.dir, c.Name)
	n.log = c.Dir + ".log"
	if i%2 == 0 {
		c.Listen += ",/ip4/" + n.ip + "/udp/0/quic-v1"
	}
	if i >= firstLight {
		n.backend = "neutrino"
	}
	c.Backend = n.backend
	log, err := os.OpenFile(n.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = log.Close() })
	c.Stderr = log
	n.Node = s.world.New(s.t, c)
	return n
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
