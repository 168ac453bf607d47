package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/api/apitest"
	"github.com/quorate/quorate/api/kept/kepttest"
	"github.com/quorate/quorate/api/once"
)

func withAnswers(t *testing.T, b api.Backend, store *kepttest.Memory) http.Handler {
	t.Helper()
	book, err := once.Open(t.Context(), store, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	s, err := api.NewServer(b, api.Options{Answers: book})
	if err != nil {
		t.Fatal(err)
	}
	return s.LocalHandler()
}

func send(h http.Handler, key, path, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	if key != "" {
		r.Header.Set("Idempotency-Key", key)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// A request with a key is done once, also over a restart, and its repeat gets the same
// bytes; with another body, path or query it is refused.
func TestARequestWithAKeyIsDoneOnce(t *testing.T) {
	b, store := apitest.New(), &kepttest.Memory{}
	h := withAnswers(t, b, store)
	approve := "/v1/proposals/" + apitest.ProposalID + "/approve"
	first := send(h, "k1", approve, `{}`)
	if first.Code != http.StatusOK || first.Header().Get("Idempotent-Replayed") != "" {
		t.Fatalf("HTTP %d: %s", first.Code, first.Body)
	}
	n := len(b.Requests())
	for _, restart := range []bool{false, true} {
		if restart {
			h = withAnswers(t, b, store)
		}
		again := send(h, "k1", approve, `{}`)
		if again.Code != first.Code || !bytes.Equal(again.Body.Bytes(), first.Body.Bytes()) || again.Header().Get("Idempotent-Replayed") != "true" || again.Header().Get("Content-Type") != "application/json" {
			t.Errorf("HTTP %d: %s", again.Code, again.Body)
		}
		for path, body := range map[string]string{approve: `{"allow":[]}`, "/v1/proposals/" + apitest.ProposalID + "/withdraw": `{}`} {
			w := send(h, "k1", path, body)
			if e := errorOf(t, w); w.Code != http.StatusConflict || e.Code != "idempotency_mismatch" {
				t.Errorf("%s %s: HTTP %d %s", path, body, w.Code, e.Code)
			}
		}
	}
	if m := len(b.Requests()); m != n {
		t.Errorf("it was done %d times", 1+m-n)
	}
	if w := send(h, "k2", approve, `{}`); w.Code != http.StatusOK || len(b.Requests()) != n+1 {
		t.Errorf("another key: HTTP %d", w.Code)
	}
}

// What was refused changed nothing, and is asked anew; what failed is done again.
func TestARefusalIsNoAnswer(t *testing.T) {
	b := apitest.New()
	h := withAnswers(t, b, &kepttest.Memory{})
	path := "/v1/proposals/" + apitest.ProposalID + "/approve"
	for _, err := range []error{api.Refuse("fee_high", "no", ""), api.TimedOut("timeout", "no answer", ""), api.Fail("failed", "no", "")} {
		b.Fail("Approve", err)
		if w := send(h, "k", path, ``); errorOf(t, w).Code != api.AsError(err).Code {
			t.Errorf("%v: HTTP %d", err, w.Code)
		}
	}
	b.Fail("Approve", nil)
	if w := send(h, "k", path, ``); w.Code != http.StatusOK {
		t.Errorf("HTTP %d: %s", w.Code, w.Body)
	}
	for _, key := range []string{" ", "a b", strings.Repeat("x", 129), "ä"} {
		if w := send(h, key, path, ``); errorOf(t, w).Code != "bad_idempotency_key" {
			t.Errorf("%q: HTTP %d", key, w.Code)
		}
	}
}

// slow holds an approval until it is let go on.
type slow struct {
	*apitest.Backend
	in, out chan struct{}
}

func (b slow) Approve(ctx context.Context, p string, r api.Approve) (api.Proposal, error) {
	close(b.in)
	<-b.out
	return b.Backend.Approve(ctx, p, r)
}

func TestTwoAtOnce(t *testing.T) {
	b := slow{apitest.New(), make(chan struct{}), make(chan struct{})}
	h := withAnswers(t, b, &kepttest.Memory{})
	path := "/v1/proposals/" + apitest.ProposalID + "/approve"
	done := make(chan int, 1)
	go func() { done <- send(h, "k", path, ``).Code }()
	<-b.in
	if w := send(h, "k", path, ``); w.Code != http.StatusConflict || errorOf(t, w).Code != "in_progress" {
		t.Errorf("HTTP %d: %s", w.Code, w.Body)
	}
	close(b.out)
	if code := <-done; code != http.StatusOK {
		t.Errorf("HTTP %d", code)
	}
}

// No answer that holds a secret is kept: not by the routes that are known to, and no
// other has a field that is called so.
func TestNoSecretIsKept(t *testing.T) {
	b, store := apitest.New(), &kepttest.Memory{}
	h := withAnswers(t, b, store)
	first := send(h, "k", "/v1/wallets", `{"name":"n","threshold":1,"cosigners":2}`)
	var v api.WalletInvites
	if err := json.Unmarshal(first.Body.Bytes(), &v); err != nil || len(v.Invites) == 0 {
		t.Fatalf("HTTP %d: %s", first.Code, first.Body)
	}
	if w := send(h, "k", "/v1/wallets", `{"name":"n","threshold":1,"cosigners":2}`); w.Code != http.StatusConflict || errorOf(t, w).Code != "already_done" {
		t.Errorf("HTTP %d: %s", w.Code, w.Body)
	}
	for _, raw := range store.Records {
		if bytes.Contains(raw, []byte("invite")) {
			t.Errorf("it is kept: %s", raw)
		}
	}
	holds := map[reflect.Type]bool{}
	for _, v := range []any{api.TokenMade{}, api.WalletInvites{}} {
		holds[reflect.TypeOf(v)] = true
	}
	for i := range reflect.TypeFor[*api.Client]().NumMethod() {
		m := reflect.TypeFor[*api.Client]().Method(i)
		if m.Type.NumOut() == 0 {
			continue
		}
		out := m.Type.Out(0)
		if out.Kind() != reflect.Struct || holds[out] {
			continue
		}
		for j := range out.NumField() {
			if name := strings.Split(out.Field(j).Tag.Get("json"), ",")[0]; name == "secret" || strings.HasPrefix(name, "invite") {
				t.Errorf("%s answers with %q: is its route among those whose answers are not kept?", m.Name, name)
			}
		}
	}
}

// A key becomes the request id of what is kept with what is done.
func TestAKeyIsARequestID(t *testing.T) {
	b := apitest.New()
	h := withAnswers(t, b, &kepttest.Memory{})
	send(h, "k", "/v1/wallets/family/proposals", `{"to":[{"address":"a","amount":1}]}`)
	send(h, "l", "/v1/wallets/family/addresses", `{}`)
	send(h, "m", "/v1/proposals/"+apitest.ProposalID+"/comments", `{"text":"x"}`)
	send(h, "n", "/v1/wallets/family/addresses", `{"request_id":"mine"}`)
	ids := map[string]bool{}
	for _, r := range b.Requests() {
		f := reflect.ValueOf(r).FieldByName("RequestID")
		if !f.IsValid() || f.String() == "" || ids[f.String()] {
			t.Errorf("%+v", r)
			continue
		}
		ids[f.String()] = true
	}
	if len(ids) != 4 || !ids["mine"] {
		t.Errorf("%v", ids)
	}
}
