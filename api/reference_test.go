package api_test

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/quorate/quorate/api/apitest"
)

// The page shows every operation and schema of the document, leads nowhere else, and
// loads nothing.
func TestReference(t *testing.T) {
	h := localOf(t, apitest.New())
	w := look(t, h, "/reference")
	page := w.Body.String()
	if w.Code != http.StatusOK || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") || !strings.Contains(w.Header().Get("Content-Security-Policy"), "default-src 'none'") {
		t.Fatalf("HTTP %d %v", w.Code, w.Header())
	}
	var doc struct {
		Paths      map[string]map[string]struct{ OperationID, Summary string }
		Components struct{ Schemas map[string]any }
	}
	if err := json.Unmarshal(look(t, h, "/openapi.json").Body.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	for path, ops := range doc.Paths {
		for method, op := range ops {
			if n := strings.Count(page, `<h3 id="`+op.OperationID+`"><code>`+strings.ToUpper(method)+" "+path+"</code>"); n != 1 {
				t.Errorf("%s %s is there %d times", method, path, n)
			}
		}
	}
	for name := range doc.Components.Schemas {
		if !strings.Contains(page, `id="schema-`+name+`"`) {
			t.Errorf("there is no %s", name)
		}
	}
	ids := map[string]bool{}
	for _, m := range regexp.MustCompile(`id="([^"]+)"`).FindAllStringSubmatch(page, -1) {
		if ids[m[1]] {
			t.Errorf("two places are called %s", m[1])
		}
		ids[m[1]] = true
	}
	for _, m := range regexp.MustCompile(`(?:href|src)="([^"]*)"`).FindAllStringSubmatch(page, -1) {
		if to := m[1]; to != "/openapi.json" && (!strings.HasPrefix(to, "#") || !ids[to[1:]]) {
			t.Errorf("a link leads to %s", to)
		}
	}
	if n := strings.Count(page, "<summary>An example</summary>"); n != len(requests()) {
		t.Errorf("it shows %d examples of %d", n, len(requests()))
	}
	if strings.Contains(page, "<script") || strings.Contains(page, "http://") || strings.Contains(page, "https://") {
		t.Error("it loads something")
	}
}
