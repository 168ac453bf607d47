package api_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/api/apitest"
)

func look(t *testing.T, h http.Handler, path string, head ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	for i := 0; i+1 < len(head); i += 2 {
		r.Header.Set(head[i], head[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func localOf(t *testing.T, b api.Backend) http.Handler {
	t.Helper()
	s, err := api.NewServer(b, api.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s.LocalHandler()
}

// Every resource has a version: the same while it is shown the same, and another after.
func TestEveryResourceHasAVersion(t *testing.T) {
	b := apitest.New()
	h := localOf(t, b)
	p := "/v1/proposals/" + apitest.ProposalID
	for _, path := range []string{"/v1/status", "/v1/wallets", "/v1/wallets/family", "/v1/wallets/family/coins", "/v1/pending", p} {
		first := look(t, h, path)
		tag := first.Header().Get("ETag")
		if first.Code != http.StatusOK || len(tag) < 20 || tag[0] != '"' {
			t.Errorf("%s: HTTP %d, ETag %q", path, first.Code, tag)
		}
		for _, cond := range []string{tag, "W/" + tag, `"other", ` + tag} {
			if w := look(t, h, path, "If-None-Match", cond); w.Code != http.StatusNotModified || w.Body.Len() != 0 || w.Header().Get("ETag") != tag {
				t.Errorf("%s, not %s: HTTP %d %s", path, cond, w.Code, w.Body)
			}
		}
		if w := look(t, h, path, "If-None-Match", `"other"`); w.Code != http.StatusOK || w.Body.String() != first.Body.String() {
			t.Errorf("%s: HTTP %d", path, w.Code)
		}
	}
	before := look(t, h, p).Header().Get("ETag")
	b.SetStatus(api.StatusFinal)
	if w := look(t, h, p, "If-None-Match", before); w.Code != http.StatusOK || w.Header().Get("ETag") == before {
		t.Errorf("HTTP %d, ETag %s after %s", w.Code, w.Header().Get("ETag"), before)
	}
	if w := look(t, h, "/v1/wallets/nobody"); w.Header().Get("ETag") != "" {
		t.Error("an error has a version")
	}
}

// asks is a backend that asks, as a node does, what refuses.
type asks struct{ *apitest.Backend }

func (b asks) Approve(ctx context.Context, id string, r api.Approve) (api.Proposal, error) {
	return b.unless(ctx, id, r.Unless, func() (api.Proposal, error) { return b.Backend.Approve(ctx, id, r) })
}

func (b asks) Reject(ctx context.Context, id string, r api.Reject) (api.Proposal, error) {
	return b.unless(ctx, id, r.Unless, func() (api.Proposal, error) { return b.Backend.Reject(ctx, id, r) })
}

func (b asks) unless(ctx context.Context, id string, unless func(api.Proposal) error, do func() (api.Proposal, error)) (api.Proposal, error) {
	if unless != nil {
		p, err := b.Proposal(ctx, id)
		if err == nil {
			err = unless(p)
		}
		if err != nil {
			return api.Proposal{}, err
		}
	}
	return do()
}

// Nobody signs or rejects with a token what is another than they looked at, nor without
// saying what that was; on the Unix socket who says it is held to it.
func TestIfMatch(t *testing.T) {
	b := asks{apitest.New()}
	d := withBook(t, b)
	d.version = ""
	secret := d.create("", `{"name":"t","role":"sign"}`).Secret
	p := "/v1/proposals/" + apitest.ProposalID
	for path, body := range map[string]string{p + "/approve": ``, p + "/reject": `{"reason":"no"}`} {
		d.refused(secret, http.MethodPost, path, body, http.StatusPreconditionRequired, "if_match_needed")
		for _, secret := range []string{"", secret} {
			post := func(tag string) *httptest.ResponseRecorder {
				r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
				r.Header.Set("If-Match", tag)
				h := d.local
				if secret != "" {
					h = d.tcp
					r.Header.Set("Authorization", "Bearer "+secret)
				}
				w := httptest.NewRecorder()
				h.ServeHTTP(w, r)
				return w
			}
			b.SetStatus(api.StatusPending)
			tag := look(t, d.local, p).Header().Get("ETag")
			b.SetStatus(api.StatusFinal)
			for _, stale := range []string{tag, "*", `"x"`} {
				if w := post(stale); w.Code != http.StatusPreconditionFailed || errorOf(t, w).Code != "changed" {
					t.Errorf("%s with %s: HTTP %d %s", path, stale, w.Code, w.Body)
				}
			}
			b.SetStatus(api.StatusPending)
			if w := post(look(t, d.local, p).Header().Get("ETag")); w.Code != http.StatusOK {
				t.Errorf("%s: HTTP %d %s", path, w.Code, w.Body)
			}
		}
	}
}

// A request waits for the next version of what it asks for, as long as it says.
func TestWaitForAVersion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := apitest.New()
		h := localOf(t, b)
		p := "/v1/proposals/" + apitest.ProposalID
		tag := look(t, h, p).Header().Get("ETag")
		ask := "?wait=30s&after=" + strings.ReplaceAll(tag, `"`, "%22")
		start := time.Now()
		if w := look(t, h, p+ask); w.Code != http.StatusNotModified || time.Since(start) != 30*time.Second {
			t.Errorf("HTTP %d after %s", w.Code, time.Since(start))
		}
		if w := look(t, h, p+"?wait=30s&after=%22other%22"); w.Code != http.StatusOK || w.Header().Get("ETag") != tag {
			t.Errorf("HTTP %d", w.Code)
		}
		got := make(chan *httptest.ResponseRecorder, 1)
		start = time.Now()
		go func() { got <- look(t, h, p+ask) }()
		time.AfterFunc(10*time.Second, func() { b.SetStatus(api.StatusFinal) })
		w := <-got
		var v api.Proposal
		if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil || v.Status != api.StatusFinal || time.Since(start) > 12*time.Second || w.Header().Get("ETag") == tag {
			t.Errorf("HTTP %d after %s: %s", w.Code, time.Since(start), w.Body)
		}
		for _, bad := range []string{"?wait=30s", "?after=x", "?wait=-1s&after=x", "?wait=x&after=x", "?wait=1h&after=x"} {
			if w := look(t, h, p+bad); w.Code != http.StatusBadRequest || errorOf(t, w).Code != "bad_wait" {
				t.Errorf("%s: HTTP %d %s", bad, w.Code, w.Body)
			}
		}
	})
}
