package formats

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/quorate/quorate/display"
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
// Keys that BIP329 has besides, such as a height or a rate, are passed over.
// One line that is not an object with a type and a ref is ErrLabels for all.
func ReadLabels(b []byte) ([]Label, error) {
	if len(b) > MaxLabelFile {
		return nil, fmt.Errorf("%w: over %d bytes", ErrLabels, MaxLabelFile)
	}
	if !utf8.Valid(b) {
		return nil, fmt.Errorf("%w: not UTF-8", ErrLabels)
	}
	b = bytes.TrimPrefix(b, []byte("\ufeff"))
	var out []Label
	n := 0
	for line := range bytes.Lines(b) {
		n++
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		if len(out) == MaxLabels {
			return nil, fmt.Errorf("%w: over %d labels", ErrLabels, MaxLabels)
		}
		l, err := readLabel(line)
		if err != nil {
			return nil, fmt.Errorf("%w: line %d: %w", ErrLabels, n, err)
		}
		out = append(out, l)
	}
	return out, nil
}

func readLabel(line []byte) (Label, error) {
	var l Label
	if line[0] != '{' {
		return l, errors.New("no JSON object")
	}
	// Not into a Label at once: that would take keys of any case.
	var keys map[string]json.RawMessage
	if err := json.Unmarshal(line, &keys); err != nil {
		return l, fmt.Errorf("no JSON object: %w", err)
	}
	for name, into := range map[string]any{"type": &l.Type, "ref": &l.Ref, "label": &l.Text, "origin": &l.Origin, "spendable": &l.Spendable} {
		raw, ok := keys[name]
		if !ok {
			continue
		}
		if err := json.Unmarshal(raw, into); err != nil {
			return l, fmt.Errorf("%s is not what it should be", name)
		}
	}
	if l.Type == "" || l.Ref == "" {
		return l, errors.New("no type or no ref")
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
