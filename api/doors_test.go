package api_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/api/apitest"
)

// counted is a body that counts how often somebody read of it.
type counted struct {
	io.Reader
	reads *atomic.Int64
}

func (c counted) Read(p []byte) (int, error) {
	c.reads.Add(1)
	return c.Reader.Read(p)
}

// Who may not do what is asked is refused before the first byte of the body is read.
func TestBodyIsReadAfterAuthorization(t *testing.T) {
	h, _ := withTokens(t)
	for _, c := range []struct {
		token, path string
		code        string
	}{
		{"", "/v1/wallets", "unauthorized"},
		{"wrong", "/v1/wallets", "unauthorized"},
		{"read", "/v1/wallets", "role"},
		{"read", "/v1/wallets/family/proposals", "role"},
		{"propose", "/v1/proposals/" + apitest.ProposalID + "/approve", "role"},
		{"sign", "/v1/backup", "role"},
		{"sign", "/v1/nothing", "unknown_route"},
		{"sign", "/v1/status", "wrong_method"},
	} {
		var reads atomic.Int64
		r := httptest.NewRequest(http.MethodPost, c.path, counted{strings.NewReader(`{"name":"n"}`), &reads})
		if c.token != "" {
			r.Header.Set("Authorization", "Bearer "+secretOf(c.token))
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if e := errorOf(t, w); e.Code != c.code {
			t.Errorf("%s as %q: %+v", c.path, c.token, e)
		}
		if n := reads.Load(); n != 0 {
			t.Errorf("%s as %q: the body was read %d times before it was refused", c.path, c.token, n)
		}
		if c.code != "unknown_route" && c.code != "wrong_method" && w.Header().Get("Connection") != "close" {
			t.Errorf("%s as %q: the rest of the body would be read from the connection", c.path, c.token)
		}
	}
}

// The largest request that the limits of its fields allow passes; what is of no
// request is refused without much work.
func TestBodyValuesAreBounded(t *testing.T) {
	s, err := api.NewServer(apitest.New(), api.Options{})
	if err != nil {
		t.Fatal(err)
	}
	h := s.LocalHandler()
	largest := `{"to":[` + repeat(1000, `{"address":"a","amount":1,"label":"l"}`) + `],"coins":[` + repeat(2000, `"c:0"`) +
		`],"replaces":[` + repeat(64, `"`+apitest.ProposalID+`"`) + `],"allow":[` + repeat(16, `"x"`) +
		`],"fee_rate":1,"note":"n","expires_in":60,"unsigned":true,"request_id":"r"}`
	if w := postRaw(h, "/v1/wallets/family/proposals", "application/json", []byte(largest)); w.Code != http.StatusCreated {
		t.Errorf("the largest request: HTTP %d: %s", w.Code, w.Body)
	}
	var keys []string
	for i := range 65 {
		keys = append(keys, fmt.Sprintf(`"%c%c":0`, 'a'+i/26, 'a'+i%26))
	}
	for what, body := range map[string]string{
		"65 keys":      `{` + strings.Join(keys, ",") + `}`,
		"8,200 values": `{"to":[` + repeat(8200, "0") + `]}`,
		"8,200 arrays": `{"to":[` + repeat(8200, "[]") + `]}`,
	} {
		w := postRaw(h, "/v1/wallets/family/proposals", "application/json", []byte(body))
		if e := errorOf(t, w); w.Code != http.StatusBadRequest || e.Code != "bad_json" || !strings.Contains(e.Message, "more than") {
			t.Errorf("%s: HTTP %d %+v", what, w.Code, e)
		}
	}
}

func repeat(n int, s string) string { return strings.TrimSuffix(strings.Repeat(s+",", n), ",") }

// blocked is a body of which nothing comes before it is released.
type blocked struct {
	reading *atomic.Int64
	release <-chan struct{}
	once    sync.Once
}

func (b *blocked) Read([]byte) (int, error) {
	b.once.Do(func() { b.reading.Add(1) })
	<-b.release
	return 0, io.EOF
}

// However many send at once, eight bodies are read at a time, and all get their turn.
func TestFewBodiesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := withTokens(t)
		var reading atomic.Int64
		release := make(chan struct{})
		codes := make(chan int, 20)
		for range 20 {
			go func() {
				r := httptest.NewRequest(http.MethodPost, "/v1/wallets/family/invites", &blocked{reading: &reading, release: release})
				r.Header.Set("Authorization", "Bearer "+secretOf("sign"))
				w := httptest.NewRecorder()
				h.ServeHTTP(w, r)
				codes <- w.Code
			}()
		}
		synctest.Wait()
		if n := reading.Load(); n != 8 {
			t.Errorf("%d bodies are read at once", n)
		}
		close(release)
		for range 20 {
			if code := <-codes; code != http.StatusCreated {
				t.Errorf("HTTP %d", code)
			}
		}
	})
}

// serveTokens serves a backend on TCP.
func serveTokens(t *testing.T, b api.Backend) string {
	t.Helper()
	tok, err := api.ParseToken("read:" + secretOf("read"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := api.NewServer(b, api.Options{Tokens: []api.Token{tok}})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.ServeTokens(l) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		_ = s.Shutdown(ctx)
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return l.Addr().String()
}

// ask sends a request for the status with a token, on a connection of its own, and returns the status line.
func ask(t *testing.T, addr, token string) (net.Conn, string) {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_, _ = fmt.Fprintf(c, "GET /v1/status HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n", token)
	_ = c.SetReadDeadline(time.Now().Add(time.Minute))
	line, _ := bufio.NewReader(c).ReadString('\n')
	return c, strings.TrimSpace(line)
}

// Connections that show no token keep nobody out who has one.
func TestConnectionsAreBounded(t *testing.T) {
	addr := serveTokens(t, apitest.New())
	for range 200 {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
	}
	const want = "HTTP/1.1 200 OK"
	if _, line := ask(t, addr, secretOf("read")); line != want {
		t.Fatalf("with a token, behind 200 silent connections: %q", line)
	}
	// Connections of callers with a token take the places of silent ones, and
	// where they idle, of one another.
	for i := range 70 {
		if _, line := ask(t, addr, secretOf("read")); line != want {
			t.Fatalf("connection %d with a token: %q", i, line)
		}
	}
}
