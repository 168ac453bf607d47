package api_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/api/apitest"
)

// What the fuzz tests of shapes found, one by one: each was taken, or answered with what the
// document does not have.
func TestFoundByShapes(t *testing.T) {
	b := apitest.New()
	b.SetStatus(api.StatusFinal)
	h := localOf(t, b)
	for _, c := range []struct {
		method, path, kind, body string
		status                   int
		code                     string
	}{
		// The router led elsewhere: 307, and no error.
		{"POST", "/v1/wallets//abandon", "", "", 404, "unknown_route"},
		{"POST", "/v1/wallets/../abandon", "", "", 404, "unknown_route"},
		{"GET", "/v1//status", "", "", 404, "unknown_route"},
		{"GET", "/v1/wallets/", "", "", 404, "unknown_route"},
		// What stood in the query was left out.
		{"GET", "/v1/wallets/family/coins?limit=1;cursor=x", "", "", 400, "bad_request"},
		{"GET", "/v1/wallets/family/coins?limit=%zz", "", "", 400, "bad_request"},
		{"GET", "/v1/wallets/family/log?by=alice&by=bob", "", "", 400, "bad_request"},
		// What stood in the body was.
		{"POST", "/v1/proposals/" + apitest.ProposalID + "/withdraw", "application/json", `{"reason":"not this one"}`, 400, "bad_request"},
		{"POST", "/v1/backup", "application/json", `{"only":"family"}`, 400, "bad_request"},
		// Streams answered 422.
		{"POST", "/v1/wallets/family/log/export", "application/json", `{"unknown":1}`, 400, "bad_request"},
		{"POST", "/v1/backup?x=1", "", "", 400, "bad_request"},
		// It is above and below nothing.
		{"GET", "/v1/proposals/c0ffee/wait?timeout=NaN", "", "", 400, "bad_request"},
	} {
		var w *httptest.ResponseRecorder
		if c.method == http.MethodGet {
			w = look(t, h, c.path)
		} else {
			w = postRaw(h, c.path, c.kind, []byte(c.body))
		}
		if e := errorOf(t, w); w.Code != c.status || e.Code != c.code {
			t.Errorf("%s %s %s: HTTP %d %+v", c.method, c.path, c.body, w.Code, e)
		}
	}
	if calls := b.Calls(); calls["Withdraw"]+calls["Backup"]+calls["ExportLog"]+calls["AbandonWallet"] > 0 {
		t.Errorf("something was done: %v", calls)
	}
	// The decoder repeated a number that was too large, all of it: it may be a secret that
	// was put in the wrong place.
	w := postRaw(h, "/v1/wallets/join", "application/json", []byte(`{"invite":`+strings.Repeat("8246211251", 50)+`}`))
	if e := errorOf(t, w); w.Code != http.StatusBadRequest || strings.Contains(e.Message, "8246") || len(e.Message) > 200 {
		t.Errorf("HTTP %d %+v", w.Code, e)
	}
	// An empty object is none.
	if w := postRaw(h, "/v1/proposals/"+apitest.ProposalID+"/withdraw", "application/json", []byte(" {} ")); w.Code != http.StatusOK {
		t.Errorf("HTTP %d %s", w.Code, w.Body)
	}
}
