package api_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/api/apitest"
)

// docs/api.md names codes and routes that are there.
func TestDocsNameWhatIsThere(t *testing.T) {
	raw, err := os.ReadFile("../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	spec, named := string(specOf(t)), 0
	for _, m := range regexp.MustCompile("`([^`\n]+)`").FindAllStringSubmatch(string(raw), -1) {
		word := m[1]
		switch {
		case regexp.MustCompile(`^[a-z]+(_[a-z]+)+$`).MatchString(word):
			if named++; !slices.Contains(api.Codes(), word) {
				t.Errorf("there is no code %s", word)
			}
		case strings.HasPrefix(word, "GET /v1") || strings.HasPrefix(word, "/v1"):
			path, _, _ := strings.Cut(strings.TrimPrefix(word, "GET "), "?")
			if named++; !strings.Contains(spec, `"`+path+`"`) {
				t.Errorf("there is no %s", path)
			}
		}
	}
	if named < 10 {
		t.Errorf("it names %d codes and routes", named)
	}
}

func specOf(t *testing.T) []byte {
	t.Helper()
	s, err := api.NewServer(apitest.New(), api.Options{})
	if err != nil {
		t.Fatal(err)
	}
	spec, err := s.OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	return spec
}
