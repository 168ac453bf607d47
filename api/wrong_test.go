package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// asking is a request that is being made wrong. It begins as the example of its operation.
type asking struct {
	op     *opOf
	method string
	// path are the parameters as they stand in it, escaped.
	path  map[string]string
	query string
	head  http.Header
	// body is a tree of JSON, which may have parts that are raw; text is sent in place of
	// it where it is not nil.
	body any
	text []byte
}

// wronging makes a request wrong, or at least odd.
type wronging struct {
	why string
	do  func(*asking)
}

func (d docOf) asking(op *opOf, r request) *asking {
	a := &asking{op: op, method: op.Method, path: map[string]string{}, head: http.Header{}}
	for name, value := range r.path {
		a.path[name] = url.PathEscape(value)
	}
	query := url.Values{}
	for name, value := range r.query {
		query.Set(name, value)
	}
	a.query = query.Encode()
	for name, value := range r.header {
		a.head.Set(name, value)
	}
	if op.RequestBody != nil {
		a.head.Set("Content-Type", "application/json")
		a.body, _ = decode([]byte(r.body))
	}
	return a
}

// sent is the body as it is sent.
func (a *asking) sent() []byte {
	if a.text != nil {
		return a.text
	}
	if a.body == nil {
		return nil
	}
	b, err := json.Marshal(a.body)
	if err != nil {
		return []byte(err.Error()) // two changes that do not go together: that is none either
	}
	return b
}

func (a *asking) target() string {
	out := a.op.Path
	for name, value := range a.path {
		out = strings.ReplaceAll(out, "{"+name+"}", value)
	}
	if a.query != "" {
		out += "?" + a.query
	}
	return out
}

// rightShape says whether a request is one that the document describes.
func (d docOf) rightShape(a *asking) bool {
	if a.method != a.op.Method {
		return false
	}
	query, err := url.ParseQuery(a.query)
	if err != nil {
		return false
	}
	for name, values := range query {
		i := slices.IndexFunc(a.op.Parameters, func(p paramOf) bool { return p.In == "query" && p.Name == name })
		if i < 0 || len(values) != 1 || values[0] != "" && d.wrongParam(a.op.Parameters[i], values[0]) != "" {
			return false
		}
	}
	for _, p := range a.op.Parameters {
		values := a.head.Values(p.Name)
		lists := slices.Contains([]string{"If-Match", "If-None-Match", "Accept"}, p.Name) // several lines are one list (RFC 9110, 5.2)
		if p.In == "header" && (len(values) > 1 && !lists || len(values) == 1 && d.wrongParam(p, values[0]) != "") {
			return false
		}
		if p.In != "path" {
			continue
		}
		if text, err := url.PathUnescape(a.path[p.Name]); err != nil || text == "" || d.wrongParam(p, text) != "" {
			return false
		}
	}
	if a.op.RequestBody == nil {
		// A GET has none, whatever is sent (RFC 9110, 9.3.1).
		return a.method == http.MethodGet || len(a.sent()) == 0 || string(a.sent()) == "{}"
	}
	v, err := decode(a.sent())
	if len(a.sent()) == 0 {
		v, err = map[string]any{}, nil // every route says so
	}
	return err == nil && d.wrong(a.op.RequestBody.Content["application/json"].Schema, v, true) == ""
}

// odd are values that a field may be given, whatever it takes.
func odd(s *shape) []any {
	raw := func(text string) json.RawMessage { return json.RawMessage(text) }
	long := 100_000
	if s != nil && s.MaxLength != nil {
		long = *s.MaxLength + 1
	}
	out := []any{
		nil, true, false, raw("0"), raw("-0"), raw("-1"), raw("1.5"), raw("1e2"), raw("1e400"), raw("-1e400"), raw("1e-400"),
		raw("9223372036854775807"), raw("9223372036854775808"), raw("-9223372036854775809"), raw(strings.Repeat("9", 5000)),
		"", " ", "x", "1", "null", "true", "\x00", "..", "☃", "\u202e", raw(`"\ud800"`), raw("\"\xff\""), strings.Repeat("x", long), strings.Repeat("☃", min(long, 2000)),
		[]any{}, []any{nil}, []any{[]any{}}, []any{"x", 1, true}, map[string]any{}, map[string]any{"a": 1}, map[string]any{"A": 1},
		raw(strings.Repeat("[", 15) + strings.Repeat("]", 15)), raw(strings.Repeat(`{"a":`, 5000) + "1" + strings.Repeat("}", 5000)),
	}
	if s == nil {
		return out
	}
	if s.Minimum != nil {
		out = append(out, raw(fmt.Sprintf("%.0f", *s.Minimum-1)))
	}
	if s.Maximum != nil {
		out = append(out, raw(fmt.Sprintf("%.0f", *s.Maximum+1)))
	}
	if s.MaxItems != nil {
		out = append(out, slices.Repeat([]any{"x"}, *s.MaxItems+1), slices.Repeat([]any{nil}, *s.MaxItems+1))
	}
	for _, e := range s.Enum {
		out = append(out, strings.ToUpper(fmt.Sprint(e)), fmt.Sprint(e)+" ")
	}
	return out
}

// madeWrong are wrongings that were made before, by operation: it takes a while.
var madeWrong = map[string][]wronging{}

// wrongings are what is done to the requests of an operation, always in the same order.
func (d docOf) wrongings(op *opOf) []wronging {
	if out, ok := madeWrong[op.OperationID]; ok {
		return out
	}
	var out []wronging
	add := func(why string, do func(*asking)) { out = append(out, wronging{why, do}) }
	for _, p := range op.Parameters {
		d.wrongParams(p, add)
	}
	for _, q := range []string{"x=1", "limit=1&limit=2", "%", "a=%zz", ";", "limit=1;limit=2", "&&&", "=", "=1", "wait", "LIMIT=1", "cursor[]=1", "\xff=1", strings.Repeat("a=1&", 3000)} {
		add("query "+short(q), func(a *asking) { a.query = q })
	}
	for _, m := range []string{"PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "get", "X", other(op.Method)} {
		add("method "+m, func(a *asking) { a.method = m })
	}
	for name, values := range map[string][]string{
		"Accept":            {"", "text/html", "application/xml", "*/*;q=0", ";;;", strings.Repeat("a/b,", 2000)},
		"Content-Type":      {"", "text/plain", "application/xml", "application/json; charset=utf-16", "multipart/form-data", "application/x-www-form-urlencoded", "application/cbor", "a;+b", "\xff"},
		"Content-Encoding":  {"gzip", "br"},
		"Accept-Encoding":   {"gzip;q=nonsense"},
		"Range":             {"bytes=0-1", "bytes=9-1"},
		"If-Modified-Since": {"yesterday"},
		"Authorization":     {"Basic eDp5", "Bearer "},
		"Origin":            {"null"},
	} {
		for _, v := range values {
			add("header "+name+": "+short(v), func(a *asking) { a.head[name] = []string{v} })
		}
	}
	for _, text := range []string{
		"", "null", "[]", `"x"`, "3", "true", "{", "}", `{"a"}`, `{"a":1,}`, "{}{}", "{}x", "\xef\xbb\xbf{}", "\xff\xfe{\x00}\x00", "{\"a\":1,\"a\":1}", "{'a':1}", "{\"A\":1}", `{"":1}`,
		"// x\n{}", "NaN", strings.Repeat("[", 100_000), strings.Repeat(`{"a":`, 100_000), `{"a":` + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000) + "}",
		`{"a":[` + strings.Repeat("1,", 9000) + "1]}", "{" + many(70) + "}", `{"a":"` + strings.Repeat("x", 1<<20) + `"}`, "\x1f\x8b\x08\x00", `{"__proto__":{}}`, "a=1&b=2",
	} {
		add("body "+short(text), func(a *asking) { a.text = []byte(text) })
	}
	if op.RequestBody != nil {
		d.wrongFields(op.RequestBody.Content["application/json"].Schema, nil, add)
	}
	slices.SortFunc(out, func(a, b wronging) int { return strings.Compare(a.why, b.why) })
	madeWrong[op.OperationID] = out
	return out
}

func other(method string) string {
	if method == http.MethodGet {
		return http.MethodPost
	}
	return http.MethodGet
}

func many(n int) string {
	var fields []string
	for i := range n {
		fields = append(fields, fmt.Sprintf(`"%c%c":1`, 'a'+i/26, 'a'+i%26))
	}
	return strings.Join(fields, ",")
}

func short(s string) string {
	if len(s) > 30 {
		return fmt.Sprintf("%.30q… (%d)", s, len(s))
	}
	return fmt.Sprintf("%q", s)
}

func (d docOf) wrongParams(p paramOf, add func(string, func(*asking))) {
	values := []string{
		"", " ", "x", "-1", "0", "1.5", "1e3", "0x10", "1_0", "+1", "NaN", "Inf", "-Inf", "1e999", "9223372036854775808", strings.Repeat("9", 400), "null", "true", "[]", "{}", ",", ",,,", "*",
		"..", ".", "a/b", "a%2fb", "%", "\x00", "\n", "\xff\xfe", "☃", "\u202e", "'\"<>&", "C0FFEE", "c0ffe", strings.Repeat("a", 65), strings.Repeat("a", 4000), `""`, `W/"x"`, `"a", "b"`,
		"2026-13-01T00:00:00Z", "2026-01-01", "10000-01-01T00:00:00Z", "0000-01-01T00:00:00Z", "family ", "FAMILY", "{" + p.Name + "}",
	}
	for _, v := range values {
		why := p.In + " " + p.Name + "=" + short(v)
		switch p.In {
		case "path":
			add(why, func(a *asking) { a.path[p.Name] = url.PathEscape(v) })
		case "query":
			add(why, func(a *asking) {
				q, _ := url.ParseQuery(a.query)
				q.Set(p.Name, v)
				a.query = q.Encode()
			})
		case "header":
			add(why, func(a *asking) { a.head[p.Name] = []string{v} })
		}
	}
	switch p.In {
	case "path":
		for _, v := range []string{"..", ".", "%2e%2e", "%00", "a/b", "//", "%5c"} { // as they are
			add("path "+p.Name+" raw "+v, func(a *asking) { a.path[p.Name] = v })
		}
	case "query":
		add("query "+p.Name+" twice", func(a *asking) { a.query = p.Name + "=1&" + p.Name + "=2" })
	case "header":
		add("header "+p.Name+" twice", func(a *asking) { a.head[p.Name] = []string{"a", "b"} })
	}
}

// wrongFields are what is done to the fields of a body, at any depth.
func (d docOf) wrongFields(s *shape, at []string, add func(string, func(*asking))) {
	s = d.of(s)
	name := strings.Join(at, ".")
	if len(s.Properties) > 0 {
		for _, key := range []string{"unknown", "_", strings.Repeat("k", 41), "Name", "ſ"} {
			add("body "+name+" has "+short(key), func(a *asking) { set(a, append(slices.Clone(at), key), 1) })
		}
	}
	for field, p := range s.Properties {
		to := append(slices.Clone(at), field)
		add("body without "+strings.Join(to, "."), func(a *asking) { set(a, to, gone{}) })
		add("body with twice "+strings.Join(to, "."), func(a *asking) {
			a.text = append(append([]byte(`{"`+to[0]+`":1,`), strings.TrimPrefix(string(a.sent()), "{")...), ' ')
		})
		d.wrongValues(p, to, add)
		if of := d.of(p); of.Items != nil {
			item := append(slices.Clone(to), "0")
			d.wrongValues(of.Items, item, add)
			d.wrongFields(of.Items, item, add)
		} else {
			d.wrongFields(p, to, add)
		}
	}
}

func (d docOf) wrongValues(s *shape, at []string, add func(string, func(*asking))) {
	for i, v := range odd(d.of(s)) {
		text, ok := v.(string)
		if raw, is := v.(json.RawMessage); is {
			text = string(raw)
		} else if !ok {
			text = fmt.Sprintf("%T", v)
		}
		add(fmt.Sprintf("body %s is odd %02d (%s)", strings.Join(at, "."), i, short(text)), func(a *asking) { set(a, at, v) })
	}
}

// gone takes a field away.
type gone struct{}

// set changes a body at a place; what is on the way there and is missing is made.
func set(a *asking, at []string, v any) {
	root, ok := a.body.(map[string]any)
	if !ok {
		return
	}
	a.body = put(root, at, v)
}

func put(in any, at []string, v any) any {
	if len(at) == 0 {
		return v
	}
	if at[0] == "0" {
		list, _ := in.([]any)
		var first any
		if len(list) > 0 {
			first = list[0]
			list = slices.Clone(list[1:])
		}
		return append([]any{put(first, at[1:], v)}, list...)
	}
	out := map[string]any{}
	if old, ok := in.(map[string]any); ok {
		for k, x := range old {
			out[k] = x
		}
	}
	if _, off := v.(gone); off && len(at) == 1 {
		delete(out, at[0])
		return out
	}
	out[at[0]] = put(out[at[0]], at[1:], v)
	return out
}
