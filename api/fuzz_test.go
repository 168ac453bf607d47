package api_test

import (
	"net/http"
	"testing"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/api/apitest"
)

// FuzzBody sends arbitrary bytes to every POST route: it never panics (that
// would be a 500), and answers 4xx with a typed error, or 200 where the bytes
// happen to be a valid request.
func FuzzBody(f *testing.F) {
	routes := []string{
		"/v1/peers", "/v1/wallets", "/v1/wallets/join", "/v1/wallets/family/ratify", "/v1/wallets/family/invites",
		"/v1/wallets/family/abandon", "/v1/wallets/family/addresses", "/v1/wallets/family/proposals",
		"/v1/proposals/" + apitest.ProposalID + "/approve", "/v1/proposals/" + apitest.ProposalID + "/reject",
		"/v1/proposals/" + apitest.ProposalID + "/withdraw",
	}
	for i, body := range []string{
		`{"multiaddr":"/ip4/1.2.3.4/tcp/1"}`, `{"name":"n","threshold":2,"cosigners":3,"script":"wsh","external":"x"}`,
		`{"invite":"quorate1","wait":true}`, `{"words":"a b c d e f"}`, `{}`, ``, `{"peek":true,"beyond_gap":false}`,
		`{"to":[{"address":"a","amount":1,"label":"l"}],"fee_rate":1.5,"coins":["a:0"],"note":"","expires":1,"replaces":[],"unsigned":true,"request_id":"r","allow":["x"]}`,
		`{"allow":["fee_bound"]}`, `{"reason":"no"}`, `null`, `[[[[`, `{"a":1,"a":2}`, "\xff\xfe", `{"to":[{"amount":1e99}]}`,
	} {
		f.Add(uint8(i), []byte(body), "application/json")
		f.Add(uint8(i), []byte(body), "a;+b")
	}
	s, err := api.NewServer(apitest.New(), api.Options{})
	if err != nil {
		f.Fatal(err)
	}
	h := s.LocalHandler()
	f.Fuzz(func(t *testing.T, route uint8, body []byte, contentType string) {
		w := postRaw(h, routes[int(route)%len(routes)], contentType, body)
		if w.Code == http.StatusOK || w.Code == http.StatusCreated {
			return
		}
		if w.Code < 400 || w.Code > 499 {
			t.Fatalf("HTTP %d: %s", w.Code, w.Body)
		}
		errorOf(t, w)
	})
}
