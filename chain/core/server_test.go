package core_test

import (
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/quorate/quorate/chain/core"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/wallet"
)

func text(s string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(s)) }
}

// TestBadServers holds one clear line in Health against every way in which the
// address can be wrong.
func TestBadServers(t *testing.T) {
	plain := func(h http.HandlerFunc) func(*testing.T) string {
		return func(t *testing.T) string {
			s := httptest.NewServer(h)
			t.Cleanup(s.Close)
			return s.URL
		}
	}
	status := func(code int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(code)
			_, _ = w.Write([]byte(body))
		}
	}
	for _, c := range []struct {
		name, want string
		url        func(*testing.T) string
	}{
		{"nothing listens", core.ErrDown.Error(), closedPort},
		{"wrong password", core.ErrLogin.Error(), plain(status(401, ""))},
		{"forbidden", core.ErrForbid.Error(), plain(status(403, ""))},
		{"busy", core.ErrBusy.Error(), plain(status(503, "Work queue depth exceeded"))},
		{"redirect", core.ErrGarbage.Error(), plain(http.RedirectHandler("http://203.0.113.1/", http.StatusFound).ServeHTTP)},
		{"web page", core.ErrGarbage.Error(), plain(text("<html>\n<body>hello</body></html>"))},
		{"not found", core.ErrGarbage.Error(), plain(status(404, "not found"))},
		{"empty", core.ErrGarbage.Error(), plain(text(""))},
		{"other JSON", core.ErrGarbage.Error(), plain(text(`{"hello":"world"}`))},
		{"other result", core.ErrGarbage.Error(), plain(text(`{"result":[1,2],"error":null,"id":1}`))},
		{"lines in an error", "line 1 line 2", plain(text(`{"result":null,"error":{"code":-8,"message":"line 1\nline 2"},"id":1}`))},
		{"TLS where none is", core.ErrNoTLS.Error(), func(t *testing.T) string {
			return strings.Replace(plain(text("{}"))(t), "http://", "https://", 1)
		}},
		{"TLS is wanted", core.ErrNeedTLS.Error(), func(t *testing.T) string {
			return strings.Replace(tlsServer(t), "https://", "http://", 1)
		}},
		{"unknown certificate", core.ErrCert.Error(), tlsServer},
		{"TLS is wanted, says nginx", core.ErrNeedTLS.Error(), plain(status(400, "<title>400 The plain HTTP request was sent to HTTPS port</title>"))},
		{"TLS is wanted, by an alert", core.ErrNeedTLS.Error(), raw("\x15\x03\x01\x00\x02\x02\x46\r\n")},
		{"no HTTP", core.ErrGarbage.Error(), raw("SSH-2.0-OpenSSH_9.6\r\n")},
		{"of another network's P2P", core.ErrGarbage.Error(), raw("\xf9\xbe\xb4\xd9version\x00\x00\x00\x00\x00\r\n")},
		{"starting", core.ErrStarting.Error() + ": Verifying blocks", plain(status(500, `{"result":null,"error":{"code":-28,"message":"Verifying blocks…"},"id":1}`))},
		{"hangs", core.ErrTimeout.Error(), plain(func(_ http.ResponseWriter, r *http.Request) { untilGone(r) })},
		{"trickles", core.ErrTimeout.Error(), plain(func(w http.ResponseWriter, r *http.Request) {
			_, _ = w.Write([]byte("{"))
			_ = http.NewResponseController(w).Flush()
			untilGone(r)
		})},
		{"hangs up", core.ErrHungUp.Error(), plain(func(w http.ResponseWriter, _ *http.Request) {
			c, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				_ = c.Close()
			}
		})},
		{"huge", core.ErrTooLarge.Error(), plain(func(w http.ResponseWriter, _ *http.Request) {
			page := make([]byte, 1<<20)
			for range 70 {
				if _, err := w.Write(page); err != nil {
					return
				}
			}
		})},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			timeout := 200 * time.Millisecond
			if c.name == "huge" {
				timeout = 30 * time.Second
			}
			b := open(t, core.Config{URL: c.url(t), User: "u", Password: "secret-word", Poll: 10 * time.Millisecond, Timeout: timeout})
			healthy(t, b, c.want)
			if strings.Contains(b.Health().Problem, "secret-word") {
				t.Error("problem holds the password")
			}
			if _, err := b.Tip(t.Context()); err == nil {
				t.Error("Tip returned nil")
			}
		})
	}
}

// untilGone waits until the client hangs up, which the server notices once it
// has read the request.
func untilGone(r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
}

// raw serves the same bytes to everybody, whatever they say.
func raw(answer string) func(*testing.T) string {
	return func(t *testing.T) string {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		all.Go(func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				all.Go(func() {
					_, _ = c.Read(make([]byte, 1<<10))
					_, _ = c.Write([]byte(answer))
					_ = c.Close()
				})
			}
		})
		t.Cleanup(func() {
			_ = l.Close()
			all.Wait()
		})
		return l.Addr().String()
	}
}

func closedPort(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

func tlsServer(t *testing.T) string {
	s := httptest.NewUnstartedServer(text("{}"))
	s.Config.ErrorLog = nil
	s.StartTLS()
	t.Cleanup(s.Close)
	return s.URL
}

func TestTLSWithOwnCertificate(t *testing.T) {
	f := newFake(t)
	f.chain(regtestChain(t, 3))
	s := httptest.NewTLSServer(f)
	t.Cleanup(s.Close)
	file := filepath.Join(t.TempDir(), "rpc.cert")
	writePEM(t, file, s.Certificate().Raw)
	healthy(t, open(t, core.Config{URL: s.URL, CAFile: file}), "")
}

// TestCookie reads the file again when the node wrote a new one.
func TestCookie(t *testing.T) {
	f := newFake(t)
	f.chain(regtestChain(t, 3))
	file := filepath.Join(t.TempDir(), ".cookie")
	b := open(t, core.Config{URL: f.server.URL, CookieFile: file, Poll: 5 * time.Millisecond})
	healthy(t, b, "cookie")
	write := func(s string) {
		t.Helper()
		f.mu.Lock()
		f.user = s
		f.mu.Unlock()
		if err := os.WriteFile(file, []byte(s+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("__cookie__:first")
	healthy(t, b, "")
	f.mu.Lock()
	f.user = "__cookie__:second"
	f.mu.Unlock()
	healthy(t, b, core.ErrLogin.Error())
	write("__cookie__:second")
	healthy(t, b, "")
	if err := os.WriteFile(file, []byte("nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	healthy(t, b, "cookie file is none")
}

func TestConfig(t *testing.T) {
	for name, cfg := range map[string]core.Config{
		"no host":        {URL: "http://", Network: wallet.Regtest},
		"other scheme":   {URL: "ftp://localhost:1", Network: wallet.Regtest},
		"no network":     {URL: "localhost:1"},
		"no certificate": {URL: "https://localhost:1", Network: wallet.Regtest, CAFile: "/does/not/exist"},
	} {
		b, err := core.New(cfg)
		if !errors.Is(err, core.ErrConfig) {
			t.Errorf("%s: got %v, want ErrConfig", name, err)
		}
		if b != nil {
			_ = b.Close()
		}
	}
	if _, err := core.New(core.Config{URL: "ftp://user:hidden@host", Network: wallet.Regtest}); err == nil || strings.Contains(err.Error(), "hidden") {
		t.Errorf("error repeats the password: %v", err)
	}
}

// TestUnsupported is what older nodes lead to.
func TestUnsupported(t *testing.T) {
	f := newFake(t)
	c := regtestChain(t, 3)
	f.chain(c)
	b := open(t, core.Config{URL: f.server.URL})
	tx := c[2].Transactions[0]
	if err := b.TestAccept(t.Context(), tx); !errors.Is(err, port.ErrUnsupported) {
		t.Errorf("TestAccept: got %v, want ErrUnsupported", err)
	}
	if _, err := b.FeeRate(t.Context(), 3); !errors.Is(err, port.ErrNoEstimate) {
		t.Errorf("FeeRate: got %v, want ErrNoEstimate", err)
	}
}

// TestAcceptAsksWithBoth: btcd takes the call only with its second parameter.
func TestAcceptAsksWithBoth(t *testing.T) {
	f := newFake(t)
	c := regtestChain(t, 3)
	f.chain(c)
	f.on("testmempoolaccept", func(p []json.RawMessage) (any, int, string) {
		if len(p) != 2 || string(p[1]) != "0" {
			return nil, -32602, "wrong number of params"
		}
		return []map[string]any{{"allowed": true}}, 0, ""
	})
	if err := open(t, core.Config{URL: f.server.URL}).TestAccept(t.Context(), c[2].Transactions[0]); err != nil {
		t.Error(err)
	}
}

// TestSyncing names a node that has headers without their blocks.
func TestSyncing(t *testing.T) {
	f := newFake(t)
	c := regtestChain(t, 9)
	f.chain(c)
	whole := f.answers["getblockchaininfo"]
	f.on("getblockchaininfo", func([]json.RawMessage) (any, int, string) {
		return map[string]any{"chain": "regtest", "blocks": 3, "headers": 9, "bestblockhash": c[2].BlockHash().String()}, 0, ""
	})
	b := open(t, core.Config{URL: f.server.URL, Poll: 5 * time.Millisecond})
	healthy(t, b, "still syncing: it has 3 of 9 blocks")
	if h := b.Health(); h.Height != 3 || h.Target != 9 {
		t.Errorf("health %+v", h)
	}
	f.on("getblockchaininfo", whole)
	healthy(t, b, "")
	// A wrong number is no tip.
	f.on("getblockchaininfo", func([]json.RawMessage) (any, int, string) {
		return map[string]any{"chain": "regtest", "blocks": 4, "headers": 9, "bestblockhash": c[8].BlockHash().String()}, 0, ""
	})
	healthy(t, b, core.ErrGarbage.Error())
}

// TestStartingRejectsNothing: a node that starts has not looked at the transaction.
func TestStartingRejectsNothing(t *testing.T) {
	f := newFake(t)
	c := regtestChain(t, 3)
	f.chain(c)
	for _, method := range []string{"sendrawtransaction", "testmempoolaccept", "estimatesmartfee"} {
		f.on(method, says(-28, "Loading wallet…"))
	}
	b := open(t, core.Config{URL: f.server.URL})
	_, fee := b.FeeRate(t.Context(), 2)
	_, broadcast := b.Broadcast(t.Context(), c[2].Transactions[0])
	for what, err := range map[string]error{
		"Broadcast": broadcast, "TestAccept": b.TestAccept(t.Context(), c[2].Transactions[0]), "FeeRate": fee,
	} {
		if !errors.Is(err, core.ErrStarting) || errors.Is(err, port.ErrTxRejected) || errors.Is(err, port.ErrNoEstimate) {
			t.Errorf("%s: got %v, want ErrStarting", what, err)
		}
	}
}

func TestFeeRate(t *testing.T) {
	for _, c := range []struct {
		answer any
		want   wallet.FeeRate
	}{
		{map[string]any{"feerate": 0.00012345, "blocks": 2}, 12345},
		{map[string]any{"errors": []string{"Insufficient data"}, "blocks": 0}, 0},
		{map[string]any{"feerate": -1}, 0},
		{map[string]any{"feerate": 1e300}, 0},
	} {
		f := newFake(t)
		f.chain(regtestChain(t, 1))
		f.on("estimatesmartfee", func([]json.RawMessage) (any, int, string) { return c.answer, 0, "" })
		b := open(t, core.Config{URL: f.server.URL})
		got, err := b.FeeRate(t.Context(), 2)
		if got != c.want || (err == nil) != (c.want > 0) || (err != nil && !errors.Is(err, port.ErrNoEstimate)) {
			t.Errorf("estimate %v: got %d, %v", c.answer, got, err)
		}
	}
}

// TestBroadcastAnswers holds the words of both nodes against what they mean.
func TestBroadcastAnswers(t *testing.T) {
	c := regtestChain(t, 3)
	own, foreign := c[2].Transactions[0], regtestChain(t, 4)[3].Transactions[0]
	foreign = foreign.Copy()
	foreign.TxOut[0].Value--
	for _, a := range []struct {
		code     int
		message  string
		rejected bool
	}{
		{-27, "Transaction outputs already in utxo set", false},
		{-27, "TX rejected: transaction already exists in blockchain", false},
		{-26, "txn-already-in-mempool", false},
		{-26, "TX rejected: already have transaction in mempool 00", false},
		{-26, "min relay fee not met, 0 < 141", true},
		{-25, "bad-txns-inputs-missingorspent", true},
		{-25, "TX rejected: orphan transaction", true},
		{-22, "TX decode failed", true},
	} {
		f := newFake(t)
		f.chain(c)
		f.on("sendrawtransaction", func([]json.RawMessage) (any, int, string) { return nil, a.code, a.message })
		b := open(t, core.Config{URL: f.server.URL})
		_, err := b.Broadcast(t.Context(), foreign)
		if errors.Is(err, port.ErrTxRejected) != a.rejected || (err == nil) == a.rejected {
			t.Errorf("%d %s: got %v", a.code, a.message, err)
		}
		if a.rejected && !strings.Contains(err.Error(), a.message) {
			t.Errorf("reason is lost: %v", err)
		}
		if a.code == -25 {
			if _, err := b.Broadcast(t.Context(), own); err != nil {
				t.Errorf("%s, of a transaction in the last block: %v", a.message, err)
			}
		}
	}
}
