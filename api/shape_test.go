package api_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// What of the document the tests here go by: it is read as others read it, from its JSON.
type (
	docOf struct {
		Paths      map[string]map[string]*opOf
		Components struct{ Schemas map[string]*shape }
	}
	opOf struct {
		Method, Path string `json:"-"`
		OperationID  string
		Parameters   []paramOf
		RequestBody  *struct {
			Required bool
			Content  map[string]mediaOf
		}
		Responses map[string]struct{ Content map[string]mediaOf }
	}
	paramOf struct {
		Name, In string
		Required bool
		Schema   *shape
		Example  json.RawMessage
	}
	mediaOf struct {
		Schema  *shape
		Example json.RawMessage
	}
	// shape is a schema, with the words that the document uses (JSON Schema 2020-12).
	shape struct {
		Ref                                        string `json:"$ref"`
		Type                                       types
		Properties                                 map[string]*shape
		Required                                   []string
		AdditionalProperties                       json.RawMessage
		Items                                      *shape
		OneOf                                      []*shape
		Enum                                       []any
		Minimum, Maximum                           *float64
		MinLength, MaxLength, MinItems, MaxItems   *int
		Pattern, Format, ContentEncoding           string
		Description                                string
		Default, ReadOnly, Examples, Title, Schema any
	}
	types []string
)

func (t *types) UnmarshalJSON(b []byte) error {
	if b[0] == '[' {
		return json.Unmarshal(b, (*[]string)(t))
	}
	*t = types{""}
	return json.Unmarshal(b, &(*t)[0])
}

func readDocument(t testing.TB, raw []byte) docOf {
	t.Helper()
	var d docOf
	if err := json.Unmarshal(raw, &d); err != nil {
		t.Fatal(err)
	}
	for path, ops := range d.Paths {
		for method, op := range ops {
			op.Method, op.Path = strings.ToUpper(method), path
		}
	}
	return d
}

// operations are all of them, always in the same order.
func (d docOf) operations() []*opOf {
	var out []*opOf
	for _, ops := range d.Paths {
		for _, op := range ops {
			out = append(out, op)
		}
	}
	slices.SortFunc(out, func(a, b *opOf) int { return strings.Compare(a.OperationID, b.OperationID) })
	return out
}

func (d docOf) of(s *shape) *shape {
	for s != nil && s.Ref != "" {
		s = d.Components.Schemas[strings.TrimPrefix(s.Ref, "#/components/schemas/")]
	}
	return s
}

// decode reads one value of JSON, with numbers as they are written.
func decode(b []byte) (v any, err error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("something follows")
	}
	return v, nil
}

// wrong says in what a value is none of a shape; "" where it is one. In what is sent, a
// field that is null is one that is left out, as the document says.
func (d docOf) wrong(s *shape, v any, sent bool) string {
	if s = d.of(s); s == nil {
		return "there is no such schema"
	}
	if len(s.OneOf) > 0 {
		var why []string
		for _, one := range s.OneOf {
			w := d.wrong(one, v, sent)
			if w == "" {
				return ""
			}
			why = append(why, w)
		}
		return strings.Join(why, ", and ")
	}
	if kind := typeOf(v); len(s.Type) > 0 && !slices.Contains(s.Type, kind) && (kind != "integer" || !slices.Contains(s.Type, "number")) {
		return fmt.Sprintf("%s where %v is to be", kind, s.Type)
	}
	if len(s.Enum) > 0 && !slices.ContainsFunc(s.Enum, func(e any) bool {
		return fmt.Sprint(e) == fmt.Sprint(v) || fmt.Sprint(e) == "0" && fmt.Sprint(v) == "-0"
	}) && v != nil {
		return fmt.Sprintf("%.40v is no word of it", v)
	}
	switch x := v.(type) {
	case map[string]any:
		return d.wrongObject(s, x, sent)
	case []any:
		if s.MinItems != nil && len(x) < *s.MinItems || s.MaxItems != nil && len(x) > *s.MaxItems {
			return fmt.Sprintf("%d items", len(x))
		}
		for i, item := range x {
			if w := d.wrong(s.Items, item, sent); w != "" {
				return fmt.Sprintf("[%d]: %s", i, w)
			}
		}
	case json.Number:
		n, _, err := big.ParseFloat(string(x), 10, 200, big.ToNearestEven)
		if err != nil {
			return "a number beyond all"
		}
		if s.Minimum != nil && n.Cmp(big.NewFloat(*s.Minimum)) < 0 || s.Maximum != nil && n.Cmp(big.NewFloat(*s.Maximum)) > 0 {
			return string(x) + " is out of its range"
		}
	case string:
		return wrongText(s, x)
	}
	return ""
}

func wrongText(s *shape, x string) string {
	if n := utf8.RuneCountInString(x); s.MinLength != nil && n < *s.MinLength || s.MaxLength != nil && n > *s.MaxLength {
		return fmt.Sprintf("%d characters", n)
	}
	if s.Pattern != "" && !regexp.MustCompile(s.Pattern).MatchString(x) {
		return fmt.Sprintf("%.40q is not as %s", x, s.Pattern)
	}
	if _, err := time.Parse(time.RFC3339, x); s.Format == "date-time" && err != nil {
		return fmt.Sprintf("%.40q is no time", x)
	}
	return ""
}

func (d docOf) wrongObject(s *shape, x map[string]any, sent bool) string {
	for _, name := range s.Required {
		if _, ok := x[name]; !ok {
			return name + " is missing"
		}
	}
	for name, v := range x {
		p := s.Properties[name]
		switch {
		case p == nil && string(s.AdditionalProperties) == "false":
			return name + " is no field of it"
		case p == nil && len(s.AdditionalProperties) > 0 && s.AdditionalProperties[0] == '{':
			p = &shape{}
			if err := json.Unmarshal(s.AdditionalProperties, p); err != nil {
				return err.Error()
			}
		case p == nil:
			return name + " is not described"
		case sent && v == nil && !slices.Contains(s.Required, name):
			continue
		}
		if w := d.wrong(p, v, sent); w != "" {
			return name + ": " + w
		}
	}
	return ""
}

func typeOf(v any) string {
	switch x := v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case []any:
		return "array"
	case map[string]any:
		return "object"
	case json.Number:
		if n, ok := new(big.Rat).SetString(string(x)); ok && len(x) < 50 && n.IsInt() {
			return "integer"
		}
		return "number"
	}
	return fmt.Sprintf("%T", v)
}

// wrongParam is wrong, of a parameter as it stands in a query, a header or a path.
func (d docOf) wrongParam(p paramOf, text string) string {
	s := d.of(p.Schema)
	var v any = text
	switch {
	case slices.Contains(s.Type, "array"):
		items := []any{}
		for _, item := range strings.Split(text, ",") {
			items = append(items, item)
		}
		v = items
	case slices.Contains(s.Type, "boolean"):
		b, err := strconv.ParseBool(text)
		if err != nil {
			return "it is no boolean"
		}
		v = b
	case slices.Contains(s.Type, "number"): // as Go reads them: 1_0 is 10
		n, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsNaN(n) || math.IsInf(n, 0) {
			return "it is no number"
		}
		v = json.Number(strconv.FormatFloat(n, 'g', -1, 64))
	case !slices.Contains(s.Type, "string"):
		n, err := decode([]byte(strings.TrimPrefix(text, "+")))
		if err != nil {
			return "it is no number"
		}
		v = n
	}
	return d.wrong(s, v, true)
}

// The validator finds what is wrong: without that, what goes by it shows nothing.
func TestShapesAreHeld(t *testing.T) {
	d := readDocument(t, []byte(`{"components":{"schemas":{"O":{"type":"object","additionalProperties":false,"required":["a"],"properties":{
		"a":{"type":"string","minLength":1,"maxLength":2},"n":{"type":"integer","minimum":0,"maximum":9},"f":{"type":"number"},
		"l":{"type":"array","maxItems":1,"items":{"type":"boolean"}},"e":{"type":"string","enum":["x"]},"z":{"type":["string","null"]},
		"o":{"oneOf":[{"$ref":"#/components/schemas/O"},{"type":"null"}]},"t":{"type":"string","format":"date-time"},"p":{"type":"string","pattern":"^[0-9]*$"},
		"m":{"type":"object","additionalProperties":{"type":"integer"}}}}}}}`))
	for body, right := range map[string]bool{
		`{"a":"x"}`: true, `{"a":""}`: false, `{"a":"xyz"}`: false, `{"a":"☃☃"}`: true, `{}`: false, `[]`: false, `{"a":null}`: false, `{"a":"x","b":1}`: false,
		`{"a":"x","n":9}`: true, `{"a":"x","n":10}`: false, `{"a":"x","n":1.5}`: false, `{"a":"x","n":"1"}`: false, `{"a":"x","n":1e400}`: false, `{"a":"x","f":1}`: true,
		`{"a":"x","l":[true]}`: true, `{"a":"x","l":[true,true]}`: false, `{"a":"x","l":[1]}`: false, `{"a":"x","e":"x"}`: true, `{"a":"x","e":"y"}`: false,
		`{"a":"x","z":null}`: true, `{"a":"x","e":null}`: false, `{"a":"x","o":null}`: true, `{"a":"x","o":{"a":"y"}}`: true, `{"a":"x","o":{}}`: false,
		`{"a":"x","t":"2026-01-02T03:04:05Z"}`: true, `{"a":"x","t":"2026"}`: false, `{"a":"x","p":"12"}`: true, `{"a":"x","p":"a"}`: false,
		`{"a":"x","m":{"k":1}}`: true, `{"a":"x","m":{"k":"1"}}`: false,
	} {
		v, err := decode([]byte(body))
		if err != nil {
			t.Fatal(err)
		}
		if w := d.wrong(&shape{Ref: "#/components/schemas/O"}, v, false); (w == "") != right {
			t.Errorf("%s: %q", body, w)
		}
	}
}
