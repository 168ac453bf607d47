package api_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/api/apitest"
)

// A hint speaks of commands to the command line, and of requests to who sends those.
func TestHintsSpeakToWhoAsks(t *testing.T) {
	for hint, want := range map[string]string{
		"`quorate wallet list` lists them":                            "`GET /v1/wallets` lists them",
		"`quorate proposals WALLET` lists them":                       "`GET /v1/wallets/{wallet}/proposals` lists them",
		"if it is meant, repeat with --allow fee_too_high":            `if it is meant, repeat with "allow": ["fee_too_high"]`,
		"give --fee-rate":                                             "give fee_rate",
		"see `quorate history`, `quorate coins`":                      "see `GET /v1/wallets/{wallet}/history`, `GET /v1/wallets/{wallet}/coins`",
		"or `quorate wallet prove WALLET --unproven` without a proof": "or `POST /v1/wallets/{wallet}/proof with unproven` without a proof",
		"start it with `quorate start --set x`":                       "start it with `quorate start --set x`",
		"wait for further approvals":                                  "wait for further approvals",
	} {
		b := apitest.New()
		b.Fail("Status", api.Refuse("rule", "m", hint))
		s, err := api.NewServer(b, api.Options{})
		if err != nil {
			t.Fatal(err)
		}
		w := httptest.NewRecorder()
		s.LocalHandler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/v1/status", nil))
		if e := errorOf(t, w); string(e.Hint) != want {
			t.Errorf("%q became %q", hint, e.Hint)
		}
		c, _, _ := start(t, b)
		if _, err := c.Status(t.Context()); err == nil || err.Error() != "m: "+hint {
			t.Errorf("the command line hears %v", err)
		}
	}
}

// Of every command that a hint names it is known whether it is a request.
func TestEveryHintHasItsRequest(t *testing.T) {
	atTheMachine := []string{"backup", "doctor", "restore", "start"}
	named := regexp.MustCompile("`quorate ([a-z]+(?: [a-z]+)?)[^`]*`")
	n := 0
	for _, dir := range []string{".", "../service", "../coordinator", "../coordinator/group", "../coordinator/refusal", "../coordinator/node"} {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v", dir, err)
		}
		for _, f := range files {
			if strings.HasSuffix(f, "_test.go") {
				continue
			}
			text, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range named.FindAllStringSubmatch(string(text), -1) {
				n++
				hint := "see `quorate " + m[1] + "`"
				if first, _, _ := strings.Cut(m[1], " "); api.InRequests(hint) == hint && !slices.Contains(atTheMachine, first) {
					t.Errorf("%s: %s has no request in api/hint.go", f, m[0])
				}
			}
		}
	}
	if n < 10 {
		t.Errorf("%d hints were found", n)
	}
}
