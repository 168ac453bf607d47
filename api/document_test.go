package api_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"testing"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/api/apitest"
)

var updateDocument = flag.Bool("update", false, "write api/openapi.json anew")

// openapi.json is the document as it is served: what changes in it is seen in a diff.
func TestTheDocumentIsWrittenDown(t *testing.T) {
	s, err := api.NewServer(apitest.New(), api.Options{Version: "0.1.0"})
	if err != nil {
		t.Fatal(err)
	}
	var now bytes.Buffer
	if err := json.Indent(&now, s.OpenAPI(), "", " "); err != nil {
		t.Fatal(err)
	}
	now.WriteByte('\n')
	if *updateDocument {
		if err := os.WriteFile("openapi.json", now.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	was, err := os.ReadFile("openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(was, now.Bytes()) {
		t.Error("it is another: look at what changes for clients, then `go test ./api -run TheDocument -update`")
	}
	var doc struct {
		Tags  []struct{ Name string }
		Paths map[string]map[string]struct{ Tags []string }
	}
	if err := json.Unmarshal(was, &doc); err != nil {
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
