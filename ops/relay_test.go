package ops

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/p2p"
)

const (
	relayUser  = "12D3KooWHEmMu1zoWvcsGaFDYKaiHC6Lo3QfigntENc4TAdgvFJK"
	relayOther = "12D3KooWKZNaoaiVeYN8WBGKypcqwqFSWRGbGgseh3BV8ZLnYznL"
)

func TestParseRelayList(t *testing.T) {
	got := p2p.RelayGroups{"": {"before"}}
	parseRelayList("# nobody\n  a  alice # her node\n\n[ one ]\nb\nc\tCarol\r\n[two]\nb\n[]\nd", got)
	want := p2p.RelayGroups{"": {"before", "a", "d"}, "one": {"b", "c"}, "two": {"b"}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

type lockedLog struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedLog) count(s string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.b.String(), s)
}

// A relay keeps its key, reads its list again when it changes and when it is
// told to, keeps the last good one, and stops when it is told to.
func TestRunRelay(t *testing.T) {
	dir := t.TempDir()
	list := filepath.Join(dir, "allowed")
	put := func(text string) {
		t.Helper()
		if err := os.WriteFile(list+".new", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		// Settled a while ago: what was written just now may not be all.
		old := time.Now().Add(-time.Hour)
		if err := os.Chtimes(list+".new", old, old); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(list+".new", list); err != nil {
			t.Fatal(err)
		}
	}
	put(relayUser + "\n")
	log, reload := &lockedLog{}, make(chan os.Signal, 1)
	o := RelayOptions{
		DataDir: filepath.Join(dir, "r"), Listen: []string{"/ip4/127.0.0.1/tcp/0"}, AllowFile: list, Metrics: "127.0.0.1:0",
		Log: slog.New(slog.NewTextHandler(log, nil)), Reload: reload,
	}
	run := func(during func(RelayInfo)) {
		t.Helper()
		ctx, cancel := context.WithCancel(t.Context())
		ready, done := make(chan RelayInfo, 1), make(chan error, 1)
		o.Ready = func(i RelayInfo) { ready <- i }
		go func() { done <- RunRelay(ctx, o) }()
		select {
		case i := <-ready:
			during(i)
		case err := <-done:
			t.Fatalf("it did not start: %v", err)
		}
		cancel()
		if err := <-done; err != nil {
			t.Errorf("stopped: %v", err)
		}
	}
	wait := func(what string, n int) {
		t.Helper()
		deadline, tick := time.After(time.Minute), time.NewTicker(10*time.Millisecond)
		defer tick.Stop()
		for log.count(what) < n {
			select {
			case <-deadline:
				t.Fatalf("the log does not say %q %d times", what, n)
			case <-tick.C:
			}
		}
	}
	first := ""
	run(func(i RelayInfo) {
		first = i.PeerID
		if i.Allowed != 1 || len(i.Addresses) != 1 || !strings.HasSuffix(i.Addresses[0], "/p2p/"+first) {
			t.Errorf("it says %+v", i)
		}
		resp, err := http.Get("http://" + i.Metrics + "/metrics")
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil || !strings.Contains(string(b), "\nquorate_relay_circuits 0\n") {
			t.Errorf("metrics: %v, %s", err, b)
		}
		put("[x]\n" + relayUser + "\n" + relayOther + "\n")
		wait("was read again\" allowed=2", 1)
		put("alice\n")
		wait("the one before holds", 1)
		reload <- os.Interrupt
		wait("the one before holds", 2)
		put("# nobody\n")
		wait("was read again\" allowed=0", 1)
	})
	fi, err := os.Stat(filepath.Join(o.DataDir, relayKeyName))
	if err != nil || fi.Mode().Perm() != 0o600 {
		t.Errorf("the key: %v, %v", fi, err)
	}
	o.Allow = []string{"g=" + relayUser}
	run(func(i RelayInfo) {
		if i.PeerID != first || i.Allowed != 1 {
			t.Errorf("it says %+v, and was %s", i, first)
		}
	})
	o.Listen = []string{"/ip4/192.0.2.1/tcp/1"} // not an address of this machine
	if err := RunRelay(t.Context(), o); api.AsError(err).Code != "not_listening" {
		t.Errorf("where it cannot listen: %v", err)
	}
}
