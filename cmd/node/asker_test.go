package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/creack/pty"
	"golang.org/x/term"
	"pgregory.net/rapid"

	"github.com/quorate/quorate/api"
)

// conversation is a terminal whose person has typed ahead.
func conversation(t *testing.T, typed string) (*cli, *asker, *bytes.Buffer) {
	t.Helper()
	person, tty, err := pty.Open()
	if err != nil {
		t.Skipf("no terminal can be made here: %v", err)
	}
	t.Cleanup(func() { _, _ = person.Close(), tty.Close() })
	if _, err := person.WriteString(typed); err != nil {
		t.Fatal(err)
	}
	out := new(bytes.Buffer)
	return &cli{in: tty, out: io.Discard, err: tty}, &asker{in: tty, out: out}, out
}

// What is typed after one answer is for the next question, whatever reads it.
func TestAnswersInOrder(t *testing.T) {
	_, q, _ := conversation(t, "alice\nsecret\nyes\nmaybe\nn\nthree\n2\n")
	name, err := q.text(t.Context(), "Name", "", func(string) error { return nil })
	if err != nil || name != "alice" {
		t.Fatal(name, err)
	}
	if s, err := q.secret(t.Context(), "Secret: "); err != nil || string(s) != "secret" {
		t.Fatalf("%q %v", s, err)
	}
	if ok, err := q.sure(t.Context(), "Sure?"); err != nil || !ok {
		t.Fatal(ok, err)
	}
	if ok, err := q.yes(t.Context(), "Well?", true); err != nil || ok {
		t.Fatal(ok, err)
	}
	if got, err := q.choice(t.Context(), "Which", []string{"one", "two"}, []string{"the first", "the second"}); err != nil || got != "two" {
		t.Fatal(got, err)
	}
}

// Only the whole word is a yes to what cannot be undone.
func TestSure(t *testing.T) {
	for typed, want := range map[string]bool{"yes": true, "YES ": true, "y": false, "": false, "no": false, "yes please": false} {
		_, q, _ := conversation(t, typed+"\n")
		if got, err := q.sure(t.Context(), "Sign?"); err != nil || got != want {
			t.Errorf("%q: %v %v", typed, got, err)
		}
	}
}

// A question that is not answered is put three times, and then is an error.
func TestNoAnswer(t *testing.T) {
	_, q, out := conversation(t, "a\nb\nc\nyes\n")
	var e *api.Error
	if _, err := q.yes(t.Context(), "Well?", true); !errors.As(err, &e) || e.Code != "no_answer" {
		t.Errorf("%v", err)
	}
	if n := strings.Count(out.String(), "Well?"); n != 3 {
		t.Errorf("asked %d times", n)
	}
}

// A line is read to its end and no further, and a longer one than a question takes
// is an error that leaves nothing of it for the next question.
func TestReadLine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		line := strings.ReplaceAll(rapid.String().Draw(t, "line"), "\n", "")
		most := rapid.IntRange(0, 40).Draw(t, "most")
		rest := rapid.String().Draw(t, "rest")
		in := strings.NewReader(line + "\n" + rest)
		got, err := readLine(in, most)
		if len(line) > most {
			if !errors.Is(err, errTooLong) {
				t.Fatalf("%v", err)
			}
		} else if err != nil || string(got) != line {
			t.Fatalf("%q %v", got, err)
		}
		if left, _ := io.ReadAll(in); string(left) != rest {
			t.Fatalf("left %q", left)
		}
	})
	if got, err := readLine(strings.NewReader("half"), 40); err == nil {
		t.Errorf("half a line was taken: %q", got)
	}
}

// Words that are pasted are refused, and typed ones are taken.
func TestTyped(t *testing.T) {
	_, q, out := conversation(t, "\x1b[200~one two\x1b[201~\rone \x1b[200~two\x1b[201~\rone two\r")
	got, err := q.typed(t.Context(), "Words: ")
	if err != nil || got != "one two" {
		t.Fatalf("%q %v", got, err)
	}
	if n := strings.Count(out.String(), "That was pasted"); n != 2 {
		t.Errorf("refused %d times: %q", n, out)
	}
}

// After an interrupt at any question the terminal shows again what is typed.
func TestInterrupted(t *testing.T) {
	for name, ask := range map[string]func(context.Context, *asker) error{
		"line":   func(ctx context.Context, q *asker) error { _, err := q.line(ctx, "? "); return err },
		"secret": func(ctx context.Context, q *asker) error { _, err := q.secret(ctx, "? "); return err },
		"typed":  func(ctx context.Context, q *asker) error { _, err := q.typed(ctx, "? "); return err },
	} {
		c, q, _ := conversation(t, "")
		fd := int(c.in.(*os.File).Fd())
		before, err := term.GetState(fd)
		if err != nil {
			t.Fatal(err)
		}
		q.out = io.Discard
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- ask(ctx, q) }()
		for name != "line" { // until the terminal is as the question wants it
			if now, err := term.GetState(fd); err != nil || *now != *before {
				break
			}
			runtime.Gosched()
		}
		cancel()
		var e *api.Error
		if err := <-ended; !errors.As(err, &e) || e.Code != "interrupted" {
			t.Errorf("%s: %v", name, err)
		}
		if after, err := term.GetState(fd); err != nil || *after != *before {
			t.Errorf("%s: the terminal is not as it was, %v", name, err)
		}
	}
	person, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = person.Close(), tty.Close() }()
	if _, err := term.MakeRaw(int(tty.Fd())); err != nil {
		t.Fatal(err) // or the terminal itself would take Ctrl-C, for nobody
	}
	if _, err := person.WriteString("one tw\x03"); err != nil {
		t.Fatal(err)
	}
	q := &asker{in: tty, out: io.Discard}
	var e *api.Error
	if _, err := q.typed(t.Context(), "? "); !errors.As(err, &e) || e.Code != "interrupted" {
		t.Errorf("Ctrl-C: %v", err)
	}
}

// Nothing is asked of a program.
func TestNobodyIsAsked(t *testing.T) {
	c, _, _ := conversation(t, "no\n")
	if c.asker() == nil {
		t.Error("nobody is asked on a terminal")
	}
	if err := c.agreed(t.Context(), true, "Well?"); err != nil {
		t.Errorf("--yes: %v", err)
	}
	var e *api.Error
	if err := c.agreed(t.Context(), false, "Well?"); !errors.As(err, &e) || e.Code != "not_agreed" {
		t.Errorf("no: %v", err)
	}
	for name, change := range map[string]func(*cli){
		"--json": func(c *cli) { c.json = true },
		"input":  func(c *cli) { c.in = strings.NewReader("no\n") },
		"error":  func(c *cli) { c.err = io.Discard },
	} {
		c, _, _ := conversation(t, "no\n")
		change(c)
		if c.asker() != nil {
			t.Errorf("%s: somebody is asked", name)
		}
		if err := c.agreed(t.Context(), false, "Well?"); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzAnswers puts anything into the reader of lines and that of keys.
func FuzzAnswers(f *testing.F) {
	f.Add([]byte("yes\n"))
	f.Add([]byte("\x1b[200~a\x1b[201~\r"))
	f.Fuzz(func(t *testing.T, b []byte) {
		line, err := readLine(bytes.NewReader(b), maxAnswer)
		if err == nil && (len(line) > maxAnswer || bytes.ContainsRune(line, '\n')) {
			t.Errorf("%q", line)
		}
		keys := &keyReader{r: bytes.NewReader(b)}
		got, err := io.ReadAll(keys)
		if err != nil || !bytes.Equal(got, b) {
			t.Errorf("%q %v", got, err)
		}
		if keys.pasted != bytes.Contains(b, []byte("\x1b[200~")) {
			t.Errorf("pasted %v in %q", keys.pasted, b)
		}
	})
}
