package app

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/app/config"
	"github.com/quorate/quorate/app/keystore"
	"github.com/quorate/quorate/coordinator"
)

const abandon = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about"

// A node serves what the configuration asks for, and stops serving when it stops.
func TestMetrics(t *testing.T) {
	// A short path: Unix sockets have short names.
	dir := filepath.Join(t.TempDir(), "n")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	content := keystore.Content{Network: "regtest", Mnemonic: abandon, Created: api.Time(time.Now())}
	if err := keystore.CreateWith(filepath.Join(dir, KeystoreName), []byte("p"), content, keystore.LightWork()); err != nil {
		t.Fatal(err)
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := free.Addr().String()
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	c := config.Default()
	c.Network, c.Name, c.Metrics.Listen = "regtest", "alice", addr
	c.Listen = []string{"/ip4/127.0.0.1/tcp/0"}
	c.Chain.Backend = "none"
	ctx, stop := context.WithCancel(t.Context())
	ready, done := make(chan struct{}), make(chan error, 1)
	go func() {
		done <- Run(ctx, RunOptions{DataDir: dir, Config: c, Passphrase: []byte("p"), Log: slog.New(slog.DiscardHandler), Ready: func() { close(ready) }})
	}()
	select {
	case <-ready:
	case err := <-done:
		t.Fatal(err)
	}
	crowd(t, dir)
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get("http://" + addr + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("status %d, %v", resp.StatusCode, err)
	}
	for _, want := range []string{
		`quorate_build_info{network="regtest",version="` + Version() + `"} 1`, `quorate_chain_height{backend="none"} 0`,
		"quorate_chain_synced 0", `quorate_peers{connected="no"} 0`, "go_goroutines ",
		"quorate_unproven_connections 80", `quorate_silent_connections_total{end="gone"} 0`, `quorate_silent_connections_total{end="refused"} 0`,
	} {
		if !strings.Contains(string(body), want+"\n") && !strings.Contains(string(body), "\n"+want) {
			t.Errorf("no %s in\n%s", want, body)
		}
	}
	for host, want := range map[string]int{
		"localhost": 200, "LOCALHOST:9100": 200, "127.0.0.1": 200, "127.0.0.1:1": 200, "[::1]": 200, "[::1]:9100": 200,
		"evil.example": 421, "evil.example:9100": 421, "localhost.evil.example": 421, "127.0.0.1.evil.example": 421, "127.0.0.1:1:2": 421,
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+addr+"/metrics", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = host
		resp, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if resp.StatusCode != want || strings.Contains(string(body), "quorate_") != (want == 200) {
			t.Errorf("Host %q: HTTP %d: %.60s", host, resp.StatusCode, body)
		}
	}
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if resp, err := client.Get("http://" + addr + "/metrics"); err == nil {
		_ = resp.Body.Close()
		t.Error("metrics are still served")
	}
}

// crowd opens 80 connections that say nothing to a node, from several addresses,
// and waits until its status says so.
func crowd(t *testing.T, dataDir string) {
	t.Helper()
	c, err := api.Dial(dataDir)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	s, err := c.Status(t.Context())
	if err != nil || s.Problem != "" || len(s.Addresses) == 0 {
		t.Fatalf("status in peace: %+v, %v", s, err)
	}
	port := strings.Split(s.Addresses[0], "/")[4]
	for i := range 80 {
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 1, byte(1+i/20))}}
		x, err := d.Dial("tcp", "127.0.0.1:"+port)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = x.Close() })
	}
	deadline := time.After(time.Minute)
	for !strings.Contains(string(s.Problem), "80 connections that say nothing are open") {
		select {
		case <-deadline:
			t.Fatalf("the status of a crowded node: %q", s.Problem)
		case <-time.After(5 * time.Millisecond):
		}
		if s, err = c.Status(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// The docs list every metric and every alarm, the alerts use no other, and every kind
// of alarm that the source names is a series.
func TestMetricsAreDocumented(t *testing.T) {
	read := func(path string) string {
		t.Helper()
		b, err := os.ReadFile(filepath.Join("..", path))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	doc, alerts, board := read("docs/metrics.md"), read("packaging/alerts.yml"), read("packaging/grafana/quorate.json")
	name := regexp.MustCompile(`fqName: "([a-z_]+)"`)
	known := map[string]bool{}
	for _, d := range described() {
		n := name.FindStringSubmatch(d.String())[1]
		known[n] = true
		if !strings.Contains(doc, "| `"+n+"` |") {
			t.Errorf("docs/metrics.md does not list %s", n)
		}
	}
	for _, n := range regexp.MustCompile(`quorate_[a-z_]+`).FindAllString(doc+alerts+board, -1) {
		if !known[n] {
			t.Errorf("there is no %s", n)
		}
	}
	codes := map[string]bool{}
	for _, c := range alarmCodes() {
		codes[c] = true
		if !strings.Contains(doc, "| `"+c+"` |") {
			t.Errorf("docs/metrics.md does not list the alarm %s", c)
		}
	}
	kind := regexp.MustCompile(`\bAlarm[A-Z][A-Za-z]* += "([a-z_]+)"`)
	found := 0
	for _, dir := range []string{"coordinator", "coordinator/frozen", "coordinator/group", "app"} {
		files, err := filepath.Glob(filepath.Join("..", dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			for _, m := range kind.FindAllStringSubmatch(read(strings.TrimPrefix(f, "../")), -1) {
				if m[1] == coordinator.AlarmSecondTaker {
					continue // it happens, and does not last: the log has it
				}
				if found++; !codes[m[1]] {
					t.Errorf("%s: the alarm %s is no series", f, m[1])
				}
			}
		}
	}
	if found < len(codes) {
		t.Errorf("%d kinds found in the source, %d series", found, len(codes))
	}
}

// The board for Grafana asks for every metric but those that say too little for themselves,
// and groups by labels that they have.
func TestTheBoardShowsWhatThereIs(t *testing.T) {
	raw, err := os.ReadFile("../packaging/grafana/quorate.json")
	if err != nil {
		t.Fatal(err)
	}
	var board struct {
		UID    string
		Panels []struct {
			ID      int
			Title   string
			Targets []struct{ Expr, LegendFormat string }
		}
	}
	if err := json.Unmarshal(raw, &board); err != nil {
		t.Fatal(err)
	}
	labels := labelsOf(t)
	asked, ids := map[string]bool{}, map[int]bool{}
	for _, p := range board.Panels {
		if ids[p.ID] || p.Title == "" || len(p.Targets) == 0 {
			t.Errorf("panel %d, %q", p.ID, p.Title)
		}
		ids[p.ID] = true
		for _, x := range p.Targets {
			metric := regexp.MustCompile(`quorate_[a-z_]+`).FindString(x.Expr)
			asked[metric] = true
			words := regexp.MustCompile(`\{\{([a-z_]+)\}\}`).FindAllStringSubmatch(x.LegendFormat, -1)
			for _, by := range regexp.MustCompile(`by \(([a-z_, ]+)\)`).FindAllStringSubmatch(x.Expr, -1) {
				for _, l := range strings.Split(by[1], ", ") {
					words = append(words, []string{"", l})
				}
			}
			for _, w := range words {
				if !slices.Contains(labels[metric], w[1]) {
					t.Errorf("%s has the labels %s, and not %s", metric, labels[metric], w[1])
				}
			}
		}
	}
	for metric := range labels {
		if !asked[metric] && !slices.Contains([]string{"quorate_wallets", "quorate_unproven_connections", "quorate_silent_connections_total", "quorate_spans_total"}, metric) {
			t.Errorf("no panel shows %s", metric)
		}
	}
}
