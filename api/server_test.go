package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/api/apitest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start serves a backend on the socket of a data directory.
func start(t *testing.T, b api.Backend) (*api.Client, *api.Server, string) {
	t.Helper()
	dir := t.TempDir()
	s, err := api.NewServer(b, api.Options{Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	l, err := api.ListenLocal(dir)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.ServeLocal(l) }()
	c, err := api.Dial(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Close()
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := s.Shutdown(ctx); err != nil {
			t.Error(err)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return c, s, dir
}

func kind(t *testing.T, err error) (api.Kind, string) {
	t.Helper()
	var e *api.Error
	if !errors.As(err, &e) {
		t.Fatalf("not an *api.Error: %v", err)
	}
	return e.Kind, e.Code
}

// nullable says whether every null is one that the design allows.
func postRaw(h http.Handler, path, contentType string, body []byte) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, path, bytes.NewReader(body))
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func errorOf(t testing.TB, w *httptest.ResponseRecorder) api.ErrorText {
	t.Helper()
	var b api.ErrorBody
	d := json.NewDecoder(w.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(&b); err != nil || b.Error.Code == "" || b.Error.Message == "" {
		t.Fatalf("HTTP %d without a typed error: %v", w.Code, err)
	}
	if ct := w.Header().Get("Content-Type"); ct != "application/json" {
		t.Fatalf("error has content type %q", ct)
	}
	return b.Error
}

// What is malformed is refused before the backend sees it.
func TestBadBodies(t *testing.T) {
	b := apitest.New()
	s, err := api.NewServer(b, api.Options{})
	if err != nil {
		t.Fatal(err)
	}
	h := s.LocalHandler()
	const create = "/v1/wallets"
	good := `{"name":"n","threshold":1,"cosigners":2}`
	for name, body := range map[string]string{
		"empty":            ``,
		"not JSON":         `{`,
		"array":            `[]`,
		"null":             `null`,
		"two values":       good + good,
		"trailing":         good + "x",
		"duplicate":        `{"name":"n","threshold":1,"threshold":2,"cosigners":2}`,
		"duplicate escape": `{"name":"n","threshold":1,"thresh\u006fld":2,"cosigners":2}`,
		"other case":       `{"name":"n","Threshold":1,"cosigners":2}`,
		"folding":          `{"name":"n","threshold":1,"coſigners":2}`,
		"unknown":          `{"name":"n","threshold":1,"cosigners":2,"more":1}`,
		"wrong type":       `{"name":"n","threshold":"1","cosigners":2}`,
		"float":            `{"name":"n","threshold":1.5,"cosigners":2}`,
		"range":            `{"name":"n","threshold":0,"cosigners":2}`,
		"above":            `{"name":"n","threshold":3,"cosigners":2}`,
		"deep":             `{"name":` + strings.Repeat("[", 100000) + strings.Repeat("]", 100000) + `}`,
		"script":           `{"name":"n","threshold":1,"cosigners":2,"script":"pkh"}`,
		"large":            `{"name":"` + strings.Repeat("n", 2<<20) + `"}`,
	} {
		t.Run(name, func(t *testing.T) {
			w := postRaw(h, create, "application/json", []byte(body))
			if w.Code < 400 || w.Code > 499 {
				t.Fatalf("HTTP %d: %s", w.Code, w.Body)
			}
			errorOf(t, w)
		})
	}
	if w := postRaw(h, create, "text/plain", []byte(good)); w.Code < 400 || w.Code > 499 {
		t.Errorf("text/plain: HTTP %d", w.Code)
	}
	if n := len(b.Requests()); n != 0 {
		t.Errorf("%d malformed requests reached the backend", n)
	}
	if w := postRaw(h, create, "application/json", []byte(good)); w.Code != http.StatusCreated {
		t.Errorf("a good one: HTTP %d %s", w.Code, w.Body)
	}
}

// An error never repeats a value that was sent: it may be a secret.
func TestErrorsEchoNothing(t *testing.T) {
	s, err := api.NewServer(apitest.New(), api.Options{})
	if err != nil {
		t.Fatal(err)
	}
	w := postRaw(s.LocalHandler(), "/v1/wallets/join", "application/json", []byte(`{"invite":["quorate1secret"],"external":"`+strings.Repeat("topsecret", 100)+`"}`))
	if w.Code != http.StatusBadRequest || strings.Contains(w.Body.String(), "secret") {
		t.Fatalf("HTTP %d: %s", w.Code, w.Body)
	}
}

func TestUnknownRouteAndQuery(t *testing.T) {
	s, err := api.NewServer(apitest.New(), api.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]int{
		"/":                                                http.StatusNotFound,
		"/v1/nothing":                                      http.StatusNotFound,
		"/v1/wallets/family/ratify":                        http.StatusMethodNotAllowed,
		"/v1/wallets?limit=0":                              http.StatusBadRequest,
		"/v1/wallets/family/coins?limit=501":               http.StatusBadRequest,
		"/v1/wallets/family/coins?cursor=gone":             http.StatusBadRequest,
		"/v1/status?x=1":                                   http.StatusBadRequest,
		"/v1/wallets/family/proposals?limit=x":             http.StatusBadRequest,
		"/v1/wallets/family/proposals?status=odd":          http.StatusBadRequest,
		"/v1/proposals/c0ffe":                              http.StatusBadRequest,
		"/v1/proposals/C0FFEE":                             http.StatusBadRequest,
		"/v1/proposals/dddddd":                             http.StatusNotFound,
		"/v1/wallets/other":                                http.StatusNotFound,
		"/v1/proposals/c0ffee/wait?status=pending":         http.StatusBadRequest,
		"/v1/proposals/c0ffee/wait?timeout=-1":             http.StatusBadRequest,
		"/v1/proposals/c0ffee/wait?status=final&timeout=0": http.StatusGatewayTimeout,
	} {
		w := httptest.NewRecorder()
		s.LocalHandler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		if w.Code != want {
			t.Errorf("GET %s: HTTP %d, want %d: %s", path, w.Code, want, w.Body)
			continue
		}
		errorOf(t, w)
	}
}

// To act on a proposal takes 32 characters of its id.
func TestShortIDs(t *testing.T) {
	b := apitest.New()
	s, err := api.NewServer(b, api.Options{})
	if err != nil {
		t.Fatal(err)
	}
	h := s.LocalHandler()
	for _, act := range []string{"approve", "reject", "withdraw"} {
		body := []byte(`{}`)
		if act == "reject" {
			body = []byte(`{"reason":"no"}`)
		}
		for n, want := range map[int]int{31: http.StatusBadRequest, 32: http.StatusOK, 64: http.StatusOK} {
			w := postRaw(h, "/v1/proposals/"+apitest.ProposalID[:n]+"/"+act, "application/json", body)
			if w.Code != want {
				t.Errorf("%s with %d characters: HTTP %d, want %d: %s", act, n, w.Code, want, w.Body)
			}
		}
	}
	short := fmt.Sprintf(`{"to":[{"address":"a","amount":1}],"replaces":[%q]}`, apitest.ProposalID[:31])
	if w := postRaw(h, "/v1/wallets/family/proposals", "application/json", []byte(short)); errorOf(t, w).Code != "short_id" {
		t.Errorf("replaces took 31 characters: HTTP %d", w.Code)
	}
}

func TestSpec(t *testing.T) {
	s, err := api.NewServer(apitest.New(), api.Options{Version: "1"})
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	s.LocalHandler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/openapi.json", nil))
	var doc struct {
		OpenAPI    string                    `json:"openapi"`
		Paths      map[string]map[string]any `json:"paths"`
		Components struct {
			Schemas map[string]any `json:"schemas"`
		} `json:"components"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(doc.OpenAPI, "3.1") {
		t.Errorf("OpenAPI %q", doc.OpenAPI)
	}
	n := 0
	for path, ops := range doc.Paths {
		for method, op := range ops {
			n++
			b, _ := json.Marshal(op)
			if !bytes.Contains(b, []byte("#/components/schemas/ErrorBody")) || bytes.Contains(b, []byte("ErrorModel")) {
				t.Errorf("%s %s does not describe our errors", method, path)
			}
		}
	}
	if want := reflect.TypeFor[api.Backend]().NumMethod() + 5; n != want { // one for each, but Events and Subscribe, which share one, and wait; four of tokens, and the two of a vote share one
		t.Errorf("%d operations, want %d", n, want)
	}
}

// A handler that panics answers an error and leaves the server alive.
func TestPanicIsAnError(t *testing.T) {
	c, _, _ := start(t, panicky{apitest.New()})
	if _, err := c.Status(t.Context()); err == nil {
		t.Fatal("no error")
	} else if k, code := kind(t, err); k != api.Failed || code != "internal" {
		t.Fatalf("%v %s", k, code)
	}
	if _, err := c.Peers(t.Context()); err != nil {
		t.Fatal(err)
	}
}

type panicky struct{ *apitest.Backend }

func (panicky) Status(context.Context) (api.Status, error) { panic("boom") }

func TestNotRunning(t *testing.T) {
	dir := t.TempDir()
	for _, d := range []string{dir, filepath.Join(dir, "missing"), filepath.Join(dir, strings.Repeat("long/", 40))} {
		c, err := api.Dial(d)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Status(t.Context()); err == nil {
			t.Fatal("a node answered")
		} else if k, code := kind(t, err); k != api.Unavailable || code != "not_running" {
			t.Errorf("%s: %v %s", d, k, code)
		}
	}
}

// A browser page of another origin is refused, whatever it sends.
func TestCrossOrigin(t *testing.T) {
	s, err := api.NewServer(apitest.New(), api.Options{})
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, "/v1/proposals/"+apitest.ProposalID+"/approve", strings.NewReader("{}"))
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	s.LocalHandler().ServeHTTP(w, r)
	if e := errorOf(t, w); e.Code != "cross_origin" {
		t.Fatalf("HTTP %d %+v", w.Code, e)
	}
}

// A client that stops sending in the middle of a body does not hold the server.
func TestHalfBody(t *testing.T) {
	_, s, dir := start(t, apitest.New())
	p, err := api.SocketPath(dir)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("unix", p)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := io.WriteString(conn, "POST /v1/wallets HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	// A shutdown without patience cuts the connection off.
	if err := s.Shutdown(ctx); err == nil {
		if _, err := conn.Read(make([]byte, 1)); err == nil {
			t.Fatal("the connection is still open")
		}
	}
}
