package app

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/app/config"
	"github.com/quorate/quorate/app/keystore"
)

// sharedLog is a log that a test reads while a node writes it.
type sharedLog struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *sharedLog) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *sharedLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// bare is the data directory of a node that has never run, and its configuration.
func bare(t *testing.T) (string, config.Config) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "n")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	content := keystore.Content{Network: "regtest", Mnemonic: abandon, Created: api.Time(time.Now())}
	if err := keystore.CreateWith(filepath.Join(dir, KeystoreName), []byte("p"), content, keystore.LightWork()); err != nil {
		t.Fatal(err)
	}
	c := config.Default()
	c.Network, c.Name, c.Chain.Backend = "regtest", "alice", "none"
	c.Listen = []string{"/ip4/127.0.0.1/tcp/0"}
	return dir, c
}

// running is a node that is ready: how it is asked, what it logs, and what ends it.
func running(t *testing.T, dir string, c config.Config) (*api.Client, *sharedLog, func()) {
	t.Helper()
	var log sharedLog
	ctx, cancel := context.WithCancel(t.Context())
	ready, done := make(chan struct{}), make(chan error, 1)
	go func() {
		done <- Run(ctx, RunOptions{DataDir: dir, Config: c, Passphrase: []byte("p"), Log: slog.New(slog.NewTextHandler(&log, nil)), Ready: func() { close(ready) }})
	}()
	stop := sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	select {
	case <-ready:
	case err := <-done:
		cancel()
		t.Fatal(err)
	}
	t.Cleanup(stop)
	client, err := api.Dial(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client, &log, stop
}

// ask gets a page of a running node.
func ask(t *testing.T, url string) (int, string) {
	t.Helper()
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// What a node was to listen on and does not is in the log, in status, in the check, in
// the metrics, in what doctor finds, and in what a probe without a token is told: at
// once, and for as long as it is so.
func TestAnAddressThatIsMissingIsAnAlarmEverywhere(t *testing.T) {
	dir, c := bare(t)
	c.Listen = append(c.Listen, "/ip4/192.0.2.9/tcp/0") // of no machine
	c.Metrics.Listen, c.API.Listen = freePort(t), freePort(t)
	c.API.Tokens = []config.Secret{config.Secret("read:" + strings.Repeat("x", api.MinToken))}
	ctx := t.Context()
	client, log, stop := running(t, dir, c)
	s, err := client.Status(ctx)
	if err != nil || len(s.Alarms) != 1 || s.Alarms[0].Code != AlarmNotListening || !strings.Contains(s.Alarms[0].Message, "192.0.2.9") || s.Alarms[0].Since.IsZero() {
		t.Errorf("status %+v, %v", s.Alarms, err)
	}
	if s.DiskFree == nil || *s.DiskFree == 0 || s.LastBackup != nil {
		t.Errorf("free %v, last backup %v", s.DiskFree, s.LastBackup)
	}
	if r := s.Check(); len(r) != 1 || r[0].Code != AlarmNotListening {
		t.Errorf("check %+v", r)
	}
	x, err := client.Doctor(ctx)
	if err != nil || len(x.Items) != 1 || x.Items[0].Code != AlarmNotListening {
		t.Errorf("doctor %+v, %v", x, err)
	}
	for _, l := range x.Looks {
		if l.Look == "listeners" && l.Verdict != api.LookBad || l.Look == "history" && l.Verdict != api.LookFine {
			t.Errorf("%+v", l)
		}
	}
	if _, page := ask(t, "http://"+c.Metrics.Listen+"/metrics"); !strings.Contains(page, `quorate_alarms{code="not_listening"} 1`) || !strings.Contains(page, `quorate_alarms{code="own_chain_forked"} 0`) ||
		!strings.Contains(page, "quorate_last_backup_timestamp_seconds 0") || !strings.Contains(page, "quorate_disk_free_bytes ") {
		t.Errorf("metrics:\n%s", page)
	}
	for path, want := range map[string]string{"/healthz": "200 ok", "/readyz": "503 not_listening", "/livez": "200 true", "/readyz?exclude=network": "200 true", "/version": "200 " + s.Version, "/v1/status": "401"} {
		status, page := ask(t, "http://"+c.API.Listen+path)
		if got := strings.TrimSpace(http.StatusText(status) + " " + page); !strings.HasPrefix(got, http.StatusText(atoi(want))) || !strings.Contains(got, strings.TrimSpace(want[3:])) {
			t.Errorf("%s: %s", path, got)
		}
	}
	for path, want := range map[string]int{"/readyz": http.StatusServiceUnavailable, "/readyz?exclude=network": http.StatusOK, "/livez": http.StatusOK} {
		if status, page := ask(t, "http://"+c.Metrics.Listen+path); status != want {
			t.Errorf("%s of the metrics' listener: %d %s", path, status, page)
		}
	}
	if err := client.Backup(ctx, io.Discard); err != nil {
		t.Error(err)
	}
	if s, err = client.Status(ctx); err != nil || s.LastBackup == nil {
		t.Errorf("last backup %v, %v", s.LastBackup, err)
	}
	stop()
	if text := log.String(); strings.Count(text, "msg=alarm kind=not_listening") != 1 || !strings.Contains(text, "level=WARN msg=alarm") || !strings.Contains(text, "serving the API") {
		t.Errorf("the log says\n%s", text)
	}
}

func atoi(s string) int {
	n := 0
	for _, r := range s[:3] {
		n = 10*n + int(r-'0')
	}
	return n
}

// A node that cannot listen where it was told does not start, and says which option.
func TestATakenPortIsAStartError(t *testing.T) {
	held, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = held.Close() }()
	at := held.Addr().String()
	_, port, _ := net.SplitHostPort(at)
	for option, how := range map[string]func(*config.Config){
		"listen":         func(c *config.Config) { c.Listen = append(c.Listen, "/ip4/127.0.0.1/tcp/"+port) },
		"metrics.listen": func(c *config.Config) { c.Metrics.Listen = at },
		"api.listen": func(c *config.Config) {
			c.API.Listen, c.API.Tokens = at, []config.Secret{config.Secret("read:" + strings.Repeat("x", api.MinToken))}
		},
	} {
		dir, c := bare(t)
		how(&c)
		err := Run(t.Context(), RunOptions{DataDir: dir, Config: c, Passphrase: []byte("p"), Log: slog.New(slog.DiscardHandler)})
		if e := api.AsError(err); e == nil || e.Code != "port_taken" || !strings.Contains(e.Hint, option) || !strings.Contains(e.Message, port) {
			t.Errorf("%s: %v", option, err)
		}
		// Nothing of it is held: it starts once the port is free.
		c2 := config.Default()
		c2.Network, c2.Name, c2.Chain.Backend, c2.Listen = "regtest", "alice", "none", []string{"/ip4/127.0.0.1/tcp/0"}
		ctx, stop := context.WithCancel(t.Context())
		if err := Run(ctx, RunOptions{DataDir: dir, Config: c2, Passphrase: []byte("p"), Log: slog.New(slog.DiscardHandler), Ready: stop}); err != nil {
			t.Errorf("%s, with another address: %v", option, err)
		}
		stop()
	}
}
