package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"golang.org/x/term"

	"github.com/quorate/quorate/api"
)

// maxAnswer bounds, in bytes, what is read for one question. A terminal's own
// line is at most 4,096 long.
const maxAnswer = 1 << 10

// maxTries is how often a question is put again that was not answered.
const maxTries = 3

// asker puts questions to a person. There is one only where standard input and
// standard error are terminals and no program reads the answer: without one
// nothing is ever asked.
type asker struct {
	in  *os.File
	out io.Writer
}

// asker returns nil where nobody can be asked, or with --json, which programs use.
func (c *cli) asker() *asker {
	f, ok := c.in.(*os.File)
	if !ok || c.json || !isTerminal(f) || !isTerminal(c.err) {
		return nil
	}
	return &asker{in: f, out: c.err}
}

// agreed asks whether to do what cannot be undone. It is agreed to without a
// question where --yes was given, and where nobody can be asked, since scripts
// have named what they want. What was told before (a summary) belongs on the
// same terminal: standard error.
func (c *cli) agreed(ctx context.Context, yes bool, question string) error {
	q := c.asker()
	if yes || q == nil {
		return nil
	}
	ok, err := q.sure(ctx, question)
	if err != nil {
		return err
	}
	if !ok {
		return api.Refuse("not_agreed", "nothing was done, since the answer was not yes", "")
	}
	return nil
}

// sure asks before what cannot be undone: only the whole word yes is yes, and
// everything else is no.
func (q *asker) sure(ctx context.Context, question string) (bool, error) {
	s, err := q.line(ctx, question+" [yes/no] ")
	return strings.EqualFold(s, "yes"), err
}

// yes asks what can be undone; Enter takes the preset.
func (q *asker) yes(ctx context.Context, question string, preset bool) (bool, error) {
	how := " [y/N] "
	if preset {
		how = " [Y/n] "
	}
	for range maxTries {
		s, err := q.line(ctx, question+how)
		if err != nil {
			return false, err
		}
		switch strings.ToLower(s) {
		case "":
			return preset, nil
		case "y", "yes":
			return true, nil
		case "n", "no":
			return false, nil
		}
		q.say("Please answer yes or no.")
	}
	return false, noAnswer()
}

// text asks for a line that check accepts; Enter takes the preset, where there is one.
func (q *asker) text(ctx context.Context, question, preset string, check func(string) error) (string, error) {
	if preset != "" {
		question += " [" + clean(preset) + "]"
	}
	for range maxTries {
		s, err := q.line(ctx, question+": ")
		if err != nil {
			return "", err
		}
		if s == "" {
			s = preset
		}
		if err = check(s); err == nil {
			return s, nil
		}
		q.say("%s", reason(err))
	}
	return "", noAnswer()
}

// choice asks for one of some words, or its number; Enter takes the first.
func (q *asker) choice(ctx context.Context, question string, of, means []string) (string, error) {
	for i, o := range of {
		q.say("  %d  %-9s %s", i+1, o, means[i])
	}
	s, err := q.text(ctx, question, of[0], func(s string) error {
		if number(of, s) < 0 {
			return fmt.Errorf("that is none of them: give a number from 1 to %d, or the word", len(of))
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	return of[number(of, s)], nil
}

// number finds what was chosen, below 0 for none.
func number(of []string, s string) int {
	return slices.IndexFunc(of, func(o string) bool { return strings.EqualFold(o, s) || s == fmt.Sprint(slices.Index(of, o)+1) })
}

// line asks for one line, as the terminal lets it be edited. What is typed after
// it is left for the next question.
func (q *asker) line(ctx context.Context, question string) (string, error) {
	fmt.Fprint(q.out, question)
	b, err := q.read(ctx, func() ([]byte, error) { return readLine(q.in, maxAnswer) })
	if err != nil {
		fmt.Fprintln(q.out)
		return "", err
	}
	return strings.TrimSpace(string(b)), nil
}

// secret asks for what does not show while it is typed.
func (q *asker) secret(ctx context.Context, question string) ([]byte, error) {
	fd := int(q.in.Fd())
	if before, err := term.GetState(fd); err == nil {
		noEcho(fd)
		defer func() { _ = term.Restore(fd, before) }()
	}
	fmt.Fprint(q.out, question)
	b, err := q.read(ctx, func() ([]byte, error) { return term.ReadPassword(fd) })
	fmt.Fprintln(q.out)
	return b, err
}

// typed asks for a line that is to come from a person's ears, not from the screen
// above: where the terminal tells what was pasted, that is refused.
func (q *asker) typed(ctx context.Context, question string) (string, error) {
	for range maxTries {
		b, err := q.edited(ctx, question)
		if !errors.Is(err, errPasted) {
			return strings.TrimSpace(string(b)), err
		}
		q.say("That was pasted. Type what the others said: what is on this screen proves nothing.")
	}
	return "", noAnswer()
}

// errPasted is returned for a line of which a part was pasted.
var errPasted = errors.New("the line was pasted")

// edited reads a line in raw mode, in which the terminal marks what is pasted.
func (q *asker) edited(ctx context.Context, question string) ([]byte, error) {
	fd := int(q.in.Fd())
	old, err := term.MakeRaw(fd)
	if err != nil {
		return nil, api.Misuse("no_answer", "the terminal could not be read: "+err.Error(), "")
	}
	const pasteOn, pasteOff = "\x1b[?2004h", "\x1b[?2004l"
	fmt.Fprint(q.out, pasteOn)
	defer func() {
		fmt.Fprint(q.out, pasteOff)
		_ = term.Restore(fd, old)
	}()
	keys := &keyReader{r: q.in}
	t := term.NewTerminal(struct {
		io.Reader
		io.Writer
	}{keys, q.out}, question)
	if width, height, err := term.GetSize(fd); err == nil && width > 0 {
		_ = t.SetSize(width, height)
	}
	return q.read(ctx, func() ([]byte, error) {
		s, err := t.ReadLine()
		switch {
		case errors.Is(err, io.EOF): // also for Ctrl-C
			return nil, errInterrupted
		case keys.pasted:
			return nil, errPasted
		case err == nil && len(s) > maxAnswer:
			return nil, errTooLong
		}
		return []byte(s), err
	})
}

// keyReader reads byte by byte, so that nothing after the line is taken, and
// notices the mark that a terminal puts before what is pasted.
type keyReader struct {
	r      io.Reader
	last   [6]byte
	pasted bool
}

func (k *keyReader) Read(b []byte) (int, error) {
	n, err := k.r.Read(b[:1])
	if n == 1 {
		copy(k.last[:], k.last[1:])
		k.last[5] = b[0]
		k.pasted = k.pasted || string(k.last[:]) == "\x1b[200~"
	}
	return n, err
}

var (
	errInterrupted = errors.New("interrupted")
	errTooLong     = fmt.Errorf("the answer is over %d bytes", maxAnswer)
)

// readLine reads up to a line end, byte by byte: what follows is for whoever asks
// next. A longer line is an error, once it is read to its end.
func readLine(r io.Reader, most int) ([]byte, error) {
	var line []byte
	long := false
	for b := make([]byte, 1); ; {
		n, err := r.Read(b)
		if n == 1 && b[0] == '\n' {
			break
		}
		if n == 1 {
			if long = long || len(line) == most; !long {
				line = append(line, b[0])
			}
		}
		if err != nil {
			return nil, err // a line without an end may be half of one
		}
	}
	if long {
		return nil, errTooLong
	}
	return line, nil
}

// read waits for an answer or an interrupt, after which the terminal is as before.
func (q *asker) read(ctx context.Context, read func() ([]byte, error)) ([]byte, error) {
	if ctx.Err() != nil {
		return nil, interrupted()
	}
	fd := int(q.in.Fd())
	before, stateErr := term.GetState(fd)
	type answer struct {
		b   []byte
		err error
	}
	done := make(chan answer, 1)
	// A read of a terminal cannot be ended; after an interrupt the process is.
	go func() {
		b, err := read()
		done <- answer{b, err}
	}()
	select {
	case a := <-done:
		switch {
		case a.err == nil || errors.Is(a.err, errPasted):
			return a.b, a.err
		case errors.Is(a.err, errInterrupted):
			return nil, interrupted()
		}
		return nil, api.Misuse("no_answer", "the answer could not be read: "+a.err.Error(), "")
	case <-ctx.Done():
		if stateErr == nil {
			_ = term.Restore(fd, before)
		}
		return nil, interrupted()
	}
}

// wipe clears the screen, and puts the cursor at its beginning.
const wipe = "\x1b[H\x1b[2J"

// apart shows what is not to stay in the terminal's history: on the alternate
// screen, and wiped from that before the usual one comes back.
func (q *asker) apart(do func() error) error {
	fmt.Fprint(q.out, "\x1b[?1049h"+wipe)
	defer fmt.Fprint(q.out, wipe+"\x1b[?1049l")
	return do()
}

// say writes lines between questions, with nothing in them that moves the cursor.
func (q *asker) say(format string, args ...any) {
	for line := range strings.SplitSeq(fmt.Sprintf(format, args...), "\n") {
		fmt.Fprintln(q.out, clean(line))
	}
}

func noAnswer() error {
	return api.Misuse("no_answer", "the question was not answered", "run the command again")
}

func interrupted() error {
	return api.Fail("interrupted", "interrupted at a question", "")
}

// reason is what went wrong, and what to do, in one line for people.
func reason(err error) string {
	var e *api.Error
	if errors.As(err, &e) && e.Hint != "" {
		return clean(e.Message + ": " + e.Hint)
	}
	return clean(err.Error())
}
