package filetext

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"unicode/utf8"
)

var (
	// ErrNone is returned where a file holds nothing of what is looked for.
	ErrNone = errors.New("there is none in it")
	// ErrSeveral is returned where it holds more than one, and they differ.
	ErrSeveral = errors.New("there are several in it: give one by itself")
)

// Limits of what is looked at.
const (
	leastEncoded = 20  // characters of the shortest run that is tried
	mostRuns     = 400 // runs of a file that are tried
	maxDepth     = 12  // of JSON
)

// Find returns the one value in a file that accept takes. The file is that
// value in binary, or text that has it in hex or base64, of either alphabet,
// with padding or without, in one line or many: by itself, in quotation marks,
// as a string of a JSON value, under a label, in a data: link, in armor, or
// quoted in a mail. starts are the texts that encodings of the value can begin
// with, where it has such: what stands before them is no part of it. accept is
// asked about whatever can be decoded, and must not keep it. Errors: ErrNone,
// ErrSeveral.
func Find(raw []byte, starts []string, accept func([]byte) bool) ([]byte, error) {
	for _, whole := range binaries(raw) {
		if accept(whole) {
			return whole, nil
		}
	}
	text, ok := Text(raw)
	if !ok {
		return nil, ErrNone
	}
	f := finder{starts: starts, accept: accept}
	// The later ones cost more, and are for fewer.
	for _, stage := range []func(string) []string{asItIs, jsonStrings, unwrapped, acrossLines, words} {
		if err := f.look(stage(text)); err != nil || f.found != nil {
			return f.found, err
		}
	}
	return nil, ErrNone
}

// binaries are the ways in which a file can be the value itself: as it is, with
// a line end that a program added, after a byte order mark, or with each byte
// written as a character of UTF-8.
func binaries(raw []byte) [][]byte {
	out := [][]byte{raw, bytes.TrimRight(raw, " \t\r\n"), bytes.TrimRight(bytes.TrimPrefix(raw, []byte("\ufeff")), "\r\n")}
	if !utf8.Valid(raw) || !bytes.ContainsFunc(raw, func(r rune) bool { return r >= utf8.RuneSelf }) {
		return out
	}
	narrow := make([]byte, 0, len(raw))
	for _, r := range string(bytes.TrimRight(raw, "\r\n")) {
		if r > 0xff {
			return out
		}
		narrow = append(narrow, byte(r))
	}
	return append(out, narrow)
}

// jsonStrings are all strings of a JSON value, if the text is one.
func jsonStrings(text string) []string {
	text = strings.TrimSpace(text)
	if text == "" || !strings.ContainsRune("{[\"", rune(text[0])) {
		return nil
	}
	var v any
	if json.Unmarshal([]byte(text), &v) != nil && json.Unmarshal([]byte(Plain(text)), &v) != nil {
		return nil
	}
	var out []string
	var walk func(v any, depth int)
	walk = func(v any, depth int) {
		if depth > maxDepth || len(out) > mostRuns {
			return
		}
		switch x := v.(type) {
		case string:
			out = append(out, strings.Join(strings.Fields(Plain(x)), ""))
		case []any:
			for _, y := range x {
				walk(y, depth+1)
			}
		case map[string]any:
			for _, y := range x {
				walk(y, depth+1)
			}
		}
	}
	walk(v, 0)
	return out
}

var escapes = strings.NewReplacer(
	`\/`, "/", `\u002b`, "+", `\u002B`, "+", `\u002f`, "/", `\u002F`, "/", `\u003d`, "=", `\u003D`, "=",
	`\r`, "\n", `\n`, "\n", "%2B", "+", "%2b", "+", "%2F", "/", "%2f", "/", "%3D", "=", "%3d", "=", "%0D", "\n", "%0A", "\n", "%20", " ",
)

// asItIs is the text as one value.
func asItIs(text string) []string { return []string{strings.Join(strings.Fields(text), "")} }

// unwrapped is the text as one value, without what was done to it on its way.
func unwrapped(text string) []string {
	joined := func(s string) string { return strings.Join(strings.Fields(s), "") }
	return []string{joined(Unquote(Plain(text))), joined(unwrap(text, false)), joined(unwrap(text, true))}
}

var (
	notEncoded = regexp.MustCompile(`[^A-Za-z0-9+/_\-\s]+`)
	blankLines = regexp.MustCompile(`\n[ \t]*\n`)
	ruled      = regexp.MustCompile(`(?m)^[ \t]*--.*$`)
	marks      = regexp.MustCompile(`(?m)^[ \t]*[>|][>| \t]*`) // of quoting, that Unwrap left
)

// acrossLines are the parts of a text that consist of characters of encodings
// only, each as far as it goes: over the ends of lines, but not over an empty
// line or a ruled one.
func acrossLines(text string) []string {
	return runs(text, func(run string) []string { return []string{strings.Join(strings.Fields(run), "")} })
}

// words are the same, each to the next white space.
func words(text string) []string { return runs(text, strings.Fields) }

func runs(text string, split func(string) []string) []string {
	out := runsOf(unwrap(text, false), split)
	if softBreak.MatchString(text) {
		out = append(out, runsOf(unwrap(text, true), split)...)
	}
	return out
}

func runsOf(text string, split func(string) []string) []string {
	text = marks.ReplaceAllString(ruled.ReplaceAllString(escapes.Replace(text), "\n\n"), "")
	var out []string
	for _, part := range blankLines.Split(text, -1) {
		for _, run := range notEncoded.Split(part, -1) {
			for _, w := range split(run) {
				if len(w) >= leastEncoded && len(out) < mostRuns {
					out = append(out, w)
				}
			}
		}
	}
	return out
}

// finder looks for the one value that is accepted.
type finder struct {
	starts []string
	accept func([]byte) bool
	found  []byte
}

func (f *finder) look(texts []string) error {
	for _, text := range texts {
		for _, raw := range f.decoded(text) {
			if bytes.Equal(raw, f.found) || !f.accept(raw) {
				continue
			}
			if f.found != nil {
				f.found = nil
				return ErrSeveral
			}
			f.found = raw
			break
		}
	}
	return nil
}

// decoded are what a text can stand for.
func (f *finder) decoded(text string) [][]byte {
	text = strings.TrimRight(text, "=")
	if f.starts != nil {
		at := -1
		for _, s := range f.starts {
			if i := indexFold(text, s); i >= 0 && (at < 0 || i < at) {
				at = i
			}
		}
		if at < 0 {
			return nil
		}
		text = text[at:]
	}
	if text == "" {
		return nil
	}
	var out [][]byte
	if raw, err := hex.DecodeString(strings.TrimPrefix(strings.TrimPrefix(text, "0x"), "0X")); err == nil {
		out = append(out, raw)
	}
	text = strings.NewReplacer("-", "+", "_", "/").Replace(text)
	if raw, err := base64.RawStdEncoding.DecodeString(text); err == nil {
		out = append(out, raw)
	}
	return out
}

// indexFold is strings.Index, which takes hex in any case: a start of digits and
// the letters a to f alone.
func indexFold(text, start string) int {
	if strings.Trim(start, "0123456789abcdef") == "" {
		text = strings.ToLower(text)
	}
	return strings.Index(text, start)
}
