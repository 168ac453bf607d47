package api_test

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/quorate/quorate/api"
)

// answer is a schema of the document, as far as its form is held to rules.
type answer struct {
	Ref        string            `json:"$ref"`
	Type       any               `json:"type"`
	Format     string            `json:"format"`
	Enum       []any             `json:"enum"`
	Items      *answer           `json:"items"`
	OneOf      []answer          `json:"oneOf"`
	Required   []string          `json:"required"`
	Properties map[string]answer `json:"properties"`
}

// kind is the type of a value that is not null.
func (a answer) kind() string {
	if len(a.OneOf) == 2 {
		return a.OneOf[0].kind()
	}
	if a.Ref != "" {
		return a.Ref
	}
	kind := ""
	switch x := a.Type.(type) {
	case string:
		kind = x
	case []any:
		for _, t := range x {
			if t != "null" {
				kind, _ = t.(string)
			}
		}
	}
	if a.Items != nil {
		kind += " of " + a.Items.kind()
	}
	return kind + " " + a.Format
}

func (a answer) nullable() bool {
	x, ok := a.Type.([]any)
	return ok && slices.Contains(x, any("null")) || len(a.OneOf) == 2
}

// answers are the schemas of everything that is answered, by name.
func answers(t *testing.T) map[string]answer {
	t.Helper()
	var doc struct {
		Paths map[string]map[string]struct {
			Responses map[string]struct {
				Content map[string]struct {
					Schema answer `json:"schema"`
				} `json:"content"`
			} `json:"responses"`
		} `json:"paths"`
		Components struct {
			Schemas map[string]answer `json:"schemas"`
		} `json:"components"`
	}
	if err := json.Unmarshal(specOf(t), &doc); err != nil {
		t.Fatal(err)
	}
	out := map[string]answer{}
	var add func(a answer)
	add = func(a answer) {
		if name, ok := strings.CutPrefix(a.Ref, "#/components/schemas/"); ok && out[name].Properties == nil {
			out[name] = doc.Components.Schemas[name]
			add(out[name])
		}
		for _, p := range slices.Collect(maps.Values(a.Properties)) {
			add(p)
		}
		if a.Items != nil {
			add(*a.Items)
		}
		for _, x := range a.OneOf {
			add(x)
		}
	}
	for _, ops := range doc.Paths {
		for _, op := range ops {
			for _, r := range op.Responses {
				for _, c := range r.Content {
					add(c.Schema)
				}
			}
		}
	}
	if len(out) < 25 {
		t.Fatalf("%d schemas were found", len(out))
	}
	return out
}

// What holds for every answer: a key is never left out, a list never null, a
// count has a name that no list has, and one name means one type everywhere.
func TestAnswersHaveOneForm(t *testing.T) {
	kinds := map[string]map[string]bool{}
	for name, of := range answers(t) {
		for field, x := range of.Properties {
			if !slices.Contains(of.Required, field) {
				t.Errorf("%s.%s may be left out", name, field)
			}
			kind := x.kind()
			if strings.HasPrefix(kind, "array") && x.nullable() {
				t.Errorf("%s.%s is a list that may be null", name, field)
			}
			if strings.HasSuffix(field, "_count") && !strings.HasPrefix(kind, "integer") {
				t.Errorf("%s.%s is %s", name, field, kind)
			}
			if kinds[field] == nil {
				kinds[field] = map[string]bool{}
			}
			kinds[field][kind] = true
		}
	}
	for field, of := range kinds {
		// A page is of anything.
		if field == "items" {
			continue
		}
		if len(of) > 1 {
			t.Errorf("%s is %v", field, slices.Sorted(maps.Keys(of)))
		}
	}
}

// What may be one of few words lists them.
func TestStatusesAndCodesAreListed(t *testing.T) {
	all := answers(t)
	for _, x := range []struct{ schema, field, one string }{
		{"Proposal", "status", "replaced"}, {"Proposed", "status", "pending"}, {"WalletSummary", "state", "forming"},
		{"Alarm", "code", "foreign_spend"}, {"ErrorText", "code", "role"}, {"Warning", "code", "chain_behind"}, {"Event", "type", "proposal"},
		{"Label", "type", "addr"}, {"Cosigner", "proof", "psbt"},
	} {
		if p, ok := all[x.schema].Properties[x.field]; !ok || !slices.Contains(p.Enum, any(x.one)) {
			t.Errorf("%s.%s is %+v", x.schema, x.field, p)
		}
	}
}

// Nil pointers and empty texts are null, however deep.
func TestAbsentIsNull(t *testing.T) {
	for want, v := range map[string]any{
		`null`:                       api.Text(""),
		`"x"`:                        api.Text("x"),
		`{"items":[],"next":null}`:   api.Page[api.Coin]{},
		`{"items":["a"],"next":"b"}`: api.Page[string]{Items: []string{"a"}, Next: "b"},
		`{"error":{"code":"c","message":"m","hint":null}}`: api.Misuse("c", "m", ""),
	} {
		got, err := json.Marshal(v)
		if err != nil || string(got) != want {
			t.Errorf("%v: %s %v", v, got, err)
		}
		back := reflect.New(reflect.TypeOf(v)).Interface()
		if _, isError := v.(*api.Error); isError {
			continue
		}
		if err := json.Unmarshal(got, back); err != nil || !reflect.DeepEqual(asJSON(t, reflect.ValueOf(back).Elem().Interface()), asJSON(t, v)) {
			t.Errorf("%s came back as %+v, %v", got, back, err)
		}
	}
}
