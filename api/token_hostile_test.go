package api_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/api/apitest"
)

// revoking revokes a token while its request's body is read.
type revoking struct {
	io.Reader
	now func()
}

func (r revoking) Read(b []byte) (int, error) {
	r.now()
	return r.Reader.Read(b)
}

// A request whose token is revoked while it is sent does nothing, also where it had a
// limit that is gone with it.
func TestATokenThatIsRevokedMeanwhile(t *testing.T) {
	for _, limit := range []string{"", `,"max_amount":1`} {
		b := apitest.New()
		d := withBook(t, b)
		made := d.create("", `{"name":"t","role":"sign"`+limit+`}`)
		body := revoking{strings.NewReader(`{"to":[{"address":"a","amount":1}]}`), func() {
			d.ask("", http.MethodPost, "/v1/tokens/"+made.Token+"/revoke", "")
		}}
		r := httptest.NewRequest(http.MethodPost, "/v1/wallets/family/proposals", body)
		r.Header.Set("Authorization", "Bearer "+made.Secret)
		w := httptest.NewRecorder()
		d.tcp.ServeHTTP(w, r)
		if w.Code != http.StatusUnauthorized || len(b.Requests()) != 0 {
			t.Errorf("limit %q: HTTP %d: %s; the node was asked %v", limit, w.Code, w.Body, b.Requests())
		}
	}
}

// remade is a node that makes a proposal and fails to sign it, or has made it before.
type remade struct {
	*apitest.Backend
	made, again bool
}

func (b *remade) Preview(ctx context.Context, w string, r api.Propose) (api.Draft, error) {
	d, err := b.Backend.Preview(ctx, w, r)
	if b.again {
		id := apitest.ProposalID
		d.Proposal = &id
	}
	return d, err
}

func (b *remade) Propose(ctx context.Context, w string, r api.Propose) (api.Proposed, error) {
	if b.made {
		return api.Proposed{}, &api.Error{Kind: api.Denied, Code: "coin_frozen", Message: "made, and not signed", Made: true}
	}
	return b.Backend.Propose(ctx, w, r)
}

// What was made counts, though it was not signed; and what was made before counts once
// more where this node signs it only now.
func TestWhatWasMadeCounts(t *testing.T) {
	pay := `{"to":[{"address":"a","amount":1000000}],"request_id":"1"}`
	path := "/v1/wallets/family/proposals"
	b := &remade{Backend: apitest.New(), made: true}
	d := withBook(t, b)
	preview, err := b.Preview(t.Context(), "family", api.Propose{})
	if err != nil {
		t.Fatal(err)
	}
	secret := d.create("", fmt.Sprintf(`{"name":"t","role":"sign","max_amount":%d}`, preview.Sends+preview.Fee)).Secret
	d.refused(secret, http.MethodPost, path, pay, http.StatusConflict, "coin_frozen")
	b.made = false
	d.refused(secret, http.MethodPost, path, pay, http.StatusForbidden, "token_limit")
	b.again = true
	b.SetMe("bob") // who did not sign it
	d.refused(secret, http.MethodPost, path, pay, http.StatusForbidden, "token_limit")
	b.SetMe("alice")
	if w := d.ask(secret, http.MethodPost, path, pay); w.Code != http.StatusCreated {
		t.Errorf("a repeat of what is signed: HTTP %d: %s", w.Code, w.Body)
	}
}

func TestTokensThatNeverEnd(t *testing.T) {
	d := withBook(t, apitest.New())
	for _, bad := range []string{`"until":"0001-01-01T00:00:00Z"`, `"until":"1970-01-01T00:00:00Z"`, `"until":"2020-01-01T00:00:00Z"`, `"wallets":[]`} {
		d.refused("", http.MethodPost, "/v1/tokens", `{"name":"x","role":"read",`+bad+`}`, http.StatusBadRequest, "bad_token")
	}
}

// Two programs that number their orders get addresses of their own; what asks with any
// token is told what that may do.
func TestRequestIDsAreEachTokensOwn(t *testing.T) {
	b := apitest.New()
	d := withBook(t, b)
	for _, name := range []string{"one", "two"} {
		secret := d.create("", `{"name":"`+name+`","verbs":["address"],"max_amount":7,"wallets":["family"]}`).Secret
		for range 2 {
			if w := d.ask(secret, http.MethodPost, "/v1/wallets/family/addresses", `{"request_id":"1001"}`); w.Code != http.StatusCreated {
				t.Fatalf("HTTP %d: %s", w.Code, w.Body)
			}
		}
		if w := d.ask(secret, http.MethodGet, "/v1/tokens/self", ""); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), apitest.WalletID) || !strings.Contains(w.Body.String(), `"max_amount":7`) {
			t.Errorf("HTTP %d: %s", w.Code, w.Body)
		}
	}
	ids := map[string]int{}
	for _, r := range b.Requests() {
		if f := reflect.ValueOf(r).FieldByName("RequestID"); f.IsValid() {
			ids[f.String()]++
		}
	}
	if len(ids) != 2 || ids["1001"] != 0 {
		t.Errorf("%v", ids)
	}
}

// A wallet whose keys nobody saw for long is no reason to take its node for broken.
func TestUnseenKeysLeaveANodeReady(t *testing.T) {
	s := api.Status{Chain: api.ChainStatus{Backend: "core", Synced: true}, Wallets: []api.WalletSummary{{Name: "family", State: "active", Alarms: []api.Alarm{{Code: "keys_unseen"}}}}}
	for _, p := range s.Ready() {
		if !p.OK {
			t.Errorf("%+v", p)
		}
	}
	if r := s.Check(); len(r) != 1 || r[0].Code != "keys_unseen" {
		t.Errorf("%+v", r)
	}
}
