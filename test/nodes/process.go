package nodes

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// What can become of a process that should become ready, or end.
var (
	ErrEnded = errors.New("it ended")
	ErrStuck = errors.New("it takes too long")
	ErrExit  = errors.New("it failed")
)

// Process is one run of a program, until it ends. It is safe for concurrent use.
type Process struct {
	Began time.Time

	cmd   *exec.Cmd
	ready chan struct{} // closed when it has said that it is ready
	said  []byte        // how it said so
	done  chan struct{} // closed when it has ended and was waited for
	asked atomic.Bool   // we end it
}

// run starts a program. onEnd, where it is not nil, is called when it has ended,
// before Done is closed.
func (w *World) run(cmd *exec.Cmd, onEnd func(*Process)) (*Process, error) {
	endWithUs(cmd)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start: %w", err)
	}
	p := &Process{cmd: cmd, Began: time.Now(), ready: make(chan struct{}), done: make(chan struct{})}
	started := make(chan error)
	w.thread <- func() { started <- cmd.Start() }
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start: %w", err)
	}
	go p.follow(out, onEnd)
	return p, nil
}

// starter starts processes from one thread that lasts: the kernel kills them
// when the thread that started them ends.
func (w *World) starter() {
	runtime.LockOSThread()
	for f := range w.thread {
		f()
	}
}

func (p *Process) follow(out io.Reader, onEnd func(*Process)) {
	for lines := bufio.NewScanner(out); lines.Scan(); {
		var r struct{ Ready bool }
		if json.Unmarshal(lines.Bytes(), &r) == nil && r.Ready && p.said == nil {
			p.said = bytes.Clone(lines.Bytes())
			close(p.ready)
		}
	}
	// How it ended is in ProcessState.
	_ = p.cmd.Wait()
	if onEnd != nil {
		onEnd(p)
	}
	close(p.done)
}

// Await waits until the process says that it is ready, in a line of JSON on its
// standard output, which it returns. ErrEnded where it ended before; ErrStuck.
func (p *Process) Await(patience time.Duration) ([]byte, error) {
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case <-p.ready:
		return p.said, nil
	case <-p.done:
		return nil, fmt.Errorf("%w before it was ready: %v", ErrEnded, p.State())
	case <-late.C:
		return nil, fmt.Errorf("%w to become ready: more than %v", ErrStuck, patience)
	}
}

// Up says whether the process has become ready and has not ended.
func (p *Process) Up() bool {
	select {
	case <-p.done:
		return false
	default:
	}
	select {
	case <-p.ready:
		return true
	default:
		return false
	}
}

// Done is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Asked says whether Kill or Stop was called.
func (p *Process) Asked() bool { return p.asked.Load() }

// State says how the process ended; call it after that.
func (p *Process) State() *os.ProcessState { return p.cmd.ProcessState }

// PID is the process's number.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Signal sends a signal; an error where the process has ended.
func (p *Process) Signal(s os.Signal) error { return p.cmd.Process.Signal(s) }

// Kill ends the process as a power cut would, if it has not ended by itself.
func (p *Process) Kill() {
	p.asked.Store(true)
	_ = p.cmd.Process.Kill()
	<-p.done
}

// Stop ends the process in order. ErrStuck where it had to be killed, ErrExit
// with its status where that is not 0.
func (p *Process) Stop(patience time.Duration) error {
	p.asked.Store(true)
	if err := p.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case <-p.done:
	case <-late.C:
		p.Kill()
		return fmt.Errorf("%w to stop: more than %v", ErrStuck, patience)
	}
	if code := p.State().ExitCode(); code != 0 {
		return fmt.Errorf("%w: exit status %d", ErrExit, code)
	}
	return nil
}

// Log collects what a process writes. It is safe for concurrent use.
type Log struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write takes some more.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// String is all that was written so far.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
