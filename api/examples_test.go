package api_test

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/api/access"
	"github.com/quorate/quorate/api/apitest"
	"github.com/quorate/quorate/api/kept/kepttest"
)

// request is what an example asks.
type request struct {
	path, query, header map[string]string
	body                string
	// first is done before: it is no part of the example.
	first func(*exampleNode)
	// token has it asked over TCP with one.
	token bool
}

// requests are the examples, by operation: one for each.
func requests() map[string]request {
	inWallet := map[string]string{"wallet": "family"}
	of := map[string]string{"proposal": apitest.ProposalID}
	version := map[string]string{"If-Match": `"o3F9sN1cQ0ZrVjP2d5yB7g"`}
	shop := func(n *exampleNode) { n.create(`{"name":"shop","role":"propose","wallets":["family"]}`) }
	key := "[d34db33f/48h/1h/0h/2h]tpub…"
	return map[string]request{
		"status":              {},
		"doctor":              {},
		"backup":              {},
		"list-peers":          {},
		"list-pending-peers":  {},
		"add-peer":            {body: `{"multiaddr":"/ip4/203.0.113.7/tcp/9781/p2p/12D3KooWB"}`},
		"list-pending":        {query: map[string]string{"limit": "10"}},
		"events":              {query: map[string]string{"after": "0", "limit": "10"}, first: func(n *exampleNode) { n.backend.SetStatus(api.StatusFinal) }},
		"create-token":        {body: `{"name":"shop","role":"propose","wallets":["family"],"max_amount":5000000,"until":"2026-04-02T00:00:00Z"}`},
		"list-tokens":         {first: shop},
		"revoke-token":        {path: map[string]string{"token": "shop"}, first: shop},
		"show-own-token":      {first: shop, token: true},
		"list-wallets":        {},
		"create-wallet":       {body: `{"name":"family","threshold":2,"cosigners":3}`},
		"join-wallet":         {body: `{"invite":"quorate1invite","wait":true}`},
		"show-wallet":         {path: inWallet},
		"ratify-wallet":       {path: inWallet, body: `{"words":"one two three four five six"}`},
		"invite-to-wallet":    {path: inWallet, body: `{"replace":"bob"}`},
		"approve-replacement": {path: inWallet, body: `{"replacement":"` + strings.Repeat("5e", 32) + `"}`},
		"abandon-wallet":      {path: inWallet},
		"rekey-wallet":        {path: inWallet},
		"freeze-wallet":       {path: inWallet, body: `{"reason":"my laptop is gone"}`},
		"unfreeze-wallet":     {path: inWallet, body: `{"freezes":["` + strings.Repeat("4f", 32) + `"]}`},
		"list-policies":       {path: inWallet},
		"propose-policy":      {path: inWallet, body: `{"canonical":"pwAB"}`},
		"show-policy":         {path: map[string]string{"wallet": "family", "version": apitest.ProposalID}},
		"approve-policy":      {path: map[string]string{"wallet": "family", "version": apitest.ProposalID}, body: `{}`},
		"object-policy":       {path: map[string]string{"wallet": "family", "version": apitest.ProposalID}, body: `{}`},
		"ping-wallet":         {path: inWallet, body: `{"for":"carol"}`},
		"answer-ping":         {path: inWallet, body: `{"signature":"H…=","for":"carol"}`},
		"simulate-policy":     {path: inWallet, body: `{"policy":"oQEB","since":"2026-01-01T00:00:00Z"}`},
		"replay-policy":       {path: inWallet, query: map[string]string{"since": "2026-01-01T00:00:00Z", "limit": "100"}},
		"show-robot":          {path: inWallet},
		"pause-robot":         {path: inWallet},
		"resume-robot":        {path: inWallet},
		"archive-wallet":      {path: inWallet, body: `{"undo":true}`},
		"rescan-wallet":       {path: inWallet, body: `{"from":840000}`},
		"rename-wallet":       {path: inWallet, body: `{"name":"our savings"}`},
		"host-cosigner":       {path: inWallet, body: `{"name":"carol","external":"` + key + `"}`},
		"show-proof":          {path: inWallet, query: map[string]string{"for": "carol"}},
		"prove-wallet":        {path: inWallet, body: `{"signature":"H…=","for":"carol"}`},
		"export-wallet":       {path: inWallet, query: map[string]string{"format": "descriptor"}},
		"list-addresses":      {path: inWallet, query: map[string]string{"unused": "true"}},
		"new-address":         {path: inWallet, body: `{"request_id":"order 1041"}`},
		"list-coins":          {path: inWallet},
		"freeze-coin":         {path: map[string]string{"wallet": "family", "outpoint": strings.Repeat("33", 32) + ":0"}, body: `{"note":"a stranger's dust"}`},
		"list-history":        {path: inWallet, query: map[string]string{"since": "2026-01-01T00:00:00Z", "limit": "20"}},
		"list-labels":         {path: inWallet},
		"set-labels":          {path: inWallet, body: `{"labels":[{"ref":"` + apitest.TxID + `","label":"rent"}]}`},
		"list-log":            {path: inWallet, query: map[string]string{"by": "Bob", "kind": "approved,rejected", "cursor": "page2"}},
		"export-log":          {path: inWallet, body: `{"without_keys":true}`},
		"show-presence":       {path: inWallet},
		"preview-proposal":    {path: inWallet, body: `{"to":[{"address":"` + apitest.Address + `","amount":1000000,"label":"rent"}],"fee_rate":1.5,"note":"for January"}`},
		"propose": {
			path: inWallet, header: map[string]string{"Idempotency-Key": "0e6f2c1a-rent-of-january"},
			body: `{"to":[{"address":"` + apitest.Address + `","amount":1000000,"label":"rent"}],"fee_rate":1.5,"note":"for January"}`,
		},
		"list-proposals": {path: inWallet, query: map[string]string{"status": "pending"}},
		"list-schedules": {path: inWallet},
		"create-schedule": {
			path: inWallet,
			body: `{"to":[{"address":"` + apitest.Address + `","amount":1000000,"label":"rent"}],"target_blocks":12,"note":"rent","every":"1mo","on":"1","at":"09:00","zone":"Europe/Berlin"}`,
		},
		"end-schedule":     {path: map[string]string{"wallet": "family", "schedule": apitest.ScheduleID}},
		"start-schedule":   {path: map[string]string{"wallet": "family", "schedule": apitest.ScheduleID}},
		"show-proposal":    {path: of},
		"explain-proposal": {path: of},
		"wait":             {path: of, query: map[string]string{"status": "final", "timeout": "60"}, first: func(n *exampleNode) { n.backend.SetStatus(api.StatusFinal) }},
		"approve":          {path: of, header: version, body: `{"txid":"` + apitest.TxID + `"}`},
		"reject":           {path: of, header: version, body: `{"reason":"too much"}`},
		"comment":          {path: of, body: `{"text":"why that much?"}`},
		"withdraw":         {path: of},
		"show-tx":          {path: of},
		"export-psbt":      {path: of, body: `{"psbt_version":2,"for_signing":true}`},
		"import-psbt":      {body: `{"psbt":"cHNidP8=","dry_run":true}`},
	}
}

// exampleNode answers one example.
type exampleNode struct {
	t       *testing.T
	backend *apitest.Backend
	server  *api.Server
	secret  string
}

func newExampleNode(t *testing.T) *exampleNode {
	t.Helper()
	b := apitest.New()
	b.Plain()
	book, _, err := access.Open(t.Context(), &kepttest.Memory{}, rand.NewChaCha8([32]byte{}), apitest.Now)
	if err != nil {
		t.Fatal(err)
	}
	s, err := api.NewServer(b, api.Options{Version: "test", Book: book})
	if err != nil {
		t.Fatal(err)
	}
	return &exampleNode{t: t, backend: b, server: s}
}

// create makes a token, which the example shows where it is asked with one.
func (n *exampleNode) create(body string) {
	n.t.Helper()
	w := postRaw(n.server.LocalHandler(), "/v1/tokens", "application/json", []byte(body))
	var made api.TokenMade
	if err := json.Unmarshal(w.Body.Bytes(), &made); err != nil || w.Code != http.StatusCreated {
		n.t.Fatalf("HTTP %d: %s", w.Code, w.Body)
	}
	n.secret = made.Secret
}

// pathOf is a path with its parameters.
func pathOf(template string, params map[string]string) string {
	for name, value := range params {
		template = strings.ReplaceAll(template, "{"+name+"}", url.PathEscape(value))
	}
	return template
}

func (n *exampleNode) ask(op *opOf, r request, accept string) *httptest.ResponseRecorder {
	query := url.Values{}
	for name, value := range r.query {
		query.Set(name, value)
	}
	req := httptest.NewRequest(op.Method, pathOf(op.Path, r.path)+"?"+query.Encode(), strings.NewReader(r.body))
	for name, value := range r.header {
		req.Header.Set(name, value)
	}
	if accept != "" {
		req.Header.Set("Accept", accept)
	}
	h := n.server.LocalHandler()
	if r.token {
		h = n.server.TokenHandler()
		req.Header.Set("Authorization", "Bearer "+n.secret)
	}
	if r.body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, req)
	return w
}

// tokenText is what a token looks like.
var tokenText = regexp.MustCompile(`qrt_[a-z2-7]+`)

// record does what the examples ask, and writes down what they are answered.
func record(t *testing.T, doc docOf) []byte {
	t.Helper()
	all, asked := map[string]api.Example{}, requests()
	for _, op := range doc.operations() {
		r, ok := asked[op.OperationID]
		if !ok {
			t.Errorf("%s has no example", op.OperationID)
			continue
		}
		delete(asked, op.OperationID)
		n := newExampleNode(t)
		if r.first != nil {
			r.first(n)
		}
		w := n.ask(op, r, "")
		if w.Code/100 != 2 {
			t.Errorf("%s: HTTP %d: %s", op.OperationID, w.Code, w.Body)
			continue
		}
		e := api.Example{Path: r.path, Query: r.query, Header: r.header, Status: strconv.Itoa(w.Code), Answers: map[string]json.RawMessage{}}
		if r.body != "" {
			e.Body = json.RawMessage(r.body)
		}
		e.Answers[w.Header().Get("Content-Type")] = shown(t, w)
		if op.OperationID == "events" {
			// A server that closes ends its streams when they have said what there is.
			if err := n.server.Shutdown(t.Context()); err != nil {
				t.Fatal(err)
			}
			w := n.ask(op, r, "text/event-stream")
			e.Answers[w.Header().Get("Content-Type")] = shown(t, w)
		}
		all[op.OperationID] = e
	}
	for id := range asked {
		t.Errorf("there is no operation %s", id)
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	if err := enc.Encode(all); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// shown is an answer without its secrets: of text, the first line, or the first event.
func shown(t *testing.T, w *httptest.ResponseRecorder) json.RawMessage {
	t.Helper()
	body := tokenText.ReplaceAllString(w.Body.String(), "qrt_…")
	if w.Header().Get("Content-Type") == "application/json" {
		return json.RawMessage(body)
	}
	if w.Header().Get("Content-Type") != "text/event-stream" {
		first, _, more := strings.Cut(body, "\n")
		if body = first; more {
			body += "\n…"
		}
	}
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// examplesHold says that the examples of a document are those of the record, of the shapes that
// it describes, and without a secret.
func examplesHold(t *testing.T, raw, record []byte) {
	t.Helper()
	var all map[string]api.Example
	if err := json.Unmarshal(record, &all); err != nil {
		t.Fatal(err)
	}
	doc := readDocument(t, raw)
	same := func(what string, want any, got json.RawMessage) any {
		t.Helper()
		if got == nil {
			t.Errorf("%s has no example", what)
			return nil
		}
		have, err := decode(got)
		if err != nil {
			t.Fatal(err)
		}
		if b, ok := want.(json.RawMessage); ok {
			if want, err = decode(b); err != nil {
				t.Fatal(err)
			}
		}
		if d := cmp.Diff(want, have); d != "" {
			t.Errorf("the example of %s is another in the document: %s", what, d)
		}
		return have
	}
	for _, op := range doc.operations() {
		e := all[op.OperationID]
		given := map[string]map[string]string{"path": e.Path, "query": e.Query, "header": e.Header}
		found := 0
		for _, p := range op.Parameters {
			text, ok := given[p.In][p.Name]
			if p.In == "path" && !ok {
				t.Errorf("%s has no example of {%s}", op.OperationID, p.Name)
			}
			if !ok {
				continue
			}
			found++
			if w := doc.wrongParam(p, text); w != "" || p.Example == nil {
				t.Errorf("%s: %s=%s: %q, in the document %s", op.OperationID, p.Name, text, w, p.Example)
			}
		}
		if found != len(e.Path)+len(e.Query)+len(e.Header) {
			t.Errorf("%s has an example of a parameter that it does not have", op.OperationID)
		}
		if (op.RequestBody == nil) != (e.Body == nil) {
			t.Errorf("%s has an example of a body where none is taken, or has none", op.OperationID)
		} else if e.Body != nil {
			m := op.RequestBody.Content["application/json"]
			if w := doc.wrong(m.Schema, same(op.OperationID, e.Body, m.Example), true); w != "" {
				t.Errorf("the request of %s: %s", op.OperationID, w)
			}
		}
		answer := op.Responses[e.Status]
		if len(answer.Content) != len(e.Answers) {
			t.Errorf("%s answers with %d media types, and %d have examples", op.OperationID, len(answer.Content), len(e.Answers))
		}
		for kind, m := range answer.Content {
			v := same(op.OperationID+" "+kind, e.Answers[kind], m.Example)
			if kind != "application/json" {
				continue
			}
			if w := doc.wrong(m.Schema, v, false); w != "" {
				t.Errorf("the answer of %s: %s", op.OperationID, w)
			}
		}
	}
	for _, secret := range append(tokenText.FindAllString(string(raw), -1), regexp.MustCompile(`quorate1[a-z0-9]{20,}|[xt]prv\w+`).FindAllString(string(raw), -1)...) {
		t.Errorf("the document has what looks like a secret: %.12s…", secret)
	}
}
