package api

import (
	"bytes"
	_ "embed" // of the record
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// recorded are requests that a test sent and what it was answered, by operation: see
// TestTheDocumentIsWrittenDown, which also sees that all of it is in the document.
//
//go:embed examples.json
var recorded []byte

// example is one request, and its answer.
type example struct {
	// Path, Query and Header are the parameters that were given, by name.
	Path   map[string]string `json:"path,omitempty"`
	Query  map[string]string `json:"query,omitempty"`
	Header map[string]string `json:"header,omitempty"`
	// Body is left out where none was sent.
	Body   json.RawMessage `json:"body,omitempty"`
	Status string          `json:"status"`
	// Answers are by media type: of one that is no JSON, its text.
	Answers map[string]json.RawMessage `json:"answers"`
}

// addExamples puts the record into the document. What does not fit is left out.
func addExamples(doc *huma.OpenAPI, record []byte) {
	var all map[string]example
	if err := json.Unmarshal(record, &all); err != nil {
		return
	}
	for _, item := range doc.Paths {
		for _, op := range []*huma.Operation{item.Get, item.Post} {
			if op != nil {
				all[op.OperationID].addTo(op)
			}
		}
	}
}

func (e example) addTo(op *huma.Operation) {
	for _, p := range op.Parameters {
		text, ok := map[string]map[string]string{"path": e.Path, "query": e.Query, "header": e.Header}[p.In][p.Name]
		switch {
		case !ok || p.Schema == nil:
		case p.Schema.Type == huma.TypeString:
			p.Example = text
		case p.Schema.Type == huma.TypeArray:
			p.Example = strings.Split(text, ",")
		default:
			p.Example = json.RawMessage(text)
		}
	}
	if op.RequestBody != nil && e.Body != nil {
		if m := op.RequestBody.Content["application/json"]; m != nil {
			m.Example = e.Body
		}
	}
	if answer := op.Responses[e.Status]; answer != nil && e.Status < "300" { // errors have one description, which all share
		for kind, body := range e.Answers {
			if m := answer.Content[kind]; m != nil {
				m.Example = body
			}
		}
	}
}

// exampleText is the example of an operation as it goes over the wire; "" where it has none.
func exampleText(path string, op *huma.Operation) string {
	var query, head, tail []string
	for _, p := range op.Parameters {
		if p.Example == nil {
			continue
		}
		text := fmt.Sprint(p.Example)
		if raw, ok := p.Example.(json.RawMessage); ok {
			text = string(raw)
		}
		if list, ok := p.Example.([]string); ok {
			text = strings.Join(list, ",")
		}
		switch p.In {
		case "path":
			path = strings.ReplaceAll(path, "{"+p.Name+"}", text)
		case "query":
			query = append(query, p.Name+"="+url.QueryEscape(text))
		default:
			head = append(head, p.Name+": "+text)
		}
	}
	if len(query) > 0 {
		path += "?" + strings.Join(query, "&")
	}
	if op.RequestBody != nil {
		tail = append(tail, bodyText(op.RequestBody.Content)...)
	}
	found := false
	for _, status := range slices.Sorted(maps.Keys(op.Responses)) {
		if of := bodyText(op.Responses[status].Content); status < "300" && len(of) > 0 {
			tail, found = append(append(tail, "\n"+status), of...), true
		}
	}
	if !found {
		return ""
	}
	return strings.Join(slices.Concat([]string{op.Method + " " + path}, head, tail), "\n")
}

// bodyText are the examples of a body, indented where they are JSON.
func bodyText(content map[string]*huma.MediaType) (out []string) {
	for _, kind := range slices.Sorted(maps.Keys(content)) {
		raw, ok := content[kind].Example.(json.RawMessage)
		if !ok {
			continue
		}
		var text string
		if json.Unmarshal(raw, &text) == nil {
			out = append(out, strings.TrimRight(text, "\n"))
			continue
		}
		var b bytes.Buffer
		if json.Indent(&b, raw, "", "  ") == nil {
			out = append(out, b.String())
		}
	}
	return out
}
