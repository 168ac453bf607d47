package api_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/api/apitest"
)

func secretOf(role string) string { return role + strings.Repeat("x", api.MinToken) }

func withTokens(t *testing.T) (http.Handler, *apitest.Backend) {
	t.Helper()
	var tokens []api.Token
	for _, role := range []string{"read", "propose", "sign"} {
		tok, err := api.ParseToken(role + ":" + secretOf(role))
		if err != nil {
			t.Fatal(err)
		}
		tokens = append(tokens, tok)
	}
	b := apitest.New()
	s, err := api.NewServer(b, api.Options{Tokens: tokens})
	if err != nil {
		t.Fatal(err)
	}
	return s.TokenHandler(), b
}

// Every route, with the least role that may use it.
func TestRoles(t *testing.T) {
	h, _ := withTokens(t)
	rank := map[string]int{"": 0, "wrong": 0, "read": 1, "propose": 2, "sign": 3}
	p, w := "/v1/proposals/"+apitest.ProposalID, "/v1/wallets/family"
	to := `{"to":[{"address":"a","amount":1}]`
	for _, c := range []struct {
		method, path, body string
		need               int
	}{
		{"GET", "/v1/status", "", 1},
		{"POST", "/v1/backup", "", 4}, // by no token
		{"GET", "/v1/peers", "", 1},
		{"GET", "/v1/peers/pending", "", 1},
		{"POST", "/v1/peers", `{"multiaddr":"/ip4/1.2.3.4/tcp/1"}`, 3},
		{"GET", "/v1/wallets", "", 1},
		{"POST", "/v1/wallets", `{"name":"n","threshold":1,"cosigners":2}`, 3},
		{"POST", "/v1/wallets/join", `{"invite":"i"}`, 3},
		{"GET", w, "", 1},
		{"POST", w + "/ratify", `{"words":"one two three four five six"}`, 3},
		{"POST", w + "/invites", "", 3},
		{"POST", w + "/abandon", "", 3},
		{"POST", w + "/replacements", `{"replacement":"` + apitest.TxID + `"}`, 3},
		{"POST", w + "/addresses", "", 2},
		{"GET", w + "/coins", "", 1},
		{"POST", w + "/coins/" + apitest.TxID + ":0/freeze", `{"note":"dust"}`, 2},
		{"POST", w + "/coins/" + apitest.TxID + ":0/freeze", `{"undo":true}`, 3},
		{"POST", w + "/freeze", `{"reason":"r"}`, 3},
		{"POST", w + "/unfreeze", `{"freezes":["` + apitest.ProposalID + `"]}`, 3},
		{"GET", w + "/policies", "", 1},
		{"POST", w + "/policies", `{"canonical":"c2ln"}`, 3},
		{"GET", w + "/policies/" + apitest.ProposalID, "", 1},
		{"POST", w + "/policies/" + apitest.ProposalID + "/approve", "", 3},
		{"POST", w + "/policies/" + apitest.ProposalID + "/object", "", 3},
		{"POST", w + "/ping", "", 3},
		{"POST", w + "/policy/simulate", `{"policy":"oQEB"}`, 1},
		{"GET", w + "/policy/replay", "", 1},
		{"GET", w + "/robot", "", 1},
		{"POST", w + "/robot/pause", "", 3},
		{"POST", w + "/robot/resume", "", 3},
		{"GET", p + "/verdicts", "", 1},
		{"POST", w + "/ping/answer", `{"signature":"c2ln"}`, 3},
		{"POST", w + "/proposals", to + `}`, 3},
		{"POST", w + "/proposals", to + `,"unsigned":true}`, 2},
		{"GET", w + "/proposals", "", 1},
		{"GET", w + "/schedules", "", 1},
		{"POST", w + "/schedules", to + `,"every":"1mo"}`, 4}, // by no token
		{"POST", w + "/schedules", to + `,"every":"1mo","unsigned":true}`, 2},
		{"POST", w + "/schedules/" + apitest.ScheduleID + "/end", "", 3},
		{"POST", w + "/schedules/" + apitest.ScheduleID + "/start", "", 4},
		{"GET", p, "", 1},
		{"POST", p + "/approve", "", 3},
		{"POST", p + "/reject", `{"reason":"no"}`, 3},
		{"POST", p + "/withdraw", "", 2},
		{"GET", p + "/tx", "", 1},
	} {
		for role, have := range rank {
			r := httptest.NewRequest(c.method, c.path, strings.NewReader(c.body))
			r.Header.Set("If-Match", `"seen"`)
			if role != "" {
				r.Header.Set("Authorization", "Bearer "+secretOf(role))
			}
			rec := httptest.NewRecorder()
			h.ServeHTTP(rec, r)
			want := http.StatusOK
			if r.Method == http.MethodPost && (strings.HasSuffix(c.path, "/addresses") || strings.HasSuffix(c.path, "/proposals") || strings.HasSuffix(c.path, "/schedules") || strings.HasSuffix(c.path, "/wallets") || strings.HasSuffix(c.path, "/join") || strings.HasSuffix(c.path, "/invites")) {
				want = http.StatusCreated
			}
			switch {
			case have == 0:
				want = http.StatusUnauthorized
			case have < c.need:
				want = http.StatusForbidden
			}
			if rec.Code != want {
				t.Errorf("%s %s %s as %q: HTTP %d, want %d: %s", c.method, c.path, c.body, role, rec.Code, want, rec.Body)
			}
			if want >= http.StatusBadRequest {
				if e := errorOf(t, rec); e.Code != "role" && e.Code != "unauthorized" {
					t.Errorf("%s %s as %q: %+v", c.method, c.path, role, e)
				}
			}
		}
	}
}

func TestRefusedBeforeBackend(t *testing.T) {
	h, b := withTokens(t)
	r := httptest.NewRequest(http.MethodPost, "/v1/proposals/"+apitest.ProposalID+"/approve", nil)
	r.Header.Set("Authorization", "Bearer "+secretOf("propose"))
	h.ServeHTTP(httptest.NewRecorder(), r)
	if n := len(b.Requests()); n != 0 {
		t.Fatal("a propose token reached approve")
	}
}

func TestParseToken(t *testing.T) {
	for _, bad := range []string{"", "sign", "sign:", "sign:short", "root:" + secretOf("x"), ":" + secretOf("x")} {
		if tok, err := api.ParseToken(bad); err == nil {
			t.Errorf("%q gave %v", bad, tok)
		}
	}
	tok, err := api.ParseToken("sign:" + secretOf("sign"))
	if err != nil {
		t.Fatal(err)
	}
	if s := fmt.Sprintf("%v %s", tok, tok); strings.Contains(s, "xxx") {
		t.Errorf("a token prints as %s", s)
	}
	_, err = api.ParseToken("sign:veryshortsecret")
	if err == nil || strings.Contains(err.Error(), "veryshort") {
		t.Errorf("the error repeats the secret: %v", err)
	}
}
