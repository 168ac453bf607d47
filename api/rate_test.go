package api_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/api/apitest"
)

// A token that asks too much is told when to come again, others are not kept waiting,
// and who is on the Unix socket is not counted.
func TestRates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := withBook(t, apitest.New())
		one, two := d.create("", `{"name":"one","role":"propose"}`).Secret, d.create("", `{"name":"two","role":"read"}`).Secret
		drain := func(secret, method, path, body string, most int) *httptest.ResponseRecorder {
			t.Helper()
			for i := range most + 1 {
				w := d.ask(secret, method, path, body)
				if w.Code != http.StatusTooManyRequests {
					continue
				}
				if i < most/2 || errorOf(t, w).Code != "too_many_requests" || w.Header().Get("Retry-After") != "1" {
					t.Errorf("%s after %d: %s, Retry-After %q", path, i, w.Body, w.Header().Get("Retry-After"))
				}
				return w
			}
			t.Errorf("%s: %d requests are not too many", path, most)
			return nil
		}
		preview := "/v1/wallets/family/proposals/preview"
		pay := `{"to":[{"address":"a","amount":1}]}`
		drain(one, http.MethodPost, preview, pay, 40)
		if w := d.ask(one, http.MethodGet, "/v1/wallets", ""); w.Code != http.StatusOK {
			t.Errorf("another route: HTTP %d", w.Code)
		}
		drain(one, http.MethodGet, "/v1/wallets", "", 300)
		if w := d.ask(two, http.MethodGet, "/v1/wallets", ""); w.Code != http.StatusOK {
			t.Errorf("another token: HTTP %d", w.Code)
		}
		for range 500 {
			if w := d.ask("", http.MethodGet, "/v1/wallets", ""); w.Code != http.StatusOK {
				t.Fatalf("on the Unix socket: HTTP %d", w.Code)
			}
		}
		<-time.After(time.Second)
		if w := d.ask(one, http.MethodPost, preview, pay); w.Code != http.StatusOK {
			t.Errorf("a second later: HTTP %d %s", w.Code, w.Body)
		}
	})
}

// Every route that is said to be costly is one.
func TestCostlyRoutesAreThere(t *testing.T) {
	d := withBook(t, apitest.New())
	doc := d.ask("", http.MethodGet, "/openapi.json", "").Body.String()
	for _, pattern := range api.CostlyRoutes {
		_, path, _ := strings.Cut(pattern, " ")
		if !strings.Contains(doc, `"`+path+`"`) {
			t.Errorf("there is no %s", path)
		}
	}
}
