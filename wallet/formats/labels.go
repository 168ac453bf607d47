package formats

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strings"
	"unicode/utf8"

	"github.com/quorate/quorate/display"
	"github.com/quorate/quorate/filetext"
)

// The types of labels that BIP329 defines. Others are read, and left to the caller.
const (
	LabelTx      = "tx"
	LabelAddress = "addr"
	LabelOutput  = "output"
)

// Limits of a file of labels.
const (
	MaxLabelFile = 16 << 20 // bytes
	MaxLabels    = 20_000   // lines
)

// ErrLabels is returned for bytes that are no file of labels, and for more
// than are read.
var ErrLabels = errors.New("malformed file of labels")

// ErrNoLabels is returned, with ErrLabels, for a file no line of which is a label.
var ErrNoLabels = errors.New("no line is a label of BIP329")

// Label is one line of a file of labels (BIP329).
type Label struct {
	Type string `json:"type"`
	Ref  string `json:"ref"`
	// Text is nil where the line has no label: then it changes none.
	Text *string `json:"label,omitempty"`
	// Origin is the wallet that a label of a transaction is from, as a
	// descriptor without keys, or "".
	Origin string `json:"origin,omitempty"`
	// Spendable says whether an output may be spent, or nil.
	Spendable *bool `json:"spendable,omitempty"`
}

// ReadLabels reads JSON lines of BIP329: all of them, of known types or not.
// Keys that BIP329 has besides, such as a height or a rate, are passed over, and
// so are lines that are no object with a type and a ref and, where it has one, a
// label that is text. Errors: ErrNoLabels where a file has lines and none is a
// label; ErrLabels where it is no text, and where there is more than is read.
func ReadLabels(b []byte) ([]Label, error) {
	if len(b) > MaxLabelFile {
		return nil, fmt.Errorf("%w: over %d bytes", ErrLabels, MaxLabelFile)
	}
	var out []Label
	var first error
	n := 0
	for line, err := range LabelLines(b) {
		if err != nil {
			return nil, err
		}
		if n++; n > MaxLabels {
			return nil, fmt.Errorf("%w: over %d lines", ErrLabels, MaxLabels)
		}
		l, err := readLabel([]byte(line))
		if err == nil {
			out = append(out, l)
		} else if first == nil {
			first = err
		}
	}
	if len(out) == 0 && first != nil {
		return nil, fmt.Errorf("%w: %w: the first of its %d is %w", ErrLabels, ErrNoLabels, n, first)
	}
	return out, nil
}

// LabelLines are the lines of a file of labels that are not empty. Its only error
// is ErrLabels, for what is no text.
func LabelLines(b []byte) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		text, ok := filetext.Text(b)
		if !ok {
			yield("", fmt.Errorf("%w: it is not text", ErrLabels))
			return
		}
		for line := range strings.Lines(text) {
			if line = strings.TrimSpace(line); line != "" && !yield(line, nil) {
				return
			}
		}
	}
}

func readLabel(line []byte) (Label, error) {
	var l Label
	if line[0] != '{' {
		return l, errors.New("no JSON object")
	}
	// Not into a Label at once: that would take keys of any case.
	var keys map[string]json.RawMessage
	if err := json.Unmarshal(line, &keys); err != nil {
		return l, errors.New("no JSON object")
	}
	for name, into := range map[string]any{"type": &l.Type, "ref": &l.Ref, "label": &l.Text, "origin": &l.Origin} {
		raw, ok := keys[name]
		if !ok {
			continue
		}
		if err := json.Unmarshal(raw, into); err != nil {
			return l, fmt.Errorf("an object whose %s is not what it should be", name)
		}
	}
	if l.Type == "" || l.Ref == "" {
		return l, errors.New("an object without a type or a ref")
	}
	// Whatever else other programs make of it says nothing.
	switch strings.Trim(string(keys["spendable"]), `"`) {
	case "true":
		l.Spendable = new(true)
	case "false":
		l.Spendable = new(false)
	}
	return l, nil
}

// WriteLabels writes JSON lines of BIP329, in the order given.
func WriteLabels(labels []Label) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	for _, l := range labels {
		if err := e.Encode(l); err != nil {
			return nil, fmt.Errorf("write labels: %w", err)
		}
	}
	return b.Bytes(), nil
}

// CutLabel makes a label one line of at most so many bytes, without what may not
// be shown, and says whether it changed. BIP329 lets whoever reads labels cut them.
func CutLabel(text string, most int) (string, bool) {
	out := display.Strip(text)
	for len(out) > most {
		_, size := utf8.DecodeLastRuneInString(out)
		out = out[:len(out)-size]
	}
	out = display.Strip(out) // a joiner at its end joins nothing any more
	return out, out != text
}

// OriginKeys returns the origins of the keys that an origin names, as
// fingerprint and path in one form: 73c5da0a/48h/0h/0h/2h.
func OriginKeys(origin string) []string {
	var out []string
	for rest := origin; ; {
		_, after, ok := strings.Cut(rest, "[")
		if !ok {
			return out
		}
		key, after, ok := strings.Cut(after, "]")
		if !ok {
			return out
		}
		out = append(out, strings.ReplaceAll(strings.ToLower(key), "'", "h"))
		rest = after
	}
}
