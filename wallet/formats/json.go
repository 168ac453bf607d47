package formats

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/quorate/quorate/wallet"
)

// decode reads exactly one JSON value.
func decode(raw []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(raw))
	if err := dec.Decode(into); err != nil {
		return fmt.Errorf("%w: %w", ErrFormat, jsonError(err))
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: text after the JSON", ErrFormat)
	}
	return nil
}

// jsonError keeps the file's own text out of the message: it may hold secrets.
func jsonError(err error) error {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return fmt.Errorf("JSON is wrong at byte %d", syntax.Offset)
	case errors.As(err, &kind):
		return fmt.Errorf("JSON at byte %d is not of the kind that is wanted there", kind.Offset)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("JSON is cut short")
	}
	return errors.New("JSON is wrong")
}

// encode writes JSON that people can read.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // descriptors hold < and >
	e.SetIndent("", "  ")
	err := e.Encode(v)
	return b.Bytes(), err
}

// sortedKeys are the names of an object's fields, in order.
func sortedKeys(x map[string]any) []string { return slices.Sorted(maps.Keys(x)) }

// number is an integer that some programs write as text.
type number int

// UnmarshalJSON takes 2 and "2".
func (n *number) UnmarshalJSON(raw []byte) error {
	v, err := strconv.ParseInt(strings.TrimSpace(strings.Trim(string(raw), `"`)), 10, 32)
	if err != nil {
		return fmt.Errorf("%w: want a number", ErrFormat)
	}
	*n = number(v)
	return nil
}

// fields are those of a JSON object that no reader has asked for: which of them
// there are, and what is known of them.
type fields map[string]json.RawMessage

func fieldsOf(raw []byte) (fields, error) {
	var f fields
	if err := json.Unmarshal(raw, &f); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, jsonError(err))
	}
	return f, nil
}

// others are the names of fields that say something and are none of the known.
func (f fields) others(known ...string) []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(f)) {
		empty := slices.Contains([]string{"null", `""`, "[]", "{}"}, strings.TrimSpace(string(f[name])))
		if !empty && !slices.Contains(known, name) {
			out = append(out, name)
		}
	}
	return out
}

// meanings are parts of names of fields that could say what scripts a wallet
// has, in a file whose format does not say it otherwise.
func meanings() []string {
	return []string{"sort", "bip67", "bip_67", "lexic", "order", "miniscript", "timelock", "locktime", "script", "policy", "blind"}
}

// decides refuses a field that is not known and may say what scripts the wallet
// has. That keys are sorted is what the formats that ask this agree on.
func (f fields) decides(names []string) error {
	for _, name := range names {
		low := strings.ToLower(name)
		if !slices.ContainsFunc(meanings(), func(m string) bool { return strings.Contains(low, m) }) {
			continue
		}
		value := strings.ToLower(strings.Trim(strings.TrimSpace(string(f[name])), `"`))
		if sorted := strings.Contains(low, "sort") || strings.Contains(low, "67"); sorted && (value == "true" || value == "1") {
			continue
		}
		return fmt.Errorf("%w: the field %q, which is not known here, may change the wallet's addresses: give its descriptor", wallet.ErrUnsupported, clean(name))
	}
	return nil
}

// passedOver warns of fields that are not known.
func (w *Wallet) passedOver(names []string) {
	slices.Sort(names)
	names = slices.Compact(names)
	if len(names) == 0 {
		return
	}
	const most = 8
	shown := make([]string, 0, most)
	for _, n := range names[:min(len(names), most)] {
		shown = append(shown, clean(n))
	}
	more := ""
	if len(names) > most {
		more = fmt.Sprintf(" and %d more", len(names)-most)
	}
	w.warn(WarnFields, "what these fields say was passed over, since they are not known here: %s%s", strings.Join(shown, ", "), more)
}
