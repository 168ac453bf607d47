package api_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/api/access"
	"github.com/quorate/quorate/api/apitest"
	"github.com/quorate/quorate/api/kept/kepttest"
)

// doors are both ways to a node with tokens of its own making.
type doors struct {
	t     *testing.T
	local http.Handler
	tcp   http.Handler
	// version goes along with each request, as the one that was looked at.
	version string
}

func withBook(t *testing.T, b api.Backend) doors {
	t.Helper()
	book, _, err := access.Open(t.Context(), &kepttest.Memory{}, rand.NewChaCha8([32]byte{}), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	s, err := api.NewServer(b, api.Options{Book: book})
	if err != nil {
		t.Fatal(err)
	}
	return doors{t, s.LocalHandler(), s.TokenHandler(), `"seen"`}
}

func (d doors) ask(secret, method, path, body string) *httptest.ResponseRecorder {
	d.t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	h := d.local
	if secret != "" {
		h = d.tcp
		r.Header.Set("Authorization", "Bearer "+secret)
	}
	if d.version != "" {
		r.Header.Set("If-Match", d.version)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func (d doors) create(by, body string) api.TokenMade {
	d.t.Helper()
	w := d.ask(by, http.MethodPost, "/v1/tokens", body)
	var out api.TokenMade
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil || w.Code != http.StatusCreated {
		d.t.Fatalf("create %s: HTTP %d: %s", body, w.Code, w.Body)
	}
	return out
}

// refused asks, and wants an error with a status and a code.
func (d doors) refused(secret, method, path, body string, status int, code string) {
	d.t.Helper()
	w := d.ask(secret, method, path, body)
	if e := errorOf(d.t, w); w.Code != status || e.Code != code {
		d.t.Errorf("%s %s %s: HTTP %d %s, want %d %s: %s", method, path, body, w.Code, e.Code, status, code, w.Body)
	}
}

// Each verb does what it says and nothing else: every route with all verbs but the one
// that it needs is refused, and with that one alone is not.
func TestVerbs(t *testing.T) {
	p, w := "/v1/proposals/"+apitest.ProposalID, "/v1/wallets/family"
	pay := `{"to":[{"address":"a","amount":1}],"unsigned":true}`
	all := []string{"address", "propose", "withdraw", "comment", "label", "freeze", "vote", "manage", "allow", "token"}
	for _, c := range []struct{ verb, method, path, body string }{
		{"read", "GET", "/v1/status", ""},
		{"read", "GET", w + "/coins", ""},
		{"read", "GET", w + "/export", ""},
		{"address", "POST", w + "/addresses", ""},
		{"propose", "POST", w + "/proposals", pay},
		{"propose", "POST", w + "/proposals/preview", pay},
		{"withdraw", "POST", p + "/withdraw", ""},
		{"comment", "POST", p + "/comments", `{"text":"hm"}`},
		{"label", "POST", w + "/labels", `{"labels":[{"ref":"` + apitest.TxID + `","label":"x"}]}`},
		{"freeze", "POST", w + "/coins/" + apitest.TxID + ":0/freeze", ""},
		{"vote", "POST", p + "/reject", `{"reason":"no"}`},
		{"vote", "POST", w + "/freeze", `{"reason":"no"}`},
		{"vote", "POST", w + "/policies", `{"canonical":"c2ln"}`},
		{"vote", "POST", w + "/policies/" + apitest.ProposalID + "/approve", ""},
		{"vote", "POST", w + "/policies/" + apitest.ProposalID + "/object", ""},
		{"sign", "POST", w + "/unfreeze", `{"freezes":["` + apitest.ProposalID + `"]}`},
		{"sign", "POST", p + "/approve", ""},
		{"sign", "POST", p + "/psbt", ""},
		{"manage", "POST", w + "/rekey", ""},
		{"manage", "POST", "/v1/peers", `{"multiaddr":"/ip4/1.2.3.4/tcp/1"}`},
		{"token", "GET", "/v1/tokens", ""},
		{"token", "POST", "/v1/tokens", `{"name":"x","verbs":["token"]}`},
	} {
		t.Run(c.verb+" "+c.method+" "+c.path, func(t *testing.T) {
			d := withBook(t, apitest.New())
			other := []string{}
			for _, v := range append(all, "read", "sign") {
				if v != c.verb && (v != "sign" || c.verb != "read") {
					other = append(other, v)
				}
			}
			verbs, _ := json.Marshal(other)
			with := fmt.Sprintf(`["%s"]`, c.verb)
			if c.verb == "sign" {
				with = `["read","sign"]`
			}
			d.refused(d.create("", fmt.Sprintf(`{"name":"all but it","verbs":%s}`, verbs)).Secret, c.method, c.path, c.body, http.StatusForbidden, "role")
			if rec := d.ask(d.create("", `{"name":"it","verbs":`+with+`}`).Secret, c.method, c.path, c.body); rec.Code/100 != 2 {
				t.Errorf("HTTP %d: %s", rec.Code, rec.Body)
			}
		})
	}
}

// Who may sign and not override has to leave the rules as they are, whatever the route.
func TestOverridingNeedsItsVerb(t *testing.T) {
	d := withBook(t, apitest.New())
	sign := d.create("", `{"name":"sign","role":"sign"}`).Secret
	may := d.create("", `{"name":"may","role":"sign","verbs":["allow"]}`).Secret
	p, w := "/v1/proposals/"+apitest.ProposalID, "/v1/wallets/family"
	for path, body := range map[string]string{
		p + "/approve":     `{"allow":["fee_high"]}`,
		p + "/comments":    `{"text":"x","allow":["fee_high"]}`,
		p + "/psbt":        `{"allow":["fee_high"]}`,
		w + "/proposals":   `{"to":[{"address":"a","amount":1}],"allow":["fee_high"]}`,
		w + "/archive":     `{"allow":["wallet_not_empty"]}`,
		"/v1/wallets":      `{"name":"n","threshold":1,"cosigners":2,"allow":["key_origin"]}`,
		"/v1/psbt":         `{"psbt":"cHNidP8BAAoCAAAAAAAAAAAAAA==","allow":["fee_high"]}`,
		w + "/invites":     `{"replace":"bob","allow":["member_online"]}`,
		w + "/hosted":      `{"name":"c","external":"[d34db33f/48h/1h/0h/2h]tpub","allow":["key_origin"]}`,
		"/v1/wallets/join": `{"invite":"i","allow":["key_origin"]}`,
	} {
		rec := d.ask(sign, http.MethodPost, path, body)
		if rec.Code != http.StatusForbidden || !strings.Contains(rec.Body.String(), "verb allow") {
			t.Errorf("%s: HTTP %d: %s", path, rec.Code, rec.Body)
		}
		if rec := d.ask(may, http.MethodPost, path, body); rec.Code == http.StatusForbidden {
			t.Errorf("%s with the verb: %s", path, rec.Body)
		}
	}
}

// A token ends when it is revoked: for requests, and for a stream that is open.
func TestARevokedTokenEndsAtOnce(t *testing.T) {
	d := withBook(t, apitest.New())
	made := d.create("", `{"name":"shop","role":"read"}`)
	srv := httptest.NewServer(d.tcp)
	defer srv.Close()
	r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, srv.URL+"/v1/events", nil)
	r.Header.Set("Authorization", "Bearer "+made.Secret)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	lines := bufio.NewScanner(resp.Body)
	if !lines.Scan() || !strings.Contains(lines.Text(), "subscribed") {
		t.Fatalf("%q", lines.Text())
	}
	if rec := d.ask("", http.MethodPost, "/v1/tokens/shop/revoke", ""); rec.Code != http.StatusOK {
		t.Fatalf("HTTP %d: %s", rec.Code, rec.Body)
	}
	for lines.Scan() { //nolint:revive // it ends when the stream does
	}
	d.refused(made.Secret, http.MethodGet, "/v1/status", "", http.StatusUnauthorized, "unauthorized")
	d.refused(made.Secret[:len(made.Secret)-1], http.MethodGet, "/v1/status", "", http.StatusUnauthorized, "unauthorized")
}

// twoWallets is a node with a second wallet, and a proposal and an event of it.
type twoWallets struct {
	*apitest.Backend
}

var (
	otherWallet   = strings.Repeat("cd", 32)
	otherProposal = strings.Repeat("12", 32)
)

func (b twoWallets) Wallets(ctx context.Context) ([]api.WalletItem, error) {
	all, err := b.Backend.Wallets(ctx)
	x := all[0]
	x.Wallet, x.Name = otherWallet, "secret plans"
	return append(all, x), err
}

func (b twoWallets) Wallet(ctx context.Context, ref string) (api.Wallet, error) {
	if ref == otherWallet || ref == "secret plans" {
		w, err := b.Backend.Wallet(ctx, apitest.WalletID)
		w.Wallet = otherWallet
		return w, err
	}
	return b.Backend.Wallet(ctx, ref)
}

func (b twoWallets) Proposal(ctx context.Context, ref string) (api.Proposal, error) {
	if strings.HasPrefix(otherProposal, ref) {
		p, err := b.Backend.Proposal(ctx, apitest.ProposalID)
		p.Proposal, p.Wallet = otherProposal, otherWallet
		return p, err
	}
	p, err := b.Backend.Proposal(ctx, ref)
	if err == nil {
		p.Outputs[0].OwnedBy = &api.Owner{Wallet: otherWallet, Name: "secret plans"}
	}
	return p, err
}

func (b twoWallets) Proposals(ctx context.Context, _ string, _ api.ProposalQuery) (page api.Page[api.Proposal], err error) {
	p, err := b.Proposal(ctx, apitest.ProposalID)
	page.Items = append(page.Items, p)
	return page, err
}

func (b twoWallets) Preview(ctx context.Context, _ string, _ api.Propose) (api.Draft, error) {
	p, err := b.Proposal(ctx, apitest.ProposalID)
	return api.Draft{Outputs: p.Outputs}, err
}

func (b twoWallets) Pending(ctx context.Context, q api.PendingQuery) (api.Page[api.Pending], error) {
	p, err := b.Backend.Pending(ctx, q)
	x := p.Items[0]
	x.Wallet = otherWallet
	p.Items = append(p.Items, x)
	return p, err
}

func (b twoWallets) Events(context.Context, api.EventQuery) (api.EventPage, error) {
	return api.EventPage{Last: 3, Items: []api.Event{
		{ID: 1, Type: "proposal", Wallet: api.Text(otherWallet)}, {ID: 2, Type: "alarm", Message: "of the node"},
		{ID: 3, Type: "proposal", Wallet: api.Text(apitest.WalletID)},
	}}, nil
}

// A token that is bound to a wallet learns nothing of another, not even that it is there.
func TestABoundTokenSeesItsWalletAlone(t *testing.T) {
	d := withBook(t, twoWallets{Backend: apitest.New()})
	secret := d.create("", `{"name":"bound","role":"sign","verbs":["allow"],"wallets":["family"]}`).Secret
	for _, path := range []string{"/v1/wallets", "/v1/pending", "/v1/events?after=0"} {
		rec := d.ask(secret, http.MethodGet, path, "")
		if body := rec.Body.String(); rec.Code != http.StatusOK || strings.Contains(body, otherWallet) || strings.Contains(body, "of the node") || !strings.Contains(body, apitest.WalletID) {
			t.Errorf("%s: HTTP %d: %s", path, rec.Code, body)
		}
		if body := d.ask("", http.MethodGet, path, "").Body.String(); !strings.Contains(body, otherWallet) {
			t.Errorf("%s shows the other wallet to nobody: %s", path, body)
		}
	}
	for _, ref := range []string{"family", apitest.WalletID, apitest.WalletID[:6]} {
		if rec := d.ask(secret, http.MethodGet, "/v1/wallets/"+ref+"/coins", ""); rec.Code != http.StatusOK {
			t.Errorf("%s: HTTP %d: %s", ref, rec.Code, rec.Body)
		}
	}
	for path, body := range map[string]string{
		"/v1/proposals/" + apitest.ProposalID: "", "/v1/wallets/family/proposals": "",
		"/v1/wallets/family/proposals/preview": `{"to":[{"address":"a","amount":1}],"unsigned":true}`,
	} {
		method := http.MethodGet
		if body != "" {
			method = http.MethodPost
		}
		if rec := d.ask("", method, path, body); !strings.Contains(rec.Body.String(), "secret plans") {
			t.Errorf("%s says to nobody which wallet is paid: %s", path, rec.Body)
		}
		if rec := d.ask(secret, method, path, body); rec.Code != http.StatusOK || strings.Contains(rec.Body.String(), "secret plans") || strings.Contains(rec.Body.String(), otherWallet) {
			t.Errorf("%s: HTTP %d: %s", path, rec.Code, rec.Body)
		}
	}
	if rec := d.ask(secret, http.MethodPost, "/v1/proposals/"+apitest.ProposalID+"/approve", ""); rec.Code != http.StatusOK {
		t.Errorf("its own proposal: %s", rec.Body)
	}
	nobody := d.ask(secret, http.MethodGet, "/v1/wallets/"+strings.Repeat("ef", 32), "").Body.String()
	for _, ref := range []string{otherWallet, "secret%20plans", otherWallet[:6]} {
		rec := d.ask(secret, http.MethodGet, "/v1/wallets/"+ref, "")
		d.refused(secret, http.MethodPost, "/v1/wallets/"+ref+"/addresses", "", http.StatusNotFound, "unknown_wallet")
		if rec.Code != http.StatusNotFound || len(rec.Body.String()) > len(nobody) {
			t.Errorf("%s: HTTP %d: %s", ref, rec.Code, rec.Body)
		}
	}
	for _, ref := range []string{otherProposal, strings.Repeat("34", 32)} {
		d.refused(secret, http.MethodGet, "/v1/proposals/"+ref, "", http.StatusNotFound, "unknown_proposal")
		d.refused(secret, http.MethodPost, "/v1/proposals/"+ref+"/approve", "", http.StatusNotFound, "unknown_proposal")
	}
	d.refused(secret, http.MethodGet, "/v1/wallets/"+apitest.WalletID+"%2F..%2F"+otherWallet, "", http.StatusNotFound, "unknown_wallet")
	for path, body := range map[string]string{"/v1/psbt": `{"psbt":"x"}`, "/v1/peers": `{"multiaddr":"/ip4/1.2.3.4/tcp/1"}`, "/v1/wallets/join": `{"invite":"i"}`} {
		d.refused(secret, http.MethodPost, path, body, http.StatusForbidden, "role")
	}
	d.refused(secret, http.MethodPost, "/v1/wallets", `{"name":"n","threshold":1,"cosigners":2}`, http.StatusForbidden, "role")
	d.refused(secret, http.MethodGet, "/v1/status", "", http.StatusForbidden, "role")
	d.refused(secret, http.MethodGet, "/v1/peers", "", http.StatusForbidden, "role")
}

// What a token with a limit proposes and signs is counted, once, and what is refused is not.
func TestATokenSpendsUpToItsLimit(t *testing.T) {
	b := apitest.New()
	d := withBook(t, b)
	approve, propose := "/v1/proposals/"+apitest.ProposalID+"/approve", "/v1/wallets/family/proposals"
	pay := `{"to":[{"address":"a","amount":1000000}]}`
	preview, err := b.Preview(t.Context(), "family", api.Propose{})
	if err != nil {
		t.Fatal(err)
	}
	one := preview.Sends + preview.Fee
	secret := d.create("", fmt.Sprintf(`{"name":"shop","role":"sign","max_amount":%d}`, 2*one)).Secret
	b.Fail("Propose", api.Refuse("fee_high", "no", ""))
	d.refused(secret, http.MethodPost, propose, pay, http.StatusConflict, "fee_high")
	b.Fail("Propose", nil)
	for range 2 {
		if rec := d.ask(secret, http.MethodPost, propose, pay); rec.Code != http.StatusCreated {
			t.Fatalf("HTTP %d: %s", rec.Code, rec.Body)
		}
	}
	before := len(b.Requests())
	d.refused(secret, http.MethodPost, propose, pay, http.StatusForbidden, "token_limit")
	d.refused(secret, http.MethodPost, "/v1/psbt", `{"psbt":"x"}`, http.StatusForbidden, "role")
	d.refused(secret, http.MethodPost, "/v1/proposals/"+apitest.ProposalID+"/psbt", "", http.StatusForbidden, "role")
	for _, r := range b.Requests()[before:] {
		if s := fmt.Sprintf("%+v", r); strings.Contains(s, "Approve") || strings.Contains(s, "PSBT") {
			t.Errorf("it reached the node: %s", s)
		}
	}
	// What may have been done counts: the answer was lost, not the payment.
	lost := d.create("", fmt.Sprintf(`{"name":"lost","role":"sign","max_amount":%d}`, one)).Secret
	b.Fail("Propose", api.TimedOut("timeout", "no answer", ""))
	d.refused(lost, http.MethodPost, propose, pay, http.StatusGatewayTimeout, "timeout")
	b.Fail("Propose", nil)
	d.refused(lost, http.MethodPost, propose, pay, http.StatusForbidden, "token_limit")
	// A draft that its user saw is what is counted, or nothing is proposed.
	d.refused(d.create("", fmt.Sprintf(`{"name":"draft","role":"sign","max_amount":%d}`, one)).Secret, http.MethodPost, propose,
		`{"to":[{"address":"a","amount":1}],"draft":"`+strings.Repeat("00", 64)+`"}`, http.StatusConflict, "draft_changed")
	// What this node signed was counted when it did; to agree to a higher fee then
	// spends what is added.
	signed := d.create("", `{"name":"signed","role":"sign","max_amount":1}`).Secret
	if rec := d.ask(signed, http.MethodPost, approve, ""); rec.Code != http.StatusOK {
		t.Errorf("HTTP %d: %s", rec.Code, rec.Body)
	}
	b.SetMe("bob")
	// To agree to a higher fee beforehand spends that fee.
	p, err := b.Proposal(t.Context(), apitest.ProposalID)
	if err != nil {
		t.Fatal(err)
	}
	sends := p.Fee
	for _, o := range p.Outputs {
		if !o.Change {
			sends += o.Amount
		}
	}
	d.refused(signed, http.MethodPost, approve, fmt.Sprintf(`{"bump_to":%d}`, p.Fee+2), http.StatusForbidden, "token_limit")
	exact := d.create("", fmt.Sprintf(`{"name":"exact","role":"sign","max_amount":%d}`, sends)).Secret
	d.refused(exact, http.MethodPost, approve, fmt.Sprintf(`{"bump_to":%d}`, p.Fee+1), http.StatusForbidden, "token_limit")
	if rec := d.ask(exact, http.MethodPost, approve, ""); rec.Code != http.StatusOK {
		t.Errorf("HTTP %d: %s", rec.Code, rec.Body)
	}
}

// A token makes lesser ones alone, sees what it made, and takes them with it.
func TestATokenMakesLesserOnes(t *testing.T) {
	d := withBook(t, apitest.New())
	boss := d.create("", `{"name":"boss","role":"propose","verbs":["token"],"max_amount":1000}`)
	d.create("", `{"name":"other","role":"read"}`)
	d.refused(boss.Secret, http.MethodPost, "/v1/tokens", `{"name":"x","role":"sign","max_amount":10}`, http.StatusForbidden, "role")
	d.refused(boss.Secret, http.MethodPost, "/v1/tokens", `{"name":"x","role":"read"}`, http.StatusForbidden, "role")
	d.refused(boss.Secret, http.MethodPost, "/v1/tokens", `{"name":"other","role":"read","max_amount":1}`, http.StatusConflict, "name_taken")
	d.refused(boss.Secret, http.MethodPost, "/v1/tokens", `{"name":"x","verbs":["root"]}`, http.StatusBadRequest, "bad_token")
	d.refused(boss.Secret, http.MethodPost, "/v1/tokens", `{"name":"x"}`, http.StatusBadRequest, "bad_token")
	d.refused(boss.Secret, http.MethodPost, "/v1/tokens/other/revoke", "", http.StatusNotFound, "unknown_token")
	child := d.create(boss.Secret, `{"name":"child","role":"read","max_amount":10,"wallets":["family"]}`)
	if child.MadeBy == nil || *child.MadeBy != boss.Token {
		t.Errorf("%+v", child)
	}
	if body := d.ask(boss.Secret, http.MethodGet, "/v1/tokens", "").Body.String(); !strings.Contains(body, child.Token) || strings.Contains(body, `"other"`) || strings.Contains(body, child.Secret) {
		t.Errorf("it sees %s", body)
	}
	var self api.TokenSelf
	if err := json.Unmarshal(d.ask(child.Secret, http.MethodGet, "/v1/tokens/self", "").Body.Bytes(), &self); err != nil || self.Token == nil || *self.Token != child.Token {
		t.Errorf("%v %+v", err, self)
	}
	if rec := d.ask("", http.MethodPost, "/v1/tokens/"+boss.Token+"/revoke", ""); !strings.Contains(rec.Body.String(), `"revoked_count":2`) {
		t.Errorf("HTTP %d: %s", rec.Code, rec.Body)
	}
	d.refused(child.Secret, http.MethodGet, "/v1/tokens/self", "", http.StatusUnauthorized, "unauthorized")
}
