package nodes

import (
	"errors"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// enough is how long a shell may take for a line.
const enough = 30 * time.Second

// threads is a World that starts processes and has nothing else.
func threads(t *testing.T) *World {
	t.Helper()
	w := &World{thread: make(chan func()), Patience: enough}
	go w.starter()
	t.Cleanup(func() { close(w.thread) })
	return w
}

// played runs a shell in the place of quorate.
func played(t *testing.T, w *World, script string, onEnd func(*Process)) *Process {
	t.Helper()
	p, err := w.run(exec.Command("sh", "-c", script), onEnd)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Kill)
	return p
}

const (
	readies = `echo hello; echo '{"ready":true,"n":1}'; echo '{"ready":true,"n":2}'; `
	waits   = `while :; do sleep 0.05; done`
)

func TestAProcessSaysThatItIsReadyOnce(t *testing.T) {
	p := played(t, threads(t), readies+waits, nil)
	for range 2 {
		if said, err := p.Await(enough); err != nil || string(said) != `{"ready":true,"n":1}` {
			t.Fatalf("%q, %v", said, err)
		}
	}
	if !p.Up() || p.Asked() {
		t.Errorf("up: %v, asked: %v", p.Up(), p.Asked())
	}
	p.Kill()
	if p.Up() || !p.Asked() || p.State().ExitCode() != -1 {
		t.Errorf("up: %v, asked: %v, %v", p.Up(), p.Asked(), p.State())
	}
	if err := p.Signal(syscall.SIGHUP); err == nil {
		t.Error("a signal reached a process that has ended")
	}
}

func TestAProcessThatEndsByItself(t *testing.T) {
	var ended []bool
	var p *Process
	began := make(chan struct{})
	p = played(t, threads(t), "exit 3", func(*Process) {
		<-began
		select {
		case <-p.Done():
			t.Error("it was done before its end was told")
		default:
		}
		ended = append(ended, p.Asked())
	})
	close(began)
	if _, err := p.Await(enough); !errors.Is(err, ErrEnded) || !strings.Contains(err.Error(), "exit status 3") {
		t.Errorf("%v", err)
	}
	p.Kill() // which changes nothing
	if len(ended) != 1 || ended[0] || p.State().ExitCode() != 3 {
		t.Errorf("%v, %v", ended, p.State())
	}
}

func TestAProcessThatTakesTooLong(t *testing.T) {
	p := played(t, threads(t), "trap '' TERM; echo '{\"ready\":true}'; "+waits, nil)
	if _, err := p.Await(enough); err != nil {
		t.Fatal(err)
	}
	if err := p.Stop(10 * time.Millisecond); !errors.Is(err, ErrStuck) {
		t.Errorf("%v", err)
	}
	<-p.Done() // it was killed
	silent := played(t, threads(t), waits, nil)
	if _, err := silent.Await(10 * time.Millisecond); !errors.Is(err, ErrStuck) {
		t.Errorf("%v", err)
	}
}

func TestAProcessStopsInOrder(t *testing.T) {
	for status, want := range map[string]error{"0": nil, "7": ErrExit} {
		p := played(t, threads(t), "trap 'exit "+status+"' TERM; echo '{\"ready\":true}'; "+waits, nil)
		if _, err := p.Await(enough); err != nil {
			t.Fatal(err)
		}
		if err := p.Stop(enough); !errors.Is(err, want) {
			t.Errorf("exit status %s: %v", status, err)
		}
		if err := p.Stop(enough); err == nil {
			t.Error("it stopped twice")
		}
	}
}

// A program that is not there is an error and not a process.
func TestNoProgram(t *testing.T) {
	if p, err := threads(t).run(exec.Command("/nonexistent/quorate"), nil); err == nil || p != nil {
		t.Errorf("%v, %v", p, err)
	}
}
