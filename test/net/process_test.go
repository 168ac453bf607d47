package net_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// process is a quorate that runs at a site until it is told to end.
type process struct {
	t    testing.TB
	name string
	site *site

	cmd   *exec.Cmd
	done  chan struct{} // closed when it has ended and was waited for
	spent time.Duration // processor time of the last one that was killed
	log   logged
}

type logged struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// start runs quorate and returns the JSON that it prints when it is ready.
func (p *process) start(args ...string) []byte {
	p.t.Helper()
	p.cmd = exec.Command("ip", append([]string{"netns", "exec", p.site.ns, world.binary}, args...)...)
	p.cmd.Env = environ()
	p.cmd.Stderr = &p.log
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		p.t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.done = make(chan struct{})
	ready := make(chan []byte, 1)
	go func(cmd *exec.Cmd, done chan struct{}) {
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			var r struct{ Ready bool }
			if json.Unmarshal(lines.Bytes(), &r) == nil && r.Ready {
				ready <- bytes.Clone(lines.Bytes())
			}
		}
		_ = cmd.Wait() // how it ended is in ProcessState
		close(done)
	}(p.cmd, p.done)
	select {
	case line := <-ready:
		return line
	case <-p.done:
		p.t.Fatalf("%s ended before it was ready: %v\n%s", p.name, p.cmd.ProcessState, p.log.String())
	case <-time.After(patience):
		p.t.Fatalf("%s did not become ready", p.name)
	}
	return nil
}

// endsWithTest kills the process when the test ends, and shows its log if the
// test failed.
func (p *process) endsWithTest() {
	p.t.Cleanup(func() {
		p.kill()
		if p.t.Failed() {
			p.t.Logf("log of %s:\n%s", p.name, p.log.String())
		}
	})
}

// kill ends the process as a power cut would.
func (p *process) kill() {
	if p.cmd == nil {
		return
	}
	_ = p.cmd.Process.Kill() // it may have ended by itself
	<-p.done
	p.spent = p.cmd.ProcessState.UserTime() + p.cmd.ProcessState.SystemTime()
	p.cmd = nil
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
