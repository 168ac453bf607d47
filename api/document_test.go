package api_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/api/apitest"
)

var updateDocument = flag.Bool("update", false, "write api/openapi.json anew")

// examples.json is what each operation was asked and answered, and openapi.json is the
// document as it is served, with those examples: what changes in them is seen in a diff.
func TestTheDocumentIsWrittenDown(t *testing.T) {
	was := api.Recorded()
	defer api.Record(was)
	examples := record(t, readDocument(t, specOf(t)))
	if *updateDocument {
		if err := os.WriteFile("examples.json", examples, 0o644); err != nil {
			t.Fatal(err)
		}
	} else if !bytes.Equal(was, examples) {
		t.Error("examples are answered otherwise: look at what changes for clients, then `go test ./api -run TheDocument -update`: " + cmp.Diff(string(was), string(examples)))
	}
	api.Record(examples)
	s, err := api.NewServer(apitest.New(), api.Options{Version: "0.1.0"})
	if err != nil {
		t.Fatal(err)
	}
	spec, err := s.OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	examplesHold(t, spec, examples)
	var now bytes.Buffer
	if err := json.Indent(&now, spec, "", " "); err != nil {
		t.Fatal(err)
	}
	now.WriteByte('\n')
	if *updateDocument {
		if err := os.WriteFile("openapi.json", now.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	written, err := os.ReadFile("openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(written, now.Bytes()) {
		t.Error("it is another: look at what changes for clients, then `go test ./api -run TheDocument -update`")
	}
	var doc struct {
		Tags  []struct{ Name string }
		Paths map[string]map[string]struct{ Tags []string }
	}
	if err := json.Unmarshal(written, &doc); err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	for path, ops := range doc.Paths {
		for method, op := range ops {
			if len(op.Tags) != 1 {
				t.Errorf("%s %s has the tags %v", method, path, op.Tags)
				continue
			}
			used[op.Tags[0]] = true
		}
	}
	for _, tag := range doc.Tags {
		if !used[tag.Name] {
			t.Errorf("nothing has the tag %s", tag.Name)
		}
		delete(used, tag.Name)
	}
	if len(used) > 0 {
		t.Errorf("tags that are not described: %v", used)
	}
}
