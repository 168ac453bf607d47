package api

import (
	"bytes"
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// referenceHTML shows the document to people. It loads nothing from anywhere.
const referenceHTML = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>quorate {{.Version}}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
body{font:16px/1.5 system-ui,sans-serif;max-width:60em;margin:2em auto;padding:0 1em;color:#222;background:#fff}
code,pre{font:14px/1.4 ui-monospace,monospace}pre{overflow-x:auto}h3{margin-top:2em}table{border-collapse:collapse;width:100%}
td,th{text-align:left;vertical-align:top;padding:.2em .6em .2em 0;border-bottom:1px solid #ddd}
@media(prefers-color-scheme:dark){body{color:#ddd;background:#181818}a{color:#8cf}td,th{border-color:#444}}
</style></head><body>
<h1>quorate {{.Version}}</h1><p>{{.Description}}</p><p>The same for programs: <a href="/openapi.json">/openapi.json</a>.</p>
<ul>{{range .Parts}}<li><a href="#{{.Name}}">{{.Name}}</a>: {{.Description}}</li>{{end}}<li><a href="#schemas">what is sent and answered</a></li></ul>
{{range .Parts}}<h2 id="{{.Name}}">{{.Name}}</h2>
{{range .Operations}}<h3 id="{{.ID}}"><code>{{.Method}} {{.Path}}</code></h3><p><b>{{.Summary}}.</b></p>{{range .Text}}<p>{{.}}</p>{{end}}
{{if .Parameters}}<table><tr><th>parameter</th><th>in</th><th></th></tr>{{range .Parameters}}<tr><td><code>{{.Name}}</code></td><td>{{.In}}</td><td>{{.Text}}</td></tr>{{end}}</table>{{end}}
{{if .Body}}<p>Takes <a href="#schema-{{.Body}}">{{.Body}}</a>.</p>{{end}}
{{if .Example}}<details><summary>An example</summary><pre>{{.Example}}</pre></details>{{end}}
<p>{{range .Answers}}<code>{{.Status}}</code> {{.Text}}{{if .Schema}} (<a href="#schema-{{.Schema}}">{{.Schema}}</a>){{end}} {{end}}</p>
{{end}}{{end}}<h2 id="schemas">What is sent and answered</h2>
{{range .Schemas}}<h3 id="schema-{{.Name}}">{{.Name}}</h3><table>{{range .Fields}}<tr><td><code>{{.Name}}</code>{{if .Required}} *{{end}}</td><td>{{if .Ref}}<a href="#schema-{{.Ref}}">{{.Type}}</a>{{else}}{{.Type}}{{end}}</td><td>{{.Text}}</td></tr>{{end}}</table>
{{end}}<p>* is always there.</p></body></html>
`

// What the page is made of.
type (
	refPage struct {
		Version, Description string
		Parts                []refPart
		Schemas              []refSchema
	}
	refPart struct {
		Name, Description string
		Operations        []refOperation
	}
	refOperation struct {
		ID, Method, Path, Summary, Body string
		Example                         string
		Text                            []string
		Parameters                      []refField
		Answers                         []refAnswer
	}
	refAnswer struct{ Status, Text, Schema string }
	refSchema struct {
		Name   string
		Fields []refField
	}
	refField struct {
		Name, In, Type, Ref, Text string
		Required                  bool
	}
)

// reference is the page of a document.
func reference(doc *huma.OpenAPI) ([]byte, error) {
	page := refPage{Version: doc.Info.Version, Description: doc.Info.Description}
	for _, tag := range doc.Tags {
		part := refPart{Name: tag.Name, Description: tag.Description}
		for _, path := range slices.Sorted(maps.Keys(doc.Paths)) {
			for _, op := range []*huma.Operation{doc.Paths[path].Get, doc.Paths[path].Post} {
				if op != nil && slices.Contains(op.Tags, tag.Name) {
					part.Operations = append(part.Operations, refOperationOf(path, op))
				}
			}
		}
		page.Parts = append(page.Parts, part)
	}
	schemas := doc.Components.Schemas.Map()
	for _, name := range slices.Sorted(maps.Keys(schemas)) {
		s := refSchema{Name: name}
		of := schemas[name]
		for _, field := range slices.Sorted(maps.Keys(of.Properties)) {
			f := of.Properties[field]
			kind, ref := typeText(f)
			s.Fields = append(s.Fields, refField{Name: field, Type: kind, Ref: ref, Text: f.Description, Required: slices.Contains(of.Required, field)})
		}
		page.Schemas = append(page.Schemas, s)
	}
	t, err := template.New("reference").Parse(referenceHTML)
	if err != nil {
		return nil, fmt.Errorf("read the template of the reference: %w", err)
	}
	var out bytes.Buffer
	if err := t.Execute(&out, page); err != nil {
		return nil, fmt.Errorf("write the reference: %w", err)
	}
	return out.Bytes(), nil
}

func refOperationOf(path string, op *huma.Operation) refOperation {
	out := refOperation{ID: op.OperationID, Method: op.Method, Path: path, Summary: op.Summary}
	for _, p := range strings.Split(op.Description, "\n\n") {
		if p = strings.TrimSpace(p); p != "" {
			out.Text = append(out.Text, p)
		}
	}
	for _, p := range op.Parameters {
		out.Parameters = append(out.Parameters, refField{Name: p.Name, In: p.In, Text: p.Description})
	}
	if op.RequestBody != nil {
		out.Body = schemaIn(op.RequestBody.Content)
	}
	out.Example = exampleText(path, op)
	for _, status := range slices.Sorted(maps.Keys(op.Responses)) {
		r := op.Responses[status]
		out.Answers = append(out.Answers, refAnswer{status, r.Description, schemaIn(r.Content)})
	}
	return out
}

// schemaIn is the name of the schema of a body of JSON.
func schemaIn(content map[string]*huma.MediaType) string {
	m := content["application/json"]
	if m == nil || m.Schema == nil {
		return ""
	}
	return strings.TrimPrefix(m.Schema.Ref, "#/components/schemas/")
}

// typeText is what a field is, and the schema that it leads to, if any.
func typeText(s *huma.Schema) (text, ref string) {
	named := func(s *huma.Schema) string { return strings.TrimPrefix(s.Ref, "#/components/schemas/") }
	switch {
	case s.Ref != "":
		return named(s), named(s)
	case len(s.OneOf) > 0 && s.OneOf[0].Ref != "":
		return named(s.OneOf[0]) + " or null", named(s.OneOf[0])
	case s.Type == huma.TypeArray && s.Items != nil:
		inner, ref := typeText(s.Items)
		return "list of " + inner, ref
	case len(s.Enum) > 0:
		var words []string
		for _, e := range s.Enum {
			words = append(words, fmt.Sprint(e))
		}
		text = strings.Join(words, " | ")
	case s.Format != "":
		text = s.Type + " (" + s.Format + ")"
	default:
		text = s.Type
	}
	if s.Nullable {
		text += " or null"
	}
	return text, ""
}

// serveReference answers with a page that is made when somebody first asks for it.
func serveReference(made func() ([]byte, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		page, err := made()
		if err != nil {
			writeError(w, AsError(err))
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
		_, _ = w.Write(page) // the reader may be gone
	}
}
