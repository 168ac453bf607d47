package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/term"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/display"
)

// answer shows the result of a command: one JSON value, or text for people.
func answer[T any](c *cli, v T, show func(w io.Writer, v T)) error {
	if c.json {
		return c.encode(v)
	}
	w := c.paper(c.out)
	show(w, v)
	return written(w.err)
}

// paper is what people read on: on a terminal as wide as that, or not bounded with
// --wide, and with colours where they are wanted. What is no terminal gets all.
func (c *cli) paper(out io.Writer) *failing {
	w := &failing{w: out}
	f, ok := out.(*os.File)
	if !ok || !isTerminal(f) {
		return w
	}
	if !c.wide {
		w.width = 80
		if n, _, err := term.GetSize(int(f.Fd())); err == nil && n > 0 {
			w.width = max(n, 60)
		}
	}
	// See no-color.org: set and not empty.
	w.colours = c.getenv("NO_COLOR") == "" && c.getenv("TERM") != "" && c.getenv("TERM") != "dumb"
	return w
}

func (c *cli) encode(v any) error {
	c.answered = true
	e := json.NewEncoder(display.Writer(c.out))
	e.SetEscapeHTML(false)
	return written(e.Encode(v))
}

// written gives an error of standard output its place: what was asked for has
// been done, only not shown.
func written(err error) error {
	if err == nil {
		return nil
	}
	return api.Fail("not_shown", "done, but standard output failed: "+err.Error(), "")
}

// failing remembers the first error of a writer.
type failing struct {
	w   io.Writer
	err error
	// width is how many characters fit on a line, 0 for any number.
	width   int
	colours bool
}

// colour is how a word stands out.
type colour string

// The colours, as terminals of any age know them.
const (
	red    colour = "31"
	green  colour = "32"
	yellow colour = "33"
	bold   colour = "1"
)

// paint colours text that is clean already.
func paint(w io.Writer, c colour, text string) string {
	if f, ok := w.(*failing); !ok || !f.colours || text == "" {
		return text
	}
	return "\x1b[" + string(c) + "m" + text + "\x1b[0m"
}

func (f *failing) Write(b []byte) (int, error) {
	if f.err != nil {
		return 0, f.err
	}
	n, err := f.w.Write(b)
	f.err = err
	return n, err
}

// clean makes text from elsewhere safe for a terminal.
func clean[S ~string](s S) string { return display.Line(string(s)) }

// shrink says how a column of a table is made narrower where a line does not fit: cut
// to so many characters at least, or left out with 0.
type shrink struct{ column, least int }

// narrow says whether lines are to fit on a terminal.
func narrow(w io.Writer) bool {
	f, ok := w.(*failing)
	return ok && f.width > 0
}

// table writes rows in columns; the first row is the heading. Where the lines do not
// fit, columns are shortened in the order given.
func table(w io.Writer, rows [][]string, by ...shrink) {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			row[i] = clean(cell)
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(row[i]))
		}
	}
	gone := map[int]bool{}
	if narrow(w) {
		gone = fit(widths, w.(*failing).width, by)
	}
	for _, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			if gone[i] {
				continue
			}
			cell = cut(cell, widths[i])
			line.WriteString(cell + strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)+2))
		}
		// An error of the writer below is remembered there.
		fmt.Fprintln(w, strings.TrimRight(line.String(), " "))
	}
}

// fit makes columns narrower until a line fits, and says which are left out.
func fit(widths []int, most int, by []shrink) map[int]bool {
	gone := map[int]bool{}
	total := 0
	for _, w := range widths {
		total += w + 2
	}
	for _, s := range by {
		over := total - 2 - most
		switch {
		case over <= 0 || s.column >= len(widths):
		case s.least == 0:
			gone[s.column] = true
			total -= widths[s.column] + 2
		default:
			less := min(over, max(0, widths[s.column]-s.least))
			widths[s.column] -= less
			total -= less
		}
	}
	return gone
}

// cut shortens text in its middle: the ends tell ids and addresses apart best.
func cut(s string, most int) string {
	r := []rune(s)
	if len(r) <= most {
		return s
	}
	if most < 2 {
		return string(r[:max(0, most)])
	}
	tail := min(6, (most-1)/3)
	return string(r[:most-1-tail]) + "…" + string(r[len(r)-tail:])
}

// pairs writes one "name value" line for each two strings; empty values are left out.
func pairs(w io.Writer, kv ...string) {
	var rows [][]string
	for i := 0; i+1 < len(kv); i += 2 {
		if kv[i+1] != "" {
			rows = append(rows, []string{kv[i], kv[i+1]})
		}
	}
	table(w, rows)
}

func yes(b bool, text string) string {
	if b {
		return text
	}
	return ""
}

// when shows a time in UTC, and how far away it is in words.
func when(t time.Time) string { return whenFrom(t, time.Now()) }

func maybe(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// short is enough of an id to look at something, never to act on it.
func short[S ~string](id S) string { return string(id[:min(len(id), 12)]) }

// frozenText says who froze a coin, and why; "" where nobody did.
func frozenText(f *api.Freeze) string {
	if f == nil {
		return ""
	}
	text := "frozen by " + clean(f.By.Called())
	if f.Note != "" {
		text += fmt.Sprintf(" (%s)", clean(string(f.Note)))
	}
	return text
}

// showFreeze says of a freeze of all spending who, why, and what is left to lift it.
func showFreeze(w io.Writer, f api.GroupFreeze) {
	state := "FROZEN"
	if f.Rests != nil {
		state = fmt.Sprintf("freeze without effect until height %d,", *f.Rests)
	}
	fmt.Fprintf(w, "%s by %s, %s", state, clean(f.By.Called()), when(f.Time))
	if f.Reason != "" {
		fmt.Fprintf(w, ": %s", clean(string(f.Reason)))
	}
	fmt.Fprintf(w, "\n  for lifting it: %d of %d", len(f.Lifts), f.Needed)
	if len(f.Lifts) > 0 {
		fmt.Fprintf(w, " (%s)", clean(api.Called(f.Lifts)))
	}
	fmt.Fprintf(w, "\n  %s\n", f.Freeze)
}
