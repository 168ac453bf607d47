package api_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/api/apitest"
)

// Who may propose may look at what this node would sign, and not have it signed.
func TestPreviewNeedsNoSigner(t *testing.T) {
	h, _ := withTokens(t)
	body := []byte(`{"to":[{"address":"` + apitest.Address + `","amount":1}]}`)
	for _, c := range []struct {
		token, path string
		status      int
	}{
		{"read", "/v1/wallets/family/proposals/preview", http.StatusForbidden},
		{"propose", "/v1/wallets/family/proposals/preview", http.StatusOK},
		{"propose", "/v1/wallets/family/proposals", http.StatusForbidden},
		{"sign", "/v1/wallets/family/proposals", http.StatusCreated},
	} {
		r := httptest.NewRequest(http.MethodPost, c.path, bytes.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "Bearer "+secretOf(c.token))
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != c.status {
			t.Errorf("%s as %s: HTTP %d: %s", c.path, c.token, w.Code, w.Body)
		}
	}
}

// A payee gets an amount or all that is left, and only one gets that.
func TestAmountOrAll(t *testing.T) {
	s, err := api.NewServer(apitest.New(), api.Options{})
	if err != nil {
		t.Fatal(err)
	}
	h := s.LocalHandler()
	to := func(s ...string) string {
		return `{"to":[{"address":"a",` + strings.Join(s, `},{"address":"b",`) + `}]}`
	}
	for body, status := range map[string]int{
		to(`"amount":1`):               http.StatusCreated,
		to(`"all":true`):               http.StatusCreated,
		to(`"all":true`, `"amount":5`): http.StatusCreated,
		to(`"all":true`, `"all":true`): http.StatusBadRequest,
		to(`"all":true,"amount":1`):    http.StatusBadRequest,
		to(`"label":"x"`):              http.StatusBadRequest,
		to(`"all":false`):              http.StatusBadRequest,
		to(`"amount":0`):               http.StatusBadRequest,
		`{"to":[{"address":"a","amount":1}],"draft":"` + strings.Repeat("zz", 64) + `"}`: http.StatusBadRequest,
		`{"to":[{"address":"a","amount":1}],"draft":"` + strings.Repeat("ab", 64) + `"}`: http.StatusCreated,
		`{"to":[{"address":"a","amount":1}],"draft":"ab"}`:                               http.StatusBadRequest,
	} {
		if w := postRaw(h, "/v1/wallets/family/proposals", "application/json", []byte(body)); w.Code != status {
			t.Errorf("%s: HTTP %d, want %d: %s", body, w.Code, status, w.Body)
		}
	}
}
