package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/display"
)

// answer shows the result of a command: one JSON value, or text for people.
func answer[T any](c *cli, v T, show func(w io.Writer, v T)) error {
	if c.json {
		return c.encode(v)
	}
	w := &failing{w: c.out}
	show(w, v)
	return written(w.err)
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

// table writes rows in columns; the first row is the heading.
func table(w io.Writer, rows [][]string) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		for i, cell := range row {
			row[i] = clean(cell)
		}
		fmt.Fprintln(t, strings.TrimRight(strings.Join(row, "\t"), "\t "))
	}
	// An error of the writer below is remembered there.
	_ = t.Flush()
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

// when shows a time, in UTC.
func when(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

func maybe(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// short is enough of an id to look at something, never to act on it.
func short[S ~string](id S) string { return string(id[:min(len(id), 12)]) }
