package main

import (
	"bytes"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/creack/pty"
)

// columns is how wide the terminal of the tests is: what people see is to fit.
const columns = 80

// screen is a terminal with a command in it, and somebody who types.
type screen struct {
	t      *testing.T
	person *os.File // the person's end
	status chan int

	mu    sync.Mutex
	shown bytes.Buffer // all that the terminal was given
	seen  int          // of it, up to the end of what was expected last
	more  chan struct{}
}

// onTerminal runs a command line in this process, on a terminal of its own.
func onTerminal(t *testing.T, environ []string, args ...string) *screen {
	t.Helper()
	person, tty, err := pty.Open()
	if err != nil {
		t.Skipf("no terminal can be made here: %v", err)
	}
	if err := pty.Setsize(person, &pty.Winsize{Rows: 24, Cols: columns}); err != nil {
		t.Fatal(err)
	}
	s := &screen{t: t, person: person, status: make(chan int, 1), more: make(chan struct{}, 1)}
	read := make(chan struct{})
	go func() {
		defer close(read)
		b := make([]byte, 4096)
		for {
			n, err := person.Read(b)
			s.mu.Lock()
			s.shown.Write(b[:n])
			s.mu.Unlock()
			select {
			case s.more <- struct{}{}:
			default:
			}
			if err != nil {
				return // the other end is closed
			}
		}
	}()
	go func() {
		status := run(args, environ, tty, tty, tty)
		_ = tty.Close() // and what was written to it is read to its end
		<-read
		s.status <- status
	}()
	t.Cleanup(func() { _ = person.Close() })
	return s
}

// patience is how long a test waits for what never comes.
const patience = time.Minute

// expect waits until a text is on the screen, after that of the last call.
func (s *screen) expect(text string) {
	s.t.Helper()
	for late := time.After(patience); ; {
		s.mu.Lock()
		rest := s.shown.Bytes()[s.seen:]
		at := bytes.Index(rest, []byte(text))
		if at >= 0 {
			s.seen += at + len(text)
		}
		s.mu.Unlock()
		if at >= 0 {
			return
		}
		select {
		case <-s.more:
		case status := <-s.status:
			s.status <- status
			if !strings.Contains(s.rest(), text) {
				s.t.Fatalf("exit status %d, and %q was not shown in:\n%s", status, text, s.text())
			}
		case <-late:
			s.t.Fatalf("%q is not shown in:\n%s", text, s.text())
		}
	}
}

// answer waits for a question and types.
func (s *screen) answer(question, typed string) {
	s.t.Helper()
	s.expect(question)
	s.keys(typed + "\r")
}

func (s *screen) keys(typed string) {
	s.t.Helper()
	if _, err := s.person.WriteString(typed); err != nil {
		s.t.Fatal(err)
	}
}

// ends waits for the end of the command, and returns what the screen showed.
func (s *screen) ends(want int) string {
	s.t.Helper()
	select {
	case got := <-s.status:
		s.status <- got
		if got != want {
			s.t.Fatalf("exit status %d, want %d:\n%s", got, want, s.text())
		}
	case <-time.After(patience):
		s.t.Fatalf("it does not end:\n%s", s.text())
	}
	return s.text()
}

func (s *screen) rest() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.shown.String()[s.seen:]
}

// text is what the screen showed, line by line, with marks where it changed to the
// screen apart.
func (s *screen) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return plainScreen(s.shown.String())
}

var (
	apartOn  = "\x1b[?1049h\x1b[H\x1b[2J"
	apartOff = "\x1b[H\x1b[2J\x1b[?1049l"
	pasteOn  = regexp.MustCompile(`\x1b\[\?2004[hl]`)
)

func plainScreen(s string) string {
	s = strings.ReplaceAll(s, "\r\n", "\n")
	s = strings.ReplaceAll(s, apartOn, "[a screen apart]\n")
	s = strings.ReplaceAll(s, apartOff, "[the screen apart is wiped]\n")
	s = strings.ReplaceAll(s, wipe, "[wiped]\n")
	return pasteOn.ReplaceAllString(s, "")
}

// wide are the lines that a terminal of 80 columns would break, but for errors, which
// are one line each.
func wide(text string) []string {
	var out []string
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "quorate ") && utf8.RuneCountInString(strings.TrimRight(line, "\n")) > columns {
			out = append(out, line)
		}
	}
	return out
}

// raw is what was written to the screen, with its colours.
func (s *screen) raw() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.shown.String()
}
