package openapi

import (
	"encoding/json"
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

var again = flag.Bool("v1", false, "write api/openapi.v1.json anew: what others wrote for the one before may break")

const (
	root     = "../.."
	document = root + "/api/openapi.json"
	baseline = root + "/api/openapi.v1.json"
	modfile  = "-modfile=scripts/openapi/go.mod"
)

// run runs the go command with the modules of the tools.
func run(t *testing.T, args ...string) (string, error) {
	t.Helper()
	c := exec.CommandContext(t.Context(), "go", args...)
	c.Dir = root
	c.Env = append(os.Environ(), "GOFLAGS=-mod=readonly -trimpath") // as scripts/test builds everything else
	out, err := c.CombinedOutput()
	return string(out), err
}

// breaking says what of a document would break a program written for another; "" for
// nothing. A word more in an answer breaks none, as the document says: codes of errors,
// alarms and kinds of events come with what there is to tell (scripts/openapi/severity.txt).
func breaking(t *testing.T, before, after string) string {
	t.Helper()
	out, err := run(t, "tool", modfile, "oasdiff", "breaking", "--fail-on", "ERR", "--color", "never", "--severity-levels", "scripts/openapi/severity.txt", before, after)
	var exit *exec.ExitError
	switch {
	case err == nil:
		return ""
	case errors.As(err, &exit) && strings.Contains(out, "error"):
		return out
	}
	t.Fatalf("oasdiff: %v: %s", err, out)
	return ""
}

func absolute(t *testing.T, path string) string {
	t.Helper()
	out, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func read(t *testing.T, path string) map[string]any {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var doc map[string]any
	if err := json.Unmarshal(b, &doc); err != nil {
		t.Fatal(err)
	}
	return doc
}

func write(t *testing.T, path string, doc map[string]any) string {
	t.Helper()
	b, err := json.MarshalIndent(doc, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append(b, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// at is a part of a document.
func at(t *testing.T, doc any, path ...string) map[string]any {
	t.Helper()
	for _, p := range path {
		next, ok := doc.(map[string]any)[p]
		if !ok {
			t.Fatalf("the document has no %v", path)
		}
		doc = next
	}
	return doc.(map[string]any)
}

// Nothing that a program could go by since the baseline is another now. What is new may
// be; the baseline is written anew only where a break is meant, or at a release.
func TestV1IsKept(t *testing.T) {
	if *again {
		doc := read(t, document)
		withoutExamples(doc)
		write(t, baseline, doc)
	}
	if out := breaking(t, absolute(t, baseline), absolute(t, document)); out != "" {
		t.Errorf("programs written for v1 would break:\n%s", out)
	}
}

func withoutExamples(v any) {
	switch x := v.(type) {
	case map[string]any:
		for k, e := range x {
			// A schema may have a property of that name, which has a schema in it.
			if s, ok := e.(map[string]any); k == "example" && (!ok || s["type"] == nil && s["$ref"] == nil) {
				delete(x, k)
				continue
			}
			withoutExamples(e)
		}
	case []any:
		for _, e := range x {
			withoutExamples(e)
		}
	}
}

// A break is seen, and what is none is not taken for one.
func TestBreaksAreSeen(t *testing.T) {
	schemas := []string{"components", "schemas"}
	of := func(doc any, name string) map[string]any { return at(t, doc, append(schemas, name)...) }
	for name, x := range map[string]struct {
		change func(doc map[string]any)
		breaks bool
	}{
		"a field of an answer is gone": {func(doc map[string]any) {
			p := of(doc, "Proposal")
			delete(p["properties"].(map[string]any), "fee")
			var left []any
			for _, r := range p["required"].([]any) {
				if r != "fee" {
					left = append(left, r)
				}
			}
			p["required"] = left
		}, true},
		"an operation is gone": {func(doc map[string]any) {
			delete(at(t, doc, "paths", "/v1/proposals/{proposal}/withdraw"), "post")
		}, true},
		"a field must be sent": {func(doc map[string]any) {
			of(doc, "Propose")["required"] = []any{"note"}
		}, true},
		"less may be sent": {func(doc map[string]any) {
			at(t, of(doc, "Propose"), "properties", "note")["maxLength"] = 10
		}, true},
		"a field has another type": {func(doc map[string]any) {
			at(t, of(doc, "Proposal"), "properties", "fee")["type"] = "string"
		}, true},
		"an answer has a field more": {func(doc map[string]any) {
			of(doc, "Proposal")["properties"].(map[string]any)["new"] = map[string]any{"type": "string"}
		}, false},
		"an answer has a word more": {func(doc map[string]any) {
			p := at(t, of(doc, "Event"), "properties", "type")
			p["enum"] = append(p["enum"].([]any), "new")
		}, false},
		"a word may be sent no more": {func(doc map[string]any) {
			at(t, of(doc, "CreateWallet"), "properties", "script")["enum"] = []any{"wsh"}
		}, true},
		"a field may be sent": {func(doc map[string]any) {
			of(doc, "Propose")["properties"].(map[string]any)["new"] = map[string]any{"type": "string"}
		}, false},
	} {
		doc := read(t, document)
		x.change(doc)
		out := breaking(t, absolute(t, document), write(t, filepath.Join(t.TempDir(), "openapi.json"), doc))
		if (out != "") != x.breaks {
			t.Errorf("%s: %q", name, out)
		}
	}
}

// caller uses what is generated as somebody would.
const caller = `package client

import (
	"context"
	"net/http"
)

func use(ctx context.Context) (*http.Response, error) {
	c, err := NewClientWithResponses("http://127.0.0.1:8336")
	if err != nil {
		return nil, err
	}
	r, err := c.ShowProposalWithResponse(ctx, "c0ffee", &ShowProposalParams{})
	if err != nil || r.JSON200 == nil {
		return nil, err
	}
	s, err := c.StatusWithResponse(ctx, &StatusParams{})
	if err != nil {
		return nil, err
	}
	return s.HTTPResponse, nil
}

var _ = use
`

// What oapi-codegen makes of the document compiles, and is what its users would call.
func TestAGeneratedClientCompiles(t *testing.T) {
	dir := t.TempDir()
	client, use := filepath.Join(dir, "client.go"), filepath.Join(dir, "use.go")
	if out, err := run(t, "tool", modfile, "oapi-codegen", "-generate", "types,client", "-package", "client", "-o", client, "api/openapi.json"); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if err := os.WriteFile(use, []byte(caller), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := run(t, "vet", modfile, client, use); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	b, err := os.ReadFile(client)
	if err != nil {
		t.Fatal(err)
	}
	if lines := strings.Count(string(b), "\n"); lines < 5000 {
		t.Errorf("it has %d lines", lines)
	}
}
