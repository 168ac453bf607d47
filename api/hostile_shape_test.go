package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/api/access"
	"github.com/quorate/quorate/api/apitest"
	"github.com/quorate/quorate/api/kept/kepttest"
	"github.com/quorate/quorate/api/once"
)

// reading are the methods of a Backend that change nothing.
var reading = []string{
	"Status", "Doctor", "Peers", "PendingPeers", "Pending", "Events", "Subscribe", "Wallets", "Wallet", "Schedules", "Addresses", "Coins", "History", "Proposals", "Proposal",
	"Preview", "Tx", "ExportWallet", "Labels", "Proof", "Log", "ExportLog", "Presence", "Robot", "Explain", "SimulatePolicy", "ReplayPolicy", "Policies", "Policy", "Backup",
}

// saved counts how often something is saved.
type saved struct {
	kepttest.Memory
	saves int
}

func (s *saved) Save(ctx context.Context, puts map[string][]byte, deletes []string) error {
	s.saves++
	return s.Memory.Save(ctx, puts, deletes)
}

// target is a server that is sent what is wrong.
type target struct {
	doc     docOf
	backend *apitest.Backend
	tokens  saved
	local   http.Handler
	tcp     http.Handler
	// ends answers what would stream: it closed.
	ends http.Handler
	log  bytes.Buffer
}

func newTarget(t testing.TB) *target {
	t.Helper()
	x := &target{backend: apitest.New()}
	x.backend.SetStatus(api.StatusFinal) // so that nothing waits for it
	ctx, log := context.Background(), slog.New(slog.NewTextHandler(&x.log, &slog.HandlerOptions{Level: slog.LevelWarn}))
	book, _, err := access.Open(ctx, &x.tokens, rand.NewChaCha8([32]byte{}), apitest.Now)
	if err != nil {
		t.Fatal(err)
	}
	answers, err := once.Open(ctx, &kepttest.Memory{}, apitest.Now)
	if err != nil {
		t.Fatal(err)
	}
	var servers []*api.Server
	for range 2 {
		s, err := api.NewServer(x.backend, api.Options{Version: "test", Book: book, Answers: answers, Log: log})
		if err != nil {
			t.Fatal(err)
		}
		servers = append(servers, s)
	}
	if err := servers[1].Shutdown(ctx); err != nil {
		t.Fatal(err)
	}
	x.local, x.tcp, x.ends = servers[0].LocalHandler(), servers[0].TokenHandler(), servers[1].LocalHandler()
	spec, err := servers[0].OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	x.doc = readDocument(t, spec)
	return x
}

// changes counts what changed something.
func (x *target) changes() int {
	n := 0
	for method, calls := range x.backend.Calls() {
		if !slices.Contains(reading, method) {
			n += calls
		}
	}
	return n + x.tokens.saves
}

// send asks, and says what is wrong with the answer; "" where nothing is.
func (x *target) send(h http.Handler, a *asking) (*httptest.ResponseRecorder, string) {
	u, err := url.ParseRequestURI(a.target())
	if err != nil {
		return nil, "" // no server sees that
	}
	r := &http.Request{
		Method: a.method, URL: u, Host: "node", Header: a.head, Body: io.NopCloser(bytes.NewReader(a.sent())), ContentLength: int64(len(a.sent())),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, RemoteAddr: "192.0.2.1:1234", RequestURI: a.target(),
	}
	before, right := x.changes(), x.doc.rightShape(a)
	x.log.Reset()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	switch after := x.changes(); {
	case x.log.Len() > 0:
		return w, "the server logged: " + x.log.String()
	case w.Code >= http.StatusInternalServerError && w.Code != http.StatusServiceUnavailable && w.Code != http.StatusGatewayTimeout:
		return w, "the server failed"
	case w.Code/100 == 2 && a.method == a.op.Method && !right:
		return w, "that is not what the document describes, and it was taken"
	case w.Code/100 != 2 && after != before:
		return w, "it was refused, and something changed"
	case a.method == http.MethodGet && after != before:
		return w, "it asked, and something changed"
	}
	return w, x.wrongAnswer(a, w)
}

// wrongAnswer says in what an answer is none of those that the document describes.
func (x *target) wrongAnswer(a *asking, w *httptest.ResponseRecorder) string {
	kind := w.Header().Get("Content-Type")
	answer, documented := a.op.Responses[strconv.Itoa(w.Code)]
	// Another method, or another path, is no request of this operation; it is answered
	// as an error all the same.
	elsewhere := a.method != a.op.Method && (w.Code == http.StatusMethodNotAllowed || w.Code/100 == 2) || w.Code == http.StatusNotFound
	if !documented && !elsewhere {
		return "the document has no such status of it"
	}
	if w.Code/100 == 2 && a.method != a.op.Method {
		return ""
	}
	m, ok := answer.Content[kind]
	if elsewhere {
		m, ok = mediaOf{Schema: &shape{Ref: "#/components/schemas/ErrorBody"}}, kind == "application/json"
	}
	if w.Code == http.StatusNotModified {
		if w.Body.Len() > 0 {
			return "it has a body"
		}
		return ""
	}
	if !ok {
		return "the document has no such media type of it: " + kind
	}
	if kind != "application/json" {
		return ""
	}
	v, err := decode(w.Body.Bytes())
	if err != nil {
		return "the answer is no JSON: " + err.Error()
	}
	if wrong := x.doc.wrong(m.Schema, v, false); wrong != "" {
		return "the answer is not of its shape: " + wrong
	}
	if w.Code/100 != 2 && w.Body.Len() > 4096 {
		return fmt.Sprintf("an error of %d bytes", w.Body.Len())
	}
	return ""
}

// handler is where an operation is asked.
func (x *target) handler(op *opOf) http.Handler {
	if op.OperationID == "events" {
		return x.ends
	}
	return x.local
}

// Every operation is sent everything that is wrong, one thing at a time: every answer is
// one that the document describes, nothing fails inside, and nothing changes.
func TestWrongShapes(t *testing.T) {
	x := newTarget(t)
	asked, sent, refused := requests(), 0, 0
	for _, op := range x.doc.operations() {
		found := 0
		for i, wrong := range x.doc.wrongings(op) {
			if i%eachWrong != 0 {
				continue
			}
			a := x.doc.asking(op, asked[op.OperationID])
			wrong.do(a)
			w, why := x.send(x.handler(op), a)
			if w == nil {
				continue
			}
			if sent++; w.Code/100 != 2 {
				refused++
			}
			if why == "" {
				continue
			}
			if found++; found <= 5 {
				t.Errorf("%s, %s: %s %.120s with %.120q: HTTP %d %.300s: %s", op.OperationID, wrong.why, a.method, a.target(), a.sent(), w.Code, w.Body, why)
			}
		}
		if found > 5 {
			t.Errorf("%s: %d more", op.OperationID, found-5)
		}
	}
	t.Logf("%d requests, %d of them refused", sent, refused)
	if refused < 5000/eachWrong {
		t.Error("too few of them are wrong: this shows nothing")
	}
}

// What is right is taken: else the test above would hold for a server that takes nothing.
func TestRightShapes(t *testing.T) {
	asked := requests()
	x := newTarget(t)
	for _, op := range x.doc.operations() {
		if w, why := x.send(x.handler(op), x.doc.asking(op, asked[op.OperationID])); why != "" || w.Code/100 != 2 {
			t.Errorf("%s: HTTP %d %s: %s", op.OperationID, w.Code, w.Body, why)
		}
	}
}

// Without a token nothing is looked at, whatever is sent.
func TestWrongShapesWithoutToken(t *testing.T) {
	x := newTarget(t)
	asked := requests()
	for _, op := range x.doc.operations() {
		for i, wrong := range x.doc.wrongings(op) {
			if i%(17*eachWrong) != 0 {
				continue
			}
			a := x.doc.asking(op, asked[op.OperationID])
			wrong.do(a)
			w, why := x.send(x.tcp, a)
			if w != nil && a.head.Get("Origin") == "" && (why != "" && a.method == op.Method || w.Code != http.StatusUnauthorized) {
				t.Errorf("%s, %s: HTTP %d %.200s: %s", op.OperationID, wrong.why, w.Code, w.Body, why)
			}
		}
	}
}

// FuzzShapes does several wrong things at once: each byte picks one.
func FuzzShapes(f *testing.F) {
	x := newTarget(f)
	ops, asked := x.doc.operations(), requests()
	wrongings := make([][]wronging, len(ops))
	for i, op := range ops {
		wrongings[i] = x.doc.wrongings(op)
		f.Add(uint8(i), []byte{0, 1, byte(i), 77})
	}
	f.Fuzz(func(t *testing.T, which uint8, picks []byte) {
		i := int(which) % len(ops)
		a := x.doc.asking(ops[i], asked[ops[i].OperationID])
		for n := 0; n+1 < min(len(picks), 8); n += 2 {
			wrongings[i][(int(picks[n])<<8|int(picks[n+1]))%len(wrongings[i])].do(a)
		}
		if w, why := x.send(x.handler(ops[i]), a); why != "" {
			t.Fatalf("%s: %s %.200s with %.300q: HTTP %d %.300s: %s", ops[i].OperationID, a.method, a.target(), a.sent(), w.Code, w.Body, why)
		}
	})
}

// What one of the rules of the tests above is for, broken once.
func TestWrongAnswersAreSeen(t *testing.T) {
	x := newTarget(t)
	var status *opOf
	for _, op := range x.doc.operations() {
		if op.OperationID == "status" {
			status = op
		}
	}
	answer := func(code int, kind, body string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			w.WriteHeader(code)
			_, _ = io.WriteString(w, body)
		})
	}
	const sorry = `{"error":{"code":"bad_request","message":"m","hint":null}}`
	good, err := json.Marshal(func() api.Status { s, _ := x.backend.Status(t.Context()); return s }())
	if err != nil {
		t.Fatal(err)
	}
	for name, h := range map[string]http.Handler{
		"500":             answer(500, "application/json", sorry),
		"a status":        answer(418, "application/json", sorry),
		"a media type":    answer(400, "text/plain", sorry),
		"no error":        answer(400, "application/json", `{}`),
		"an unknown code": answer(400, "application/json", strings.Replace(sorry, "bad_request", "never_heard", 1)),
		"a field more":    answer(400, "application/json", strings.Replace(sorry, `{"code"`, `{"more":1,"code"`, 1)),
		"another answer":  answer(200, "application/json", `{"name":"x"}`),
		"a long error":    answer(400, "application/json", strings.Replace(sorry, `"m"`, `"`+strings.Repeat("m", 5000)+`"`, 1)),
		"a change": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = x.backend.RekeyWallet(r.Context(), "family")
			answer(400, "application/json", sorry).ServeHTTP(w, r)
		}),
		"a line in the log": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			x.log.WriteString("x")
			answer(400, "application/json", sorry).ServeHTTP(w, r)
		}),
		"taken though wrong": answer(200, "application/json", string(good)),
	} {
		a := x.doc.asking(status, request{})
		if name == "taken though wrong" {
			a.query = "x=1"
		}
		if _, why := x.send(h, a); why == "" {
			t.Errorf("%s is not seen", name)
		}
	}
	if _, why := x.send(answer(400, "application/json", sorry), x.doc.asking(status, request{})); why != "" {
		t.Errorf("what is right is wrong: %s", why)
	}
}
