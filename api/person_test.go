package api_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/api/apitest"
)

// Wherever the document names a cosigner it is a Person, or a cosigner in full,
// which is one too, and null is said where there may be none.
func TestACosignerIsAPerson(t *testing.T) {
	s, err := api.NewServer(apitest.New(), api.Options{Version: "1"})
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	s.LocalHandler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/openapi.json", nil))
	type schema struct {
		Ref        string                     `json:"$ref"`
		Type       any                        `json:"type"`
		Items      json.RawMessage            `json:"items"`
		OneOf      []map[string]string        `json:"oneOf"`
		Required   []string                   `json:"required"`
		Properties map[string]json.RawMessage `json:"properties"`
	}
	var doc struct {
		Components struct {
			Schemas map[string]schema `json:"schemas"`
		} `json:"components"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	read := func(b json.RawMessage) (x schema) {
		t.Helper()
		if err := json.Unmarshal(b, &x); err != nil {
			t.Fatal(err)
		}
		return x
	}
	const ref = "#/components/schemas/Person"
	found := map[string]int{}
	for name, of := range doc.Components.Schemas {
		for field, b := range of.Properties {
			x := read(b)
			switch field {
			case "author", "cosigner", "by":
				if x.Ref != ref {
					t.Errorf("%s.%s is %s", name, field, b)
				}
			case "hosted_by", "label_by", "member":
				if len(x.OneOf) != 2 || x.OneOf[0]["$ref"] != ref || x.OneOf[1]["type"] != "null" {
					t.Errorf("%s.%s is %s", name, field, b)
				}
			case "held_by", "heard_from", "approved", "unsynced", "awaiting_hosted":
				if read(x.Items).Ref != ref {
					t.Errorf("%s.%s is %s", name, field, b)
				}
			default:
				continue
			}
			found[field]++
			if field != "awaiting_hosted" && !slices.Contains(of.Required, field) {
				t.Errorf("%s.%s may be left out", name, field)
			}
		}
	}
	if len(found) != 11 || found["cosigner"] != 7 {
		t.Errorf("found %v", found)
	}
	for _, name := range []string{"Person", "Cosigner"} {
		x := doc.Components.Schemas[name]
		for _, field := range []string{"name", "peer_id", "key"} {
			if !slices.Contains(x.Required, field) {
				t.Errorf("%s of %s may be left out", field, name)
			}
		}
		for _, field := range []string{"peer_id", "key"} {
			if got, ok := read(x.Properties[field]).Type.([]any); !ok || !slices.Contains(got, any("null")) {
				t.Errorf("%s of %s is %s", field, name, x.Properties[field])
			}
		}
	}
}

// What is absent of a person is null.
func TestAPersonWithoutANode(t *testing.T) {
	key := "aabbccdd"
	for want, p := range map[string]api.Person{
		`{"name":"Hal","peer_id":null,"key":"aabbccdd"}`: {Name: "Hal", Key: &key},
		`{"name":"","peer_id":"aabbccdd","key":null}`:    {PeerID: &key},
	} {
		if got, err := json.Marshal(p); err != nil || string(got) != want {
			t.Errorf("%s %v", got, err)
		}
	}
	if got := api.Called([]api.Person{{Name: "Hal"}, {PeerID: &key}}); got != "Hal, aabbccdd" {
		t.Errorf("called %s", got)
	}
	if got := (api.Restored{Unread: 3}).Missing(); got != "those who can open 3 entries that it holds" {
		t.Errorf("missing %s", got)
	}
	if got := (api.Restored{Unread: 3, UnreadBy: []api.Person{{Name: "Hal"}}}).Missing(); got != "those who can open 3 entries of Hal that it holds" {
		t.Errorf("missing %s", got)
	}
}
